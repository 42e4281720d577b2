import Raft
import Scheduler

/// What the API may know of the node around it.
extension Node {
    func facts(_ configuration: ClusterConfiguration) throws(IOError) -> NodeFacts {
        let bodies = try BackgroundThread<Result<JSONDocument, JSONError>>(
            loop: loop, name: "carillon-bodies")
        return NodeFacts(
            // As the replica is told it, and not as it was when the turn began: of the two, that is behind.
            clock: SystemClock.clock,
            gauges: { [unowned self] in gauges() },
            isConnected: { [unowned self] peer in
                guard let status = transport?.status(of: peer.name) else { return false }
                return status.isConnected && status.hello?.id == peer
            },
            hello: { [unowned self] name, since in
                guard let status = transport?.status(of: name),
                    status.isConnected || since == nil && status.isCalling
                else { return nil }
                if let since, status.answeredPingAt ?? 0 < since { return nil }
                return status.hello
            },
            probe: { [unowned self] name in transport?.probe(name) },
            apiAddress: { [unowned self] name in addressBook[name]?.api },
            peerAddress: { [unowned self] name in addressBook[name]?.peer },
            invite: { [unowned self] name, endpoint in invite(name, at: endpoint) },
            lastHeartbeat: { [unowned self] worker in lastHeartbeat(of: worker) },
            export: { [storage] job in storage.snapshots.submit(.export(job)) },
            bodies: bodies,
            httpClient: { [loop] () throws(IOError) in try HTTPClient(loop: loop) },
            later: { [loop] body in loop.later(body) },
            schedule: { [loop] time, body in _ = loop.schedule(at: time, body) })
    }

    /// The task as this node has applied it, as JSON, if it is of the namespace.
    func describe(_ task: TaskID, in namespace: Namespace) -> [UInt8]? {
        guard let view = gateway.replica.scheduler.task(task), namespace.holds(view.spec.queue)
        else { return nil }
        var writer = JSONWriter(capacity: view.spec.payload.count + 1_024)
        writer.task(view)
        return writer.bytes
    }

    /// Wall-clock milliseconds; nil unless this node leads and has heard the worker.
    private func lastHeartbeat(of worker: String) -> Milliseconds? {
        let wall = SystemClock.wallMilliseconds()
        if worker == gateway.replica.id.name { return wall }
        guard let heard = gateway.replica.lastHeard(worker: worker) else { return nil }
        return wall - Milliseconds((loop.now - min(heard, loop.now)) / 1_000_000)
    }

    private func gauges() -> MetricsGauges {
        let replica = gateway.replica
        var workersByState = [0, 0, 0]
        for worker in replica.scheduler.workers() {
            workersByState[Int(worker.state.rawValue)] += 1
        }
        let peers = (transport?.statuses ?? []).map { status in
            MetricsGauges.Peer(
                id: status.id, isConnected: status.isConnected,
                skewMilliseconds: status.hello.flatMap { replica.skewMilliseconds[$0.id] },
                sentMessages: status.sentFrames, sentBytes: status.sentBytes,
                droppedMessages: status.droppedFrames)
        }
        let limit = MetricsGauges.maxLabelValues
        let now = replica.clusterTime(at: SystemClock.clock())
        let due = replica.scheduler.dueSchedules(at: now, limit: 1).first
        return MetricsGauges(
            node: replica.id.name, version: ProductVersion.text,
            isLeader: replica.raft.role == .leader, hasLeader: replica.raft.leader != nil,
            term: replica.raft.term, commitIndex: replica.raft.commitIndex,
            appliedIndex: replica.applied, logBytes: UInt64(replica.raft.logBytes),
            counts: replica.scheduler.counts, workersByState: workersByState,
            pendingRequests: replica.pendingRequestCount, loopTurns: loop.statistics.turns,
            residentBytes: ProcessMemory.residentBytes(),
            uptimeSeconds: Double(loop.now - startedAt) / 1e9, peers: peers,
            namespaces: replica.scheduler.namespaces(after: nil, limit: limit),
            queues: replica.scheduler.queues(after: nil, limit: limit),
            otherQueues: replica.scheduler.queueTotals(behindFirst: limit),
            schedules: replica.scheduler.schedules(after: nil, limit: limit),
            occurrences: replica.occurrences,
            overdueMilliseconds: due.map { max(0, now - $0.next) } ?? 0,
            passedOverSchedules: replica.passedOverScheduleCount)
    }
}
