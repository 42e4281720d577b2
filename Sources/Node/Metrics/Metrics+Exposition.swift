import Scheduler

/// The page at `/metrics`.
extension Metrics {
    func exposition(_ gauges: MetricsGauges) -> [UInt8] {
        var text = PrometheusText()
        writeConsensus(gauges, to: &text)
        writeState(gauges, to: &text)
        writeNamespaces(gauges, to: &text)
        writeQueues(gauges, to: &text)
        writeSchedules(gauges, to: &text)
        writeRequests(to: &text)
        writeWorker(to: &text)
        writeHistory(to: &text)
        writeProcess(gauges, to: &text)
        return text.bytes
    }

    private func writeConsensus(_ gauges: MetricsGauges, to text: inout PrometheusText) {
        text.gauge(
            "carillon_raft_is_leader", "1 while this node leads the cluster.",
            UInt64(gauges.isLeader ? 1 : 0))
        text.gauge(
            "carillon_raft_has_leader", "1 while this node knows a leader.",
            UInt64(gauges.hasLeader ? 1 : 0))
        text.gauge("carillon_raft_term", "Current term.", gauges.term)
        text.gauge(
            "carillon_raft_commit_index", "Last log index known to be committed.",
            gauges.commitIndex)
        text.gauge(
            "carillon_raft_applied_index", "Last log index applied to the state.",
            gauges.appliedIndex)
        text.gauge(
            "carillon_raft_log_bytes", "Bytes of the log behind the last snapshot.",
            gauges.logBytes)
        text.counter(
            "carillon_raft_leadership_changes_total", "Changes of the leader seen by this node.",
            leadershipChanges)
        text.histogram(
            "carillon_log_sync_seconds", "Time to write and sync one batch of the log.",
            syncLatency)
        text.metric("carillon_peer_connected", .gauge, "1 while a connection to the peer is up.")
        for peer in gauges.peers {
            text.sample(
                "carillon_peer_connected", ("peer", peer.id), UInt64(peer.isConnected ? 1 : 0))
        }
        text.metric(
            "carillon_peer_clock_skew_seconds", .gauge,
            "Clock of the peer minus clock of this node, as last seen.")
        for peer in gauges.peers {
            guard let skew = peer.skewMilliseconds else { continue }
            text.sample(
                "carillon_peer_clock_skew_seconds", ("peer", peer.id), Double(skew) / 1_000)
        }
        text.metric(
            "carillon_peer_sent_messages_total", .counter, "Messages sent to the peer.")
        for peer in gauges.peers {
            text.sample(
                "carillon_peer_sent_messages_total", ("peer", peer.id), peer.sentMessages)
        }
        text.metric(
            "carillon_peer_sent_bytes_total", .counter, "Bytes of messages sent to the peer.")
        for peer in gauges.peers {
            text.sample("carillon_peer_sent_bytes_total", ("peer", peer.id), peer.sentBytes)
        }
        text.metric(
            "carillon_peer_dropped_messages_total", .counter,
            "Messages to the peer that were dropped: no connection, or too much waiting for it, or another node has its name."
        )
        for peer in gauges.peers {
            text.sample(
                "carillon_peer_dropped_messages_total", ("peer", peer.id), peer.droppedMessages)
        }
    }

    private func writeState(_ gauges: MetricsGauges, to text: inout PrometheusText) {
        text.metric("carillon_tasks", .gauge, "Tasks kept in the state, by their state.")
        for state in TaskState.allCases {
            let index = Int(state.rawValue)
            let counts = gauges.counts.tasksByState
            let count = index < counts.count ? counts[index] : 0
            text.sample("carillon_tasks", ("state", state.name), Int64(count))
        }
        text.gauge("carillon_schedules", "Schedules.", UInt64(gauges.counts.schedules))
        text.gauge(
            "carillon_remembered_keys", "Idempotency keys that are remembered.",
            UInt64(gauges.counts.rememberedKeys))
        text.metric("carillon_workers", .gauge, "Workers, by their state.")
        for state in [WorkerView.State.live, .draining, .lost] {
            let index = Int(state.rawValue)
            let count = index < gauges.workersByState.count ? gauges.workersByState[index] : 0
            text.sample("carillon_workers", ("state", state.name), Int64(count))
        }
    }

    private func writeRequests(to text: inout PrometheusText) {
        text.counter(
            "carillon_submits_total", "Submissions answered with a task by this node.", submits)
        text.histogram(
            "carillon_submit_seconds", "Time from a submission's arrival to its answer.",
            submitLatency)
        text.metric(
            "carillon_requests_refused_total", .counter, "Requests refused by this node.")
        text.sample("carillon_requests_refused_total", ("reason", "overloaded"), refusedOverloaded)
        text.sample("carillon_requests_refused_total", ("reason", "no_leader"), refusedNoLeader)
        text.sample(
            "carillon_requests_refused_total", ("reason", "outcome_unknown"), refusedUnknown)
        text.metric(
            "carillon_http_responses_total", .counter, "Answers to HTTP requests, by status.")
        for statusClass in 1...5 {
            text.sample(
                "carillon_http_responses_total", ("status", "\(statusClass)xx"),
                responses(ofClass: statusClass))
        }
    }

    private func writeWorker(to text: inout PrometheusText) {
        text.counter(
            "carillon_attempts_started_total", "Attempts started by this node's worker.",
            attemptsStarted)
        text.metric(
            "carillon_attempts_ended_total", .counter,
            "Attempts that ended on this node's worker, by outcome.")
        text.sample(
            "carillon_attempts_ended_total", ("outcome", "succeeded"), attemptsSucceeded)
        text.sample("carillon_attempts_ended_total", ("outcome", "failed"), attemptsFailed)
        text.histogram(
            "carillon_start_delay_seconds",
            "Time from when a task was due to the start of its attempt on this node.",
            startLatency)
    }

    private func writeHistory(to text: inout PrometheusText) {
        text.counter(
            "carillon_history_exported_tasks_total",
            "Tasks written to files by this node before they were dropped.", exportedTasks)
        text.counter(
            "carillon_history_failures_total",
            "Files of such tasks that this node could not write; the tasks are kept.",
            historyFailures)
    }

    private func writeProcess(_ gauges: MetricsGauges, to text: inout PrometheusText) {
        text.metric("carillon_build_info", .gauge, "Always 1; the version is in the label.")
        text.sample("carillon_build_info", ("version", gauges.version), UInt64(1))
        text.gauge(
            "carillon_pending_requests", "Commands of this node's clients without an outcome yet.",
            UInt64(gauges.pendingRequests))
        text.counter(
            "carillon_loop_turns_total", "Turns of the event loop.", gauges.loopTurns.count)
        text.gauge(
            "carillon_loop_longest_turn_seconds",
            "The longest time one turn has held the event loop.",
            Double(gauges.loopTurns.maxMicroseconds) / 1_000_000)
        text.histogram(
            "carillon_loop_turn_seconds", "How long turns have held the event loop.",
            gauges.loopTurns)
        text.gauge(
            "process_resident_memory_bytes", "Resident memory of the process.",
            gauges.residentBytes)
        text.gauge(
            "carillon_uptime_seconds", "Time since the process started.", gauges.uptimeSeconds)
    }
}
