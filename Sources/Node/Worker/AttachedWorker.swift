import Raft
import Scheduler

/// A worker in a process of its own: it runs handlers for a cluster that it reaches over HTTP, as docs/WORKERS.md asks of
/// workers in any language. The attempts themselves are run by the same `LocalWorker` that a node has.
final class AttachedWorker {
    struct Settings {
        var id: String
        var slots: Int
        var tags: [String]
        /// Of those that the local worker has.
        var handlers: [String]
    }

    private struct Session {
        let text: String
        let beatNanoseconds: Nanoseconds
        let leaseNanoseconds: Nanoseconds
        /// When the last heartbeat that was answered had been sent.
        var heard: Nanoseconds
        var isExpired = false
    }

    private struct Held {
        let session: String
        /// To be told, once the report before is answered.
        var progress: AttemptProgress?
        var isProgressUnderWay = false
    }

    private enum Phase {
        case working
        /// Nothing new is taken; what runs may end.
        case draining(until: Nanoseconds)
        /// What runs is being stopped and handed back.
        case handingBack(until: Nanoseconds)
        case leaving
        case over
    }

    static let graceNanoseconds: Nanoseconds = 20_000_000_000
    private static let handBackNanoseconds: Nanoseconds = 7_000_000_000
    private static let retryNanoseconds: Nanoseconds = 200_000_000
    private static let pollSeconds = 2

    private let loop: Loop
    private let worker: LocalWorker
    private let channels: ClusterChannels
    private let settings: Settings
    private let log: Log
    private var session: Session?
    /// Attempts whose end is not answered yet: named in heartbeats, and not begun again.
    private var held: [AttemptName: Held] = [:]
    /// No longer held since the polls under way were sent: their answers may name them still.
    private var dropped: Set<AttemptName> = []
    private var pollsUnderWay = 0
    /// The cluster is being told that the worker ends.
    private var isCollecting = false
    private var logs = AttemptLogs()
    private var phase = Phase.working
    private(set) var exitStatus: Int32 = 0
    /// Why it ended without being asked to.
    private(set) var failure: String?

    private var path: String { "/v1/workers/\(PercentEncoding.encode(settings.id))" }

    private var isWorking: Bool {
        if case .working = phase { true } else { false }
    }

    init(
        loop: Loop, worker: LocalWorker, channels: ClusterChannels, settings: Settings, log: Log
    ) {
        self.loop = loop
        self.worker = worker
        self.channels = channels
        self.settings = settings
        self.log = log
        worker.onFinish = { [unowned self] finish in
            report(finish, text: logs.take(AttemptName(finish.task, finish.attempt)))
        }
        worker.onLog = { [unowned self] assignment, bytes in
            logs.append(bytes, of: AttemptName(assignment.task, assignment.attempt))
        }
        worker.onProgress = { [unowned self] assignment, progress in note(progress, of: assignment)
        }
        attach()
    }

    // MARK: The session

    /// - Parameters:
    ///   - key: should a request that was given up come late after all, it must not end the session of the next one.
    ///   - sent: when the first try was sent. The session may have begun with any of them, and of those that followed no leader
    ///     has heard.
    private func attach(key: String = SubmitCommand.randomKey(), since sent: Nanoseconds? = nil) {
        session = nil
        let sent = sent ?? loop.now
        var request = ClientRequest.post(
            "/v1/workers", body: AttachedWorkerMessages.registration(settings), isRepeatable: true)
        request.idempotencyKey = key
        channels.send(request, by: .reports) { [unowned self] answer in
            guard isWorking else { return checkEnd() }
            switch answer {
            case .accepted(let bytes):
                guard let begun = AttachedWorkerMessages.session(bytes) else {
                    return fail("the answer to the registration can't be read")
                }
                session = Session(
                    text: begun.session, beatNanoseconds: begun.beatNanoseconds,
                    leaseNanoseconds: begun.leaseNanoseconds, heard: sent)
                log.info(
                    "attached", ["worker": .text(settings.id), "session": .text(begun.session)])
                beat()
                watchLease()
                poll()
            case .refused(_, let text): fail(text)
            case .nobody(let text):
                log.warning("can't attach yet", ["reason": .text(text)])
                later { [unowned self] in attach(key: key, since: sent) }
            }
        }
    }

