import Raft
import Scheduler

/// `/v1/cluster/backup`: the replicated state, as a snapshot file that a client fetches in pieces.
///
/// The snapshot holds everything that was acknowledged before it was asked for: a linearizable read comes first, and
/// one at or behind its index is taken then, unless there is one. All of the file's work is done by the snapshot
/// thread, which holds the file open until the client says that it has it, or is silent for too long.
final class BackupAPI {
    private enum Stage {
        /// For a snapshot at or behind this index.
        case writing(Index)
        case opening(SnapshotName)
    }

    private struct Wait {
        let id: UInt64
        let call: Call
        var stage: Stage

        /// The file that it waits for; nil while that is not written.
        var opening: SnapshotName? {
            if case .opening(let name) = stage { return name }
            return nil
        }
    }

    /// A file that is held open.
    private struct Export {
        let name: SnapshotName
        let totalBytes: UInt64
        let checksum: UInt32
        /// Clients that have been told of it and have not said that they are done.
        var users = 0
        var usedAt: Nanoseconds
    }

    private let context: APIContext
    private let idleNanoseconds: Nanoseconds
    private var waits: [Wait] = []
    private var exports: [Export] = []
    private var reads: [UInt64: Call] = [:]
    private var lastID: UInt64 = 0
    private var isWatching = false

    init(
        _ context: APIContext, idleNanoseconds: Nanoseconds = APILimits.backupIdleNanoseconds
    ) {
        self.context = context
        self.idleNanoseconds = idleNanoseconds
    }

    func handle(_ call: Call) {
        guard call.allows(.get, .post, .delete), call.hasNoBody() else { return }
        switch call.request.method {
        case .post:
            guard let options = call.options() else { return }
            call.read(options) { [self] in begin(call, options) }
        case .delete:
            finish(call)
        default:
            read(call)
        }
    }

    /// To be told when the newest snapshot of this node is another one.
    func snapshotChanged() {
        for wait in waits { advance(wait.id) }
    }

    func take(_ reply: SnapshotExport.Reply) {
        switch reply {
        case .opened(let name, let totalBytes, let checksum):
            exports.append(
                Export(name: name, totalBytes: totalBytes, checksum: checksum, usedAt: now))
            watch()
            for wait in waits where wait.opening == name { answer(wait.id, name) }
        case .gone(let name):
            replace(name)
            refuseOpening(name, Self.lost)
        case .damaged(let name, let token, let error):
            exports.removeAll { $0.name == name }
            replace(name)
            refuseOpening(name, Self.damaged(error))
            if let token { reads.removeValue(forKey: token)?.reply(Self.damaged(error)) }
        case .read(let token, let bytes):
            reads.removeValue(forKey: token)?.reply(
                HTTPResponse(status: 200, contentType: "application/octet-stream", body: bytes))
        case .notOpen(let token):
            reads.removeValue(forKey: token)?.reply(Self.lost)
        }
    }

    // MARK: Beginning

    private func begin(_ call: Call, _ options: Call.Options) {
        let id = newID()
        waits.append(
            Wait(id: id, call: call, stage: .writing(context.gateway.replica.applied)))
        context.facts.schedule(options.deadline) { [weak self] in self?.expire(id) }
        advance(id)
    }

    private func advance(_ id: UInt64) {
        guard let place = waits.firstIndex(where: { $0.id == id }),
            case .writing(let index) = waits[place].stage
        else { return }
        let mark = context.gateway.replica.raft.snapshotMark
        guard mark.index >= index, context.gateway.replica.restoring == nil,
            !context.gateway.replica.isSnapshotLost
        else {
            return context.gateway.step(.takeSnapshot(atLeast: index))
        }
        let name = SnapshotName(mark)
        if exports.contains(where: { $0.name == name }) { return answer(id, name) }
        let isOpening = waits.contains { $0.opening == name }
        let opening = Set(waits.compactMap(\.opening?.index))
        guard isOpening || exports.count + opening.count < APILimits.maxBackups else {
            return waits.remove(at: place).call.reply(Self.busy)
        }
        waits[place].stage = .opening(name)
        if !isOpening { context.facts.export(.open(name)) }
    }

