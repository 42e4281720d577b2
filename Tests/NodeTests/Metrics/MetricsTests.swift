import Testing

@testable import Node
@testable import Scheduler

@Suite struct MetricsTests {
    private var gauges: MetricsGauges {
        var byState = [Int](repeating: 0, count: TaskState.allCases.count)
        byState[Int(TaskState.running.rawValue)] = 7
        var turns = Histogram()
        for nanoseconds in [20_000, 1_500_000] as [UInt64] {
            turns.record(nanoseconds: nanoseconds)
        }
        return MetricsGauges(
            node: "n1", version: "0.1.0", isLeader: true, hasLeader: true, term: 4, commitIndex: 10,
            appliedIndex: 9, logBytes: 1_024,
            counts: Counts(tasksByState: byState, schedules: 2, workers: 3, rememberedKeys: 5),
            workersByState: [2, 0, 1], pendingRequests: 1, loopTurns: turns,
            residentBytes: 4_096, uptimeSeconds: 1.5,
            peers: [
                MetricsGauges.Peer(
                    id: "n2", isConnected: true, skewMilliseconds: -250,
                    sentMessages: 11, sentBytes: 4_000, droppedMessages: 2),
                MetricsGauges.Peer(id: "n\"3", isConnected: false, skewMilliseconds: nil),
            ])
    }

    private func lines(_ metrics: Metrics) -> [String] {
        String(decoding: metrics.exposition(gauges), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    @Test func valuesStandUnderTheirNames() {
        let metrics = Metrics()
        metrics.submits = 12
        metrics.countResponse(status: 201)
        metrics.countResponse(status: 404)
        metrics.countResponse(status: 422)
        metrics.count(.noLeader)
        let lines = lines(metrics)
        for line in [
            "carillon_raft_is_leader 1", "carillon_raft_term 4", "carillon_raft_applied_index 9",
            "carillon_tasks{state=\"running\"} 7", "carillon_tasks{state=\"dead\"} 0",
            "carillon_workers{state=\"live\"} 2", "carillon_workers{state=\"lost\"} 1",
            "carillon_submits_total 12", "carillon_http_responses_total{status=\"2xx\"} 1",
            "carillon_http_responses_total{status=\"4xx\"} 2",
            "carillon_requests_refused_total{reason=\"no_leader\"} 1",
            "carillon_peer_connected{peer=\"n2\"} 1",
            "carillon_peer_connected{peer=\"n\\\"3\"} 0",
            "carillon_peer_clock_skew_seconds{peer=\"n2\"} -0.25",
            "carillon_peer_sent_messages_total{peer=\"n2\"} 11",
            "carillon_peer_sent_bytes_total{peer=\"n2\"} 4000",
            "carillon_peer_dropped_messages_total{peer=\"n2\"} 2",
            "carillon_peer_sent_messages_total{peer=\"n\\\"3\"} 0",
            "carillon_loop_turns_total 2", "carillon_loop_longest_turn_seconds 0.0015",
            "carillon_loop_turn_seconds_bucket{le=\"0.001\"} 1",
            "carillon_build_info{version=\"0.1.0\"} 1",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(!lines.contains { $0.contains("skew_seconds{peer=\"n\\\"3\"") })
    }

    @Test func everySampleFollowsTheDescriptionOfItsMetric() {
        var described = Set<Substring>()
        var current = Substring()
        for line in lines(Metrics()) {
            let words = line.split(separator: " ")
            if words[0] == "#" {
                if words[1] == "HELP" {
                    let isNew = described.insert(words[2]).inserted
                    #expect(isNew, "\(words[2]) is described once")
                    #expect(words.count > 3)
                } else {
                    #expect(words[1] == "TYPE")
                    current = words[2]
                }
            } else {
                #expect(line.hasPrefix(current))
                #expect(words.count == 2 && Double(words[1]) != nil)
            }
        }
        #expect(described.count > 20)
    }

    @Test func queuesAndSchedulesAreTold() throws {
        func entry(_ commands: [Command]) -> [UInt8] {
            var group = CommandGroup(origin: "", incarnation: 0, acknowledgedBelow: 0)
            for command in commands { group.append(sequence: 0, command: command.encoded()) }
            return EntryPayload(time: 1_000_000, groups: [group]).encoded()
        }
        var mail = TaskSpec(handler: "h")
        mail.queue = "mail"
        var breaking = QueueSpec()
        breaking.breaker = BreakerSpec(trip: .failures(2))
        var scheduler = Scheduler()
        var events: [Event] = []
        let payload = entry([
            .putQueue(name: "mail", breaking, paused: true, isInitial: false), .submit(mail),
            .submit(mail), .putQueue(name: "z1", QueueSpec(), paused: nil, isInitial: false),
            .putSchedule(
                name: "s",
                ScheduleSpec(timing: .every(milliseconds: 1_000), zone: "UTC", task: mail),
                paused: false, next: 1_000_000),
            .triggerSchedule(name: "s"),
        ])
        try scheduler.apply(payload, index: 1, into: &events)
        var gauges = gauges
        gauges.queues = scheduler.queues(after: nil, limit: 1)
        gauges.namespaces = scheduler.namespaces(after: nil, limit: 1)
        gauges.otherQueues = scheduler.queueTotals(behindFirst: 1)
        gauges.schedules = scheduler.schedules(after: nil, limit: 1)
        for event in events { gauges.occurrences.note(event, in: scheduler) }
        gauges.overdueMilliseconds = 1_500
        let text = String(decoding: Metrics().exposition(gauges), as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        for line in [
            "carillon_namespace_pending{namespace=\"default\"} 3",
            "carillon_queues 2", "carillon_queue_pending{queue=\"mail\"} 3",
            "carillon_queue_pending{queue=\"_other\"} 0", "carillon_queue_paused{queue=\"mail\"} 1",
            "carillon_queue_breaker{queue=\"mail\"} 0",
            "carillon_occurrences_total{end=\"fired\"} 1",
            "carillon_occurrence_delay_seconds_count 1", "carillon_schedules_overdue_seconds 1.5",
            "carillon_schedule_ran_total{schedule=\"s\"} 1",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func histogramsAreCumulativeAndInSeconds() {
        let metrics = Metrics()
        metrics.submitLatency.record(microseconds: 1_500)
        metrics.submitLatency.record(microseconds: 200_000_000)
        let lines = lines(metrics)
        #expect(lines.contains("carillon_submit_seconds_bucket{le=\"0.001\"} 0"))
        #expect(lines.contains("carillon_submit_seconds_bucket{le=\"0.002\"} 1"))
        #expect(lines.contains("carillon_submit_seconds_bucket{le=\"50.0\"} 1"))
        #expect(lines.contains("carillon_submit_seconds_bucket{le=\"+Inf\"} 2"))
        #expect(lines.contains("carillon_submit_seconds_sum 200.0015"))
        #expect(lines.contains("carillon_submit_seconds_count 2"))
    }
}
