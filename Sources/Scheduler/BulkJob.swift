/// One action on all tasks that match a filter.
public struct BulkSpec: Equatable, Sendable {
    public var action: Action
    /// Among the states that it names are only those that count in which the action is possible; nil: all of these.
    public var filter: TaskFilter
    /// At most so many tasks; nil: all.
    public var limit: UInt64?
    /// The client's idempotency key: while the job is kept, the same key means the same job.
    public var key: String?

    public init(
        _ action: Action, _ filter: TaskFilter, limit: UInt64? = nil, key: String? = nil
    ) {
        self.action = action
        self.filter = filter
        self.limit = limit
        self.key = key
    }

    /// Whose tasks it is about, and to whom it belongs.
    public var namespace: Namespace { filter.namespace ?? .standard }

    public enum Action: UInt8, Sendable, CaseIterable {
        case cancel = 0
        case retry = 1
        case delete = 2

        /// States in which it is possible.
        public var states: [TaskState] {
            switch self {
            case .cancel: TaskState.allCases.filter { !$0.isFinal }
            case .retry: [.dead, .cancelled, .expired]
            case .delete: TaskState.allCases.filter(\.isFinal)
            }
        }
    }
}

/// Names a bulk job.
public struct BulkJobID: Hashable, Sendable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    /// Parses `description`; nil if the text is not a job's id.
    public init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "b"), let task = TaskID("t" + text.dropFirst())
        else { return nil }
        number = task.number
    }

    public var description: String { "b\(number)" }
}

/// How far a bulk action has come. It is part of the state, and goes on in portions, an entry each (`Scheduler+BulkJobs`):
/// whoever leads goes on where the former leader stopped, and no task is met twice.
struct BulkJob: Equatable, Sendable {
    enum State: UInt8, Sendable, CaseIterable {
        case running = 0
        /// All tasks were looked at, or as many met as the limit says.
        case done = 1
        case stopped = 2
    }

    let number: UInt64
    let spec: BulkSpec
    let createdAt: Milliseconds
    /// Tasks from this number on were submitted later, and are left alone.
    let end: UInt64
    /// The lowest number of a task when it began.
    let begin: UInt64
    /// Tasks below this number have not been looked at in this pass.
    var cursor: UInt64
    /// What runs is cancelled in a pass of its own, when nothing of what waits is left: a slot that gets free must not start
    /// a task that is about to be cancelled.
    var isLastPass: Bool
    var met: UInt64 = 0
    var state = State.running
    var finishedAt: Milliseconds = 0

    init(
        number: UInt64, _ spec: BulkSpec, createdAt: Milliseconds, begin: UInt64, end: UInt64
    ) {
        self.number = number
        self.spec = spec
        self.createdAt = createdAt
        self.begin = begin
        self.end = end
        cursor = end
        isLastPass = !Self.hasTwoPasses(spec)
    }

    private static func states(_ spec: BulkSpec) -> [TaskState] {
        guard let wanted = spec.filter.states else { return spec.action.states }
        return spec.action.states.filter(wanted.contains)
    }

    private static func hasTwoPasses(_ spec: BulkSpec) -> Bool {
        let states = states(spec)
        return states.contains(.running) && states.count > 1
    }

    /// What this pass looks for.
    var filter: TaskFilter {
        var filter = spec.filter
        let states = Self.states(spec)
        filter.states = isLastPass ? states : states.filter { $0 != .running }
        return filter
    }

    /// Tasks that it may still meet.
    var rest: UInt64 { (spec.limit ?? .max) - met }

    /// Of a hundred.
    var progress: Int {
        guard state != .done else { return 100 }
        guard end > begin else { return 0 }
        let passed = Int((end - max(begin, cursor)) * 100 / (end - begin))
        guard Self.hasTwoPasses(spec) else { return passed }
        return isLastPass ? 50 + passed / 2 : passed / 2
    }
}

/// A bulk job as clients see it.
public struct BulkJobView: Equatable, Sendable {
    public var id: BulkJobID
    public var spec: BulkSpec
    public var state: State
    /// Tasks that it was done to.
    public var met: UInt64
    /// Of a hundred.
    public var progress: Int
    /// It ended by its limit: there may be more tasks that match.
    public var hasMore: Bool
    public var createdAt: Milliseconds
    public var finishedAt: Milliseconds?

    public enum State: String, Sendable {
        case running
        case done
        case stopped
    }
}

/// Jobs that go on, and the last ones that have ended, in the order in which they began.
struct BulkJobTable: Equatable, Sendable {
    private(set) var next: UInt64 = 1
    private(set) var jobs: [BulkJob] = []

    init() {}