    private func answer(_ id: UInt64, _ name: SnapshotName) {
        guard let place = waits.firstIndex(where: { $0.id == id }),
            let export = exports.firstIndex(where: { $0.name == name })
        else { return }
        exports[export].users += 1
        exports[export].usedAt = now
        let file = exports[export]
        waits.remove(at: place).call.reply { writer in
            writer.beginObject()
            writer.field("cluster", context.configuration.cluster)
            writer.field("node", context.node)
            writer.field("index", name.index)
            writer.field("term", name.term)
            writer.field("bytes", file.totalBytes)
            writer.field("checksum", ChecksumText.text(file.checksum))
            writer.endObject()
        }
    }

    private func expire(_ id: UInt64) {
        guard let place = waits.firstIndex(where: { $0.id == id }) else { return }
        waits.remove(at: place).call.reply(
            Problem(
                kind: .notReady, status: 503,
                detail: "The snapshot was not written in time. It is still being written.",
                retryAfterSeconds: APILimits.retryAfterSeconds))
    }

    /// Its file is no good. If it is the newest, another is written.
    private func replace(_ name: SnapshotName) {
        let mark = context.gateway.replica.raft.snapshotMark
        if SnapshotName(mark) == name { context.gateway.step(.snapshotDamaged(mark)) }
    }

    private func refuseOpening(_ name: SnapshotName, _ problem: Problem) {
        let refused = waits.filter { $0.opening == name }
        waits.removeAll { $0.opening == name }
        for wait in refused { wait.call.reply(problem) }
    }

    // MARK: Reading and ending

    private func read(_ call: Call) {
        var query = call.query
        let name = Self.name(&query)
        let offset = query.integer("offset", in: 0...Int.max) ?? 0
        let limit = query.integer("limit", in: 1...StorageLimits.maxSnapshotChunkBytes)
        query.finish()
        guard query.problems.isEmpty, let name else {
            return call.reply(Problem.invalid(query.problems))
        }
        guard let place = exports.firstIndex(where: { $0.name == name }) else {
            return call.reply(Self.lost)
        }
        guard reads.count < APILimits.maxBackupReads else { return call.reply(Self.busy) }
        exports[place].usedAt = now
        let token = newID()
        reads[token] = call
        context.facts.export(
            .read(
                name, offset: UInt64(offset), maxBytes: limit ?? APILimits.backupChunkBytes,
                token: token))
    }

    private func finish(_ call: Call) {
        var query = call.query
        let name = Self.name(&query)
        query.finish()
        guard query.problems.isEmpty, let name else {
            return call.reply(Problem.invalid(query.problems))
        }
        if let place = exports.firstIndex(where: { $0.name == name }) {
            exports[place].users -= 1
            if exports[place].users <= 0 { close(name) }
        }
        call.reply(HTTPResponse(status: 204))
    }

    private static func name(_ query: inout QueryReader) -> SnapshotName? {
        let index = query.integer("index", in: 0...Int.max)
        let term = query.integer("term", in: 0...Int.max)
        guard let index, let term else {
            if query.problems.isEmpty {
                query.problem(index == nil ? "index" : "term", "is required")
            }
            return nil
        }
        return SnapshotName(index: UInt64(index), term: UInt64(term))
    }

    private func close(_ name: SnapshotName) {
        exports.removeAll { $0.name == name }
        context.facts.export(.close(name))
    }

    /// Lets go of what nobody has asked for lately: a client that died says nothing.
    private func watch() {
        guard !isWatching, let oldest = exports.map(\.usedAt).min() else { return }
        isWatching = true
        context.facts.schedule(oldest + idleNanoseconds) { [weak self] in
            guard let self else { return }
            isWatching = false
            let limit = now
            for export in exports where export.usedAt + idleNanoseconds <= limit {
                close(export.name)
            }
            watch()
        }
    }

    private var now: Nanoseconds { context.facts.clock().monotonic }

    private func newID() -> UInt64 {
        lastID += 1
        return lastID
    }

    // MARK: Refusals

    private static let lost = Problem(
        kind: .gone, status: 410,
        detail: "This node does not hold that snapshot any more. Begin again with POST.")

    private static let busy = Problem(
        kind: .overloaded, status: 429,
        detail:
            "As many backups as may are being fetched from this node. Try another one, or later.",
        retryAfterSeconds: APILimits.backupRetryAfterSeconds)

    private static func damaged(_ error: StorageError) -> Problem {
        Problem(
            kind: .notReady, status: 503,
            detail:
                "The snapshot is damaged on this node's disk, and a new one is being written: \(error.finding).",
            retryAfterSeconds: APILimits.retryAfterSeconds)
    }
}
