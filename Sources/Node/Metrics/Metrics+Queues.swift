import Scheduler

/// What `/metrics` says of namespaces, queues and schedules. Those with the first names have a sample each; queues behind
/// them are added up as `_other`, which no queue can be called. The names are qualified: `mail`, `shop:mail`.
extension Metrics {
    static let otherQueues = "_other"

    func writeNamespaces(_ gauges: MetricsGauges, to text: inout PrometheusText) {
        func write(
            _ name: StaticString, _ help: StaticString, _ value: (NamespaceView) -> Int?
        ) {
            text.metric(name, .gauge, help)
            for namespace in gauges.namespaces {
                guard let value = value(namespace) else { continue }
                text.sample(name, ("namespace", namespace.name), Int64(value))
            }
        }
        write("carillon_namespace_pending", "Tasks that wait, by namespace.") { $0.pending }
        write("carillon_namespace_running", "Tasks that run, by namespace.") { $0.running }
        write("carillon_namespace_pending_quota", "Tasks that may wait, by namespace.") {
            $0.quota.pending.map(Int.init)
        }
        write("carillon_namespace_running_quota", "Tasks that may run, by namespace.") {
            $0.quota.running.map(Int.init)
        }
    }

    func writeQueues(_ gauges: MetricsGauges, to text: inout PrometheusText) {
        text.gauge(
            "carillon_queues", "Queues.",
            UInt64(gauges.queues.count + gauges.otherQueues.queues))
        func write(
            _ name: StaticString, _ help: StaticString, other: Int?,
            _ value: (QueueView) -> Int?
        ) {
            text.metric(name, .gauge, help)
            for queue in gauges.queues {
                guard let value = value(queue) else { continue }
                text.sample(name, ("queue", queue.name), Int64(value))
            }
            guard let other, gauges.otherQueues.queues > 0 else { return }
            text.sample(name, ("queue", Self.otherQueues), Int64(other))
        }
        write(
            "carillon_queue_pending", "Tasks that wait, by queue.",
            other: gauges.otherQueues.pending
        ) { $0.pending }
        write(
            "carillon_queue_running", "Tasks that run, by queue.",
            other: gauges.otherQueues.running
        ) { $0.running }
        write("carillon_queue_paused", "1 while the queue is paused.", other: nil) {
            $0.isPaused ? 1 : 0
        }
        write(
            "carillon_queue_breaker", "State of the breaker: 0 closed, 1 half-open, 2 open.",
            other: nil
        ) { queue in
            queue.breaker.map { phase in
                switch phase {
                case .closed: 0
                case .halfOpen: 1
                case .open: 2
                }
            }
        }
    }

    func writeSchedules(_ gauges: MetricsGauges, to text: inout PrometheusText) {
        text.metric(
            "carillon_occurrences_total", .counter,
            "Occurrences of schedules, by what became of them, in the entries this process has applied."
        )
        let ends = gauges.occurrences
        text.sample("carillon_occurrences_total", ("end", "fired"), ends.fired)
        text.sample("carillon_occurrences_total", ("end", "skipped"), ends.skipped)
        text.sample("carillon_occurrences_total", ("end", "missed"), ends.missed)
        text.sample("carillon_occurrences_total", ("end", "expired"), ends.expired)
        text.histogram(
            "carillon_occurrence_delay_seconds",
            "Time from the instant of an occurrence to the creation of its task.", ends.lateness)
        text.gauge(
            "carillon_schedules_overdue_seconds",
            "How long the first of the schedules that are due has been so.",
            Double(gauges.overdueMilliseconds) / 1_000)
        text.gauge(
            "carillon_schedules_passed_over",
            "Schedules that are due and don't fire, as this leader lacks their time zones.",
            Double(gauges.passedOverSchedules))
        func write(
            _ name: StaticString, _ help: StaticString, _ value: (ScheduleView) -> UInt64
        ) {
            text.metric(name, .counter, help)
            for schedule in gauges.schedules {
                text.sample(name, ("schedule", schedule.name), value(schedule))
            }
        }
        write("carillon_schedule_ran_total", "Occurrences that got a task.") { $0.ran }
        write("carillon_schedule_skipped_total", "Occurrences that were skipped.") { $0.skipped }
        write("carillon_schedule_missed_total", "Occurrences that were missed.") { $0.missed }
        write("carillon_schedule_expired_total", "Occurrences that expired.") { $0.expired }
    }
}
