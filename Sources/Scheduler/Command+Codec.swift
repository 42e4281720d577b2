/// ```
/// command   version u8 = 1 · kind u8 · fields
/// finish    task u64 · attempt u32 · fence u64 · result u8 (0 succeeded · blob | 1 failed · message string
///           · kind string · isRetryable bool · retryAfter (bool · i64) | 2 returned | 3 stored · output, see `StoredOutput`)
///           · log (bool · bytes u32 · node string) · hasBegun bool
/// worker    id string · incarnation u64 · slots u32 · handlers (count u32 · strings) · tags (count u32 · strings)
/// workflow  first task u64; `GraphSpec` says what a graph is
/// progress  task u64 · attempt u32 · fence u64 · percent (bool · u8) · note (bool · string)
/// paused    bool, whether it is said · bool, if it is; of schedules and queues that are put
/// members   count u32 · members; `Member` and `NodeRecord` say what a member and a node are
/// ```
/// The other commands carry their fields in the order of their declaration. A command never extends beyond the
/// length that its entry gives it, so a damaged one harms no other.
extension Command {
    static let version: UInt8 = 1

    enum Kind: UInt8 {
        case submit = 1
        case cancel = 2
        case retry = 3
        case finish = 4
        case putSchedule = 5
        case pauseSchedule = 6
        case resumeSchedule = 7
        case triggerSchedule = 8
        case deleteSchedule = 9
        case registerWorker = 10
        case drainWorker = 11
        case undrainWorker = 12
        case workerLost = 13
        case advance = 14
        case adoptMembers = 15
        case addMember = 16
        case removeMember = 17
        case announceNode = 18
        case raiseStateVersion = 19
        case startBackfill = 24
        case cancelBackfill = 25
        case fillBack = 26
        case setRetention = 33
        case dropExported = 34
        case noteLog = 70
        case putQueue = 30
        case pauseQueue = 31
        case resumeQueue = 32
        case resetQueue = 35
        case submitGraph = 40
        case cancelWorkflow = 41
        case deleteTask = 60
        case beginBulkJob = 61
        case stopBulkJob = 62
        case attachWorker = 50
        case reportProgress = 51
        case putTemplate = 75
        case deleteTemplate = 76
        case putNamespace = 77
        case deleteNamespace = 78
    }

    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: capacityHint)
        writer.put(Self.version)
        writer.put(kind.rawValue)
        switch self {
        case .submit(let spec): spec.encode(into: &writer)
        case .cancel(let task), .retry(let task), .deleteTask(let task): writer.put(task.number)
        case .finish(let finish): finish.encode(into: &writer)
        case .putSchedule(let name, let spec, let paused, let next, let replacing):
            writer.put(name)
            spec.encode(into: &writer)
            writer.put(paused != nil)
            if let paused { writer.put(paused) }
            writer.put(next)
            writer.put(replacing != nil)
            replacing?.encode(into: &writer)
        case .resumeSchedule(let name, let resumption):
            writer.put(name)
            resumption.encode(into: &writer)
        case .triggerSchedule(let name, let key):
            writer.put(name)
            writer.put(key)
        case .pauseSchedule(let name), .deleteSchedule(let name), .cancelBackfill(let name),
            .pauseQueue(let name), .resumeQueue(let name), .resetQueue(let name):
            writer.put(name)
        case .registerWorker(let spec): spec.encode(into: &writer)
        case .drainWorker(let id, let incarnation), .undrainWorker(let id, let incarnation),
            .workerLost(let id, let incarnation):
            writer.put(id)
            writer.put(incarnation)
        case .advance(let firings):
            writer.put(UInt32(firings.count))
            for firing in firings { firing.encode(into: &writer) }
        case .adoptMembers(let members):
            writer.put(UInt32(members.count))
            for member in members { member.encode(into: &writer) }
        case .addMember(let node), .announceNode(let node): node.encode(into: &writer)
        case .removeMember(let name, let directory):
            writer.put(name)
            writer.put(directory)
        case .raiseStateVersion(let version): writer.put(version)
        case .submitGraph(let graph): graph.encode(into: &writer)
        case .cancelWorkflow(let id): writer.put(id.first.number)
        case .putQueue(let name, let spec, let paused, let isInitial):
            writer.put(name)
            spec.encode(into: &writer)
            writer.put(paused != nil)
            if let paused { writer.put(paused) }
            writer.put(isInitial)
        case .attachWorker(let spec, let key):
            spec.encode(into: &writer)
            writer.put(key)
        case .reportProgress(let report): report.encode(into: &writer)
        case .beginBulkJob(let spec): spec.encode(into: &writer)
        case .stopBulkJob(let id): writer.put(id.number)
        case .startBackfill(let name, let revision, let backfill):
            writer.put(name)
            writer.put(revision)
            backfill.encode(into: &writer)
        case .fillBack(let portion): portion.encode(into: &writer)
        case .setRetention(let retention): retention.encode(into: &writer)
        case .putTemplate, .deleteTemplate, .putNamespace, .deleteNamespace:
            encodeSpace(into: &writer)
        case .dropExported(let departures): departures.encode(into: &writer)
        case .noteLog(let report): report.encode(into: &writer)
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        let kind = try Self.kind(from: &reader)
        try self.init(kind, from: &reader)
    }

    static func kind(from reader: inout ByteReader) throws(CodecError) -> Kind {
        let version = try reader.byte()
        guard version == Self.version else {
            throw CodecError("command version \(version) is not known to this program")
        }
        let byte = try reader.byte()
        guard let kind = Kind(rawValue: byte) else {
            throw CodecError("command \(byte) is not known to this program")
        }
        return kind
    }

    /// Reads the fields, up to the reader's end.
    init(_ kind: Kind, from reader: inout ByteReader) throws(CodecError) {
        switch kind {
        case .submit: self = .submit(try TaskSpec(from: &reader))
        case .cancel: self = .cancel(TaskID(try reader.uint64()))
        case .retry: self = .retry(TaskID(try reader.uint64()))
        case .deleteTask: self = .deleteTask(TaskID(try reader.uint64()))
        case .finish: self = .finish(try Finish(from: &reader))
        case .putSchedule, .pauseSchedule, .resumeSchedule, .triggerSchedule, .deleteSchedule:
            try self.init(schedule: kind, from: &reader)
        case .registerWorker: self = .registerWorker(try WorkerSpec(from: &reader))
        case .drainWorker:
            let id = try reader.name("worker")
            self = .drainWorker(id: id, incarnation: try reader.uint64())
        case .undrainWorker:
            let id = try reader.name("worker")
            self = .undrainWorker(id: id, incarnation: try reader.uint64())
        case .workerLost:
            let id = try reader.name("worker")
            self = .workerLost(id: id, incarnation: try reader.uint64())
        case .advance:
            let count = try reader.count(minimumBytes: 26)
            var firings: [Firing] = []
            firings.reserveCapacity(count)
            for _ in 0..<count { firings.append(try Firing(from: &reader)) }
            self = .advance(firings)
        case .adoptMembers: self = .adoptMembers(try [Member](sortedFrom: &reader))
        case .addMember: self = .addMember(try NodeRecord(from: &reader))
        case .removeMember:
            self = .removeMember(
                name: try reader.name("member"), directory: try reader.uint64())
        case .announceNode: self = .announceNode(try NodeRecord(from: &reader))
        case .raiseStateVersion: self = .raiseStateVersion(try reader.uint32())
        case .submitGraph: self = .submitGraph(try GraphSpec(from: &reader))
        case .cancelWorkflow:
            let first = try reader.uint64()
            guard first < 1 << 62 else { throw CodecError("\(first) is not a workflow") }
            self = .cancelWorkflow(WorkflowID(first: TaskID(first)))
        case .putQueue:
            let name = try reader.name("queue")
            let spec = try QueueSpec(from: &reader)
            let paused = try reader.bool() ? try reader.bool() : nil
            self = .putQueue(name: name, spec, paused: paused, isInitial: try reader.bool())
        case .pauseQueue: self = .pauseQueue(name: try reader.name("queue"))
        case .resumeQueue: self = .resumeQueue(name: try reader.name("queue"))
        case .resetQueue: self = .resetQueue(name: try reader.name("queue"))
        case .attachWorker:
            let spec = try WorkerSpec(from: &reader)
            self = .attachWorker(spec, key: try reader.optionalKey())
        case .reportProgress: self = .reportProgress(try ProgressReport(from: &reader))
        case .beginBulkJob: self = .beginBulkJob(try BulkSpec(from: &reader))
        case .stopBulkJob: self = .stopBulkJob(BulkJobID(try reader.uint64()))
        case .startBackfill:
            let name = try reader.string()
            let revision = try reader.uint64()
            self = .startBackfill(name: name, revision: revision, try Backfill(from: &reader))
        case .cancelBackfill: self = .cancelBackfill(name: try reader.string())
        case .fillBack: self = .fillBack(try BackfillPortion(from: &reader))
        case .setRetention: self = .setRetention(try Retention(from: &reader))
        case .putTemplate, .deleteTemplate, .putNamespace, .deleteNamespace:
            try self.init(space: kind, from: &reader)
        case .dropExported: self = .dropExported(try [Departure](from: &reader))
        case .noteLog: self = .noteLog(try LogReport(from: &reader))
        }
        guard reader.remaining == 0 else {
            throw CodecError("\(reader.remaining) bytes behind a command")
        }
    }

    private init(schedule kind: Kind, from reader: inout ByteReader) throws(CodecError) {
        let name = try reader.string()
        switch kind {
        case .putSchedule:
            let spec = try ScheduleSpec(from: &reader)
            let paused = try reader.bool() ? try reader.bool() : nil
            let next = try reader.optionalInstant("next occurrence")
            let replacing = try reader.bool() ? try Replacement(from: &reader) : nil
            self = .putSchedule(
                name: name, spec, paused: paused, next: next, replacing: replacing)
        case .resumeSchedule:
            self = .resumeSchedule(name: name, try Resumption(from: &reader))
        case .triggerSchedule:
            self = .triggerSchedule(name: name, key: try reader.optionalKey())
        case .deleteSchedule: self = .deleteSchedule(name: name)
        default: self = .pauseSchedule(name: name)
        }
    }

    private var kind: Kind {
        switch self {
        case .submit: .submit
        case .cancel: .cancel
        case .retry: .retry
        case .deleteTask: .deleteTask
        case .finish: .finish
        case .putSchedule: .putSchedule
        case .pauseSchedule: .pauseSchedule
        case .resumeSchedule: .resumeSchedule
        case .triggerSchedule: .triggerSchedule
        case .deleteSchedule: .deleteSchedule
        case .registerWorker: .registerWorker
        case .drainWorker: .drainWorker
        case .undrainWorker: .undrainWorker
        case .workerLost: .workerLost
        case .advance: .advance
        case .adoptMembers: .adoptMembers
        case .addMember: .addMember
        case .removeMember: .removeMember
        case .announceNode: .announceNode
        case .raiseStateVersion: .raiseStateVersion
        case .submitGraph: .submitGraph
        case .cancelWorkflow: .cancelWorkflow
        case .putQueue: .putQueue
        case .pauseQueue: .pauseQueue
        case .resumeQueue: .resumeQueue
        case .resetQueue: .resetQueue
        case .attachWorker: .attachWorker
        case .reportProgress: .reportProgress
        case .beginBulkJob: .beginBulkJob
        case .stopBulkJob: .stopBulkJob
        case .startBackfill: .startBackfill
        case .cancelBackfill: .cancelBackfill
        case .fillBack: .fillBack
        case .setRetention: .setRetention
        case .putTemplate: .putTemplate
        case .deleteTemplate: .deleteTemplate
        case .putNamespace: .putNamespace
        case .deleteNamespace: .deleteNamespace
        case .dropExported: .dropExported
        case .noteLog: .noteLog
        }
    }

    private var capacityHint: Int {
        switch self {
        case .submit(let spec): spec.payload.count + 192
        case .finish(let finish):
            if case .succeeded(let result) = finish.result { result.count + 40 } else { 128 }
        case .putTemplate(let name, let body): name.utf8.count + body.count + 16
        default: 64
        }
    }
}