    private func beat() {
        guard let session, !isOver else { return }
        logs.keep(only: Set(held.keys))
        let sent = loop.now
        let body = AttachedWorkerMessages.heartbeat(
            session.text, held.filter { $0.value.session == session.text }.map(\.key).sorted())
        let milliseconds = Int64(session.beatNanoseconds / 1_000_000)
        var request = ClientRequest.post(
            "\(path)/heartbeat?timeout=\(milliseconds)ms", body: body, isRepeatable: true)
        request.timeoutMilliseconds = milliseconds
        channels.send(request, by: .beats) { [unowned self] answer in
            guard self.session?.text == session.text, !isOver else { return }
            var next = sent + session.beatNanoseconds
            switch answer {
            case .accepted(let bytes):
                self.session?.heard = sent
                self.session?.isExpired = false
                for name in AttachedWorkerMessages.cancelled(bytes) { cancel(name) }
            // The cluster has forgotten it, being away for so long, or is one that was restored.
            case .refused("session-lost", let text), .refused("not-found", let text):
                log.warning("the session was lost", ["reason": .text(text)])
                stopForgotten()
                if isWorking { attach() } else { self.session = nil }
                return checkEnd()
            case .refused(_, let text): return fail(text)
            case .nobody(let text):
                log.warning("a heartbeat was not heard", ["reason": .text(text)])
                next = loop.now + Self.retryNanoseconds / 4
            }
            loop.schedule(at: max(next, loop.now)) { [unowned self] in
                if self.session?.text == session.text { beat() }
            }
        }
    }

    /// Who hears nothing from the cluster stops by itself, before its work is given to somebody else.
    private func watchLease() {
        guard let session, !isOver else { return }
        let end = session.heard + session.leaseNanoseconds
        if loop.now >= end, !session.isExpired {
            self.session?.isExpired = true
            log.warning("lost the cluster: running attempts are stopped", [:])
            // The cluster waits longer than the lease by three sevenths of it. Half of that is for processes to end in.
            let grace = session.leaseNanoseconds / 14 * 3
            worker.stopAll(reason: .leaseLost, graceMilliseconds: Int64(grace / 1_000_000))
        }
        let next = max(end, loop.now + session.beatNanoseconds / 4)
        loop.schedule(at: next) { [unowned self] in
            if self.session?.text == session.text { watchLease() }
        }
    }

    private var isLeaseOver: Bool {
        guard let session else { return true }
        return session.isExpired || loop.now >= session.heard + session.leaseNanoseconds
    }

    private func poll() {
        guard let session, isWorking else { return }
        ask(session, waitSeconds: Self.pollSeconds, by: .polls) { [unowned self] answer in
            guard isWorking else { return handBack(answer, session.text) }
            guard case .accepted(let bytes) = answer else {
                // Heartbeats hear of it as well, and know what to do.
                return later { [unowned self] in poll() }
            }
            // Who has lost the cluster begins nothing: the attempts may be on their way to others. What no heartbeat names is
            // handed out again.
            guard !isLeaseOver else { return later { [unowned self] in poll() } }
            for assignment in AttachedWorkerMessages.assignments(bytes, worker: settings.id) {
                start(assignment, session.text)
            }
            poll()
        }
    }

    /// `then` hears the answer unless the session is another one meanwhile.
    private func ask(
        _ session: Session, waitSeconds: Int, by lane: ClusterChannels.Lane,
        then: @escaping (ClusterChannels.Answer) -> Void
    ) {
        if pollsUnderWay == 0 { dropped.removeAll() }
        pollsUnderWay += 1
        let target = "\(path)/assignments?session=\(session.text)&wait=\(waitSeconds)s"
        channels.send(.get(target), by: lane) { [unowned self] answer in
            pollsUnderWay -= 1
            guard self.session?.text == session.text else { return checkEnd() }
            then(answer)
        }
    }

    /// What is handed out to a worker that was told to end is somebody else's, also if it must not run twice.
    private func handBack(_ answer: ClusterChannels.Answer, _ session: String) {
        if case .accepted(let bytes) = answer, !isGone {
            for assignment in AttachedWorkerMessages.assignments(bytes, worker: settings.id) {
                guard take(assignment, session) != nil else { continue }
                report(
                    Finish(
                        task: assignment.task, attempt: assignment.attempt,
                        fence: assignment.fence, result: .returned, hasBegun: false), text: nil)
            }
        }
        checkEnd()
    }

    // MARK: Attempts

    private func start(_ assignment: Assignment, _ session: String) {
        if take(assignment, session) != nil { worker.start(assignment, isFilled: true) }
    }

    /// nil: it was handed out again, and had come in time after all.
    private func take(_ assignment: Assignment, _ session: String) -> AttemptName? {
        let name = AttemptName(assignment.task, assignment.attempt)
        guard held[name] == nil, !dropped.contains(name) else { return nil }
        held[name] = Held(session: session)
        return name
    }

    private func drop(_ name: AttemptName) {
        held[name] = nil
        if pollsUnderWay > 0 { dropped.insert(name) }
    }