    init(next: UInt64, jobs: [BulkJob]) {
        self.next = next
        self.jobs = jobs
    }

    var runningCount: Int { jobs.count { $0.state == .running } }

    /// The place of the one that goes on: one after the other.
    var firstRunning: Int? { jobs.firstIndex { $0.state == .running } }

    subscript(place: Int) -> BulkJob { jobs[place] }

    func place(of number: UInt64) -> Int? { jobs.firstIndex { $0.number == number } }

    /// A key means something within its namespace only.
    func place(ofKey key: String, in namespace: Namespace) -> Int? {
        jobs.firstIndex { job in
            job.spec.namespace == namespace
                && job.spec.key.map { $0.utf8.elementsEqual(key.utf8) } ?? false
        }
    }

    /// `job` has the number `next`.
    mutating func append(_ job: BulkJob) {
        precondition(job.number == next)
        next += 1
        jobs.append(job)
    }

    /// The job has come further, or has ended: of those that have, the oldest go, and places change.
    mutating func replace(_ place: Int, _ job: BulkJob) {
        precondition(jobs[place].number == job.number)
        jobs[place] = job
        while jobs.count - runningCount > Limits.maxEndedBulkJobs,
            let oldest = jobs.firstIndex(where: { $0.state != .running })
        {
            jobs.remove(at: oldest)
        }
    }
}

/// ```
/// bulk spec  action u8 · filter (`TaskFilter`) · limit (bool · i64) · key (bool · string)
/// bulk job   number u64 · spec · createdAt i64 · begin u64 · end u64 · cursor u64 · isLastPass bool · met u64
///            · state u8 (0 running | 1 done | 2 stopped) · finishedAt i64
/// jobs       next u64 · count u32 · job…, by number
/// ```
extension BulkSpec {
    /// Tells whether two are the same.
    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 128)
        encode(into: &writer)
        return writer.bytes
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(action.rawValue)
        filter.encode(into: &writer)
        writer.put(limit.map { Int64(bitPattern: $0) })
        writer.put(key)
    }

    /// Throws if the bytes are damaged or a value is over its limit.
    init(from reader: inout ByteReader) throws(CodecError) {
        let byte = try reader.byte()
        guard let action = Action(rawValue: byte) else {
            throw CodecError("\(byte) is not a bulk action")
        }
        self.action = action
        filter = try TaskFilter(from: &reader)
        limit = try reader.optionalInt64().map { UInt64(bitPattern: $0) }
        guard limit ?? 1 > 0 else { throw CodecError("a limit of none") }
        key = try reader.optionalString()
        if let key, !(1...Limits.maxKeyBytes).contains(key.utf8.count) {
            throw CodecError("a key of \(key.utf8.count) bytes is not allowed")
        }
    }
}

extension BulkJob {
    func encode(into writer: inout ByteWriter) {
        writer.put(number)
        spec.encode(into: &writer)
        writer.put(createdAt)
        writer.put(begin)
        writer.put(end)
        writer.put(cursor)
        writer.put(isLastPass)
        writer.put(met)
        writer.put(state.rawValue)
        writer.put(finishedAt)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let number = try reader.uint64()
        let spec = try BulkSpec(from: &reader)
        let createdAt = try reader.instant("creation time")
        let begin = try reader.uint64()
        let end = try reader.uint64()
        self.init(number: number, spec, createdAt: createdAt, begin: begin, end: end)
        cursor = try reader.uint64()
        isLastPass = try reader.bool()
        met = try reader.uint64()
        let byte = try reader.byte()
        guard let state = State(rawValue: byte) else {
            throw CodecError("\(byte) is not a job's state")
        }
        self.state = state
        finishedAt = try reader.instant("end")
        guard number < 1 << 62, end < 1 << 56, begin <= end, cursor <= end,
            met <= spec.limit ?? .max
        else { throw CodecError("a bulk job's numbers are not plausible") }
    }
}

extension BulkJobTable {
    func encode(into writer: inout ByteWriter) {
        writer.put(next)
        writer.put(UInt32(jobs.count))
        for job in jobs { job.encode(into: &writer) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let next = try reader.uint64()
        var jobs: [BulkJob] = []
        let count = try reader.count(minimumBytes: 64)
        guard next < 1 << 62, count <= Limits.maxEndedBulkJobs + Limits.maxRunningBulkJobs else {
            throw CodecError("\(count) bulk jobs are too many")
        }
        for _ in 0..<count {
            let job = try BulkJob(from: &reader)
            guard jobs.last.map({ $0.number < job.number }) ?? true, job.number < next else {
                throw CodecError("bulk jobs are not in order")
            }
            jobs.append(job)
        }
        self.init(next: next, jobs: jobs)
    }
}