extension Resumption {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.put(revision)
        writer.put(expectedNext)
        writer.put(skipped)
        writer.put(next)
        writer.put(zoneData)
    }

    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            revision: try reader.uint64(),
            expectedNext: try reader.optionalInstant("kept occurrence"),
            skipped: try reader.uint32(), next: try reader.optionalInstant("next occurrence"),
            zoneData: try reader.zoneData())
    }
}

extension ByteReader {
    fileprivate mutating func optionalKey() throws(CodecError) -> String? {
        let key = try optionalString()
        guard (1...Limits.maxKeyBytes).contains(key?.utf8.count ?? 1) else {
            throw CodecError("a key of \(key?.utf8.count ?? 0) bytes is not allowed")
        }
        return key
    }
}

extension Finish {
    func encode(into writer: inout ByteWriter) {
        writer.put(task.number)
        writer.put(attempt)
        writer.put(fence)
        switch result {
        case .succeeded(let bytes):
            writer.put(UInt8(0))
            writer.put(bytes)
        case .failed(let failure):
            writer.put(UInt8(1))
            writer.put(failure.message)
            writer.put(failure.kind)
            writer.put(failure.isRetryable)
            writer.put(failure.retryAfterMilliseconds)
        case .returned:
            writer.put(UInt8(2))
        case .stored(let output):
            writer.put(UInt8(3))
            output.encode(into: &writer)
        }
        writer.put(log != nil)
        if let log {
            writer.put(log.bytes)
            writer.put(log.node)
        }
        writer.put(hasBegun)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        task = TaskID(try reader.uint64())
        attempt = try reader.uint32()
        fence = try reader.uint64()
        switch try reader.byte() {
        case 0: result = .succeeded(try reader.blob())
        case 1:
            let message = try reader.string()
            let kind = try reader.string()
            let isRetryable = try reader.bool()
            result = .failed(
                AttemptResult.Failure(
                    message: message, kind: kind, isRetryable: isRetryable,
                    retryAfterMilliseconds: try reader.optionalInt64()))
        case 2: result = .returned
        case 3: result = .stored(try StoredOutput(from: &reader))
        case let other: throw CodecError("\(other) is not a result")
        }
        if try reader.bool() {
            let bytes = try reader.uint32()
            log = Log(bytes: bytes, node: try reader.string())
        }
        hasBegun = try reader.bool()
    }
}

extension WorkerSpec {
    func encode(into writer: inout ByteWriter) {
        writer.put(id)
        writer.put(incarnation)
        writer.put(slots)
        writer.put(handlers)
        writer.put(tags)
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        id = try reader.name("worker")
        incarnation = try reader.uint64()
        slots = try reader.uint32()
        guard slots <= Limits.maxSlotsPerWorker else {
            throw CodecError("\(slots) slots are too many")
        }
        handlers = try reader.names("handlers", limit: Limits.maxHandlersPerWorker)
        tags = try reader.names("tags", limit: Limits.maxTags)
    }
}