    private func cancel(_ name: AttemptName) {
        // What is reported already is named until that is answered: nothing runs then.
        worker.stop(task: name.task, attempt: name.attempt, reason: .revoked)
        drop(name)
        checkEnd()
    }

    /// The log has taken everything away.
    private func stopForgotten() {
        for (task, attempt) in worker.running {
            worker.stop(task: task, attempt: attempt, reason: .revoked)
        }
        held = [:]
    }

    private func report(_ finish: Finish, text: [UInt8]?) {
        let name = AttemptName(finish.task, finish.attempt)
        guard let session = held[name]?.session else { return }
        let request = ClientRequest.post(
            "\(name.path)/finish",
            body: AttachedWorkerMessages.finish(session, finish, log: text),
            isRepeatable: true)
        channels.send(request, by: .reports) { [unowned self] answer in
            switch answer {
            case .accepted: break
            case .refused(_, let text):
                log.info(
                    "a finish was refused", ["attempt": .text(name.path), "reason": .text(text)])
            case .nobody:
                return later { [unowned self] in report(finish, text: text) }
            }
            drop(name)
            checkEnd()
        }
    }

    private func note(_ progress: AttemptProgress, of assignment: Assignment) {
        let name = AttemptName(assignment.task, assignment.attempt)
        guard let known = held[name] else { return }
        held[name]?.progress = AttemptProgress(
            percent: progress.percent ?? known.progress?.percent,
            note: progress.note ?? known.progress?.note)
        if !known.isProgressUnderWay { sendProgress(name) }
    }

    private func sendProgress(_ name: AttemptName) {
        guard let known = held[name], let progress = known.progress else { return }
        held[name]?.progress = nil
        held[name]?.isProgressUnderWay = true
        let body = AttachedWorkerMessages.progress(known.session, TaskProgress(progress))
        let request = ClientRequest.post("\(name.path)/progress", body: body, isRepeatable: true)
        channels.send(request, by: .reports) { [unowned self] _ in
            // One that nobody heard is made up for by the next one.
            held[name]?.isProgressUnderWay = false
            sendProgress(name)
        }
    }

    // MARK: The end

    /// The first time what runs may end, the second time it is handed back.
    func terminate() {
        switch phase {
        case .working:
            log.info("draining", [:])
            phase = .draining(until: loop.now + Self.graceNanoseconds)
            isCollecting = true
            channels.send(.post("\(path)/drain", isRepeatable: true), by: .reports) {
                [unowned self] answer in collect(after: answer)
            }
            loop.schedule(at: loop.now + Self.graceNanoseconds) { [unowned self] in handBack() }
        case .draining: handBack()
        case .handingBack, .leaving, .over: break
        }
    }

    /// What was assigned before the cluster knew of the end. A poll that waits yet is answered by that as well.
    private func collect(after drain: ClusterChannels.Answer) {
        isCollecting = false
        guard case .accepted = drain, let session, !isGone else { return checkEnd() }
        ask(session, waitSeconds: 0, by: .reports) { [unowned self] answer in
            handBack(answer, session.text)
        }
    }

    private func handBack() {
        guard case .draining = phase else { return }
        let end = loop.now + Self.handBackNanoseconds
        phase = .handingBack(until: end)
        worker.stopAll(reason: .shutdown)
        loop.schedule(at: end) { [unowned self] in leave() }
        checkEnd()
    }

    private func checkEnd() {
        switch phase {
        // What a poll brings yet is handed back first.
        case .draining, .handingBack:
            if held.isEmpty, pollsUnderWay == 0, !isCollecting { leave() }
        case .working, .leaving, .over: break
        }
    }

    private func leave() {
        switch phase {
        case .leaving, .over: return
        case .working, .draining, .handingBack: phase = .leaving
        }
        guard let session else { return finish(0) }
        var request = ClientRequest.delete("\(path)?session=\(session.text)")
        request.isRepeatable = true
        channels.send(request, by: .reports) { [unowned self] _ in finish(0) }
    }

    private func fail(_ reason: String) {
        log.error("stopped", ["reason": .text(reason)])
        failure = reason
        finish(1)
    }

    private func finish(_ status: Int32) {
        guard !isOver else { return }
        phase = .over
        exitStatus = status
        worker.killAll()
        loop.stop()
    }

    private var isOver: Bool {
        if case .over = phase { true } else { false }
    }

    private var isGone: Bool {
        switch phase {
        case .leaving, .over: true
        case .working, .draining, .handingBack: false
        }
    }

    private func later(_ body: @escaping () -> Void) {
        loop.schedule(at: loop.now + Self.retryNanoseconds, body)
    }
}
