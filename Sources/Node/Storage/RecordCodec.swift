import Raft
import Scheduler

/// One step of a batch, as it is read back.
enum LogRecord: Equatable, Sendable {
    case hardState(HardState)
    case snapshot(SnapshotMark, resetsLog: Bool)
    case truncate(from: Index)
    case entry(Entry)
    /// The entry at `index` is the first of a term.
    case termStart(index: Index, term: Term)
}

/// What a record is; the numbers are on disk.
enum RecordKind: UInt8 {
    case hardState = 1
    case snapshot = 2
    case truncate = 3
    case noop = 4
    case command = 5
    case configuration = 6
    case termStart = 7

    var isEntry: Bool { self == .noop || self == .command || self == .configuration }
}

/// The payloads of records, little-endian, strings with a 32-bit length in front:
///
///     hard state      vote                                    (header: term)
///     snapshot        u8 resets the log, configuration        (header: index and term of the mark)
///     truncate        nothing                                 (header: first index that goes)
///     noop            nothing                                 (header: index, term)
///     command         opaque                                  (header: index, term)
///     configuration   configuration                           (header: index, term)
///     term start      nothing                                 (header: index of its first entry, term)
///
/// Votes and configurations stand as in `RaftCodec.swift`.
enum RecordCodec {
    static func encode(_ hardState: HardState) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(hardState.vote)
        return writer.bytes
    }

    static func encode(_ mark: SnapshotMark, resetsLog: Bool) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(resetsLog)
        writer.put(mark.configuration)
        return writer.bytes
    }

    static func encode(_ configuration: Configuration) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(configuration)
        return writer.bytes
    }

    static func decode(
        _ kind: RecordKind, index: Index, term: Term, payload: [UInt8]
    ) throws(CodecError) -> LogRecord {
        // A command's bytes are handed on as they are, without a second copy.
        if kind == .command {
            return .entry(Entry(index: index, term: term, payload: .command(payload)))
        }
        var reader = ByteReader(payload)
        let record: LogRecord
        switch kind {
        case .hardState:
            record = .hardState(HardState(term: term, vote: try reader.vote()))
        case .snapshot:
            let resetsLog = try reader.bool()
            let mark = SnapshotMark(
                index: index, term: term, configuration: try reader.configuration())
            record = .snapshot(mark, resetsLog: resetsLog)
        case .truncate:
            record = .truncate(from: index)
        case .termStart:
            record = .termStart(index: index, term: term)
        case .noop, .command:
            record = .entry(Entry(index: index, term: term, payload: .noop))
        case .configuration:
            let configuration = try reader.configuration()
            record = .entry(
                Entry(index: index, term: term, payload: .configuration(configuration)))
        }
        guard reader.remaining == 0 else {
            throw CodecError("\(reader.remaining) bytes too many in a record")
        }
        return record
    }
}
