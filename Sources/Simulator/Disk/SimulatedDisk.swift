import Glibc
import Node
import Synchronization

/// A disk with a file system on it, in memory, whose machine can lose power at any moment and which does wrong
/// what it is told to. Everything that is left to chance comes from one seed.
///
/// - Losing power: any subset of the sectors that were written and not synced is on the platter, so a write
///   of several sectors may be torn anywhere; the same for the size of a file. Of the changes of names in a
///   directory that was not synced any subset has happened.
/// - Ending the process loses nothing: the kernel goes on holding what was written.
/// - Cut power: after a given number of further changes every call fails, as none would return in reality;
///   then the node has to be taken for crashed. So a crash can fall between any two steps of the code above.
final class SimulatedDisk: FileSystem {
    private let state: Mutex<State>

    init(random: RandomSource) {
        state = Mutex(State(random: random))
    }

    // MARK: Faults

    /// The next operation that can suffer from this fault does.
    func arm(_ fault: DiskFault) { state.withLock { $0.armed = fault } }

    /// The disk does what it should from now on; what was damaged stays so.
    func heal() {
        state.withLock { state in
            state.armed = nil
            state.changesLeft = nil
        }
    }

    /// How often each fault has struck.
    var strikes: [DiskFault: Int] { state.withLock { $0.strikes } }

    /// How often its machine lost power.
    var powerLosses: Int { state.withLock { $0.powerLosses } }

    /// How often a call was made to fail.
    var errorCount: Int { state.withLock { $0.errorCount } }

    /// The power fails after this many further changes of the disk.
    func cutPower(afterChanges count: Int) { state.withLock { $0.changesLeft = count } }

    var isPowerCut: Bool { state.withLock { $0.isPowerCut } }

    /// The machine loses power, if `cutPower` has not done that already, and has it again.
    func losePower() { state.withLock { $0.losePower() } }

    /// The process ended; the machine goes on. Now and then the kernel needs the room for its cache.
    func endProcess() { state.withLock { $0.endProcess() } }

    /// Damages one place of a file whose path, without the root, `isTarget` names. `fault` is one of
    /// `DiskFault.damages`. Says where; nil if nothing fits.
    func damage(_ fault: DiskFault, where isTarget: (String) -> Bool) -> String? {
        state.withLock { $0.damage(fault, where: isTarget) }
    }

    /// From now on no page of the file in this range can be read, until it is written again.
    func spoil(_ path: String, _ range: Range<Int>) { state.withLock { $0.spoil(path, range) } }

    func wipe() { state.withLock { $0.wipe() } }

    /// Bytes written by all calls so far.
    var writtenBytes: Int { state.withLock { $0.writtenBytes } }

    // MARK: File system

    var processID: Int32 { 1 }

    func open(_ path: String, mode: StorageFile.Mode) throws(StorageError) -> any OpenFile {
        try state.withLock { state throws(StorageError) in
            let (number, handle) = try state.open(path, mode)
            return SimulatedFile(
                disk: self, number: number, handle: handle, path: path, mode: mode)
        }
    }

    func exists(_ path: String) -> Bool { state.withLock { $0.entry(path) != nil } }

    func createDirectory(_ path: String) throws(StorageError) {
        try state.withLock { state throws(StorageError) in try state.createDirectory(path) }
    }

    func names(in directory: String) throws(StorageError) -> [String] {
        try state.withLock { state throws(StorageError) in
            state.tree.names(in: try state.directory(directory))
        }
    }

    func rename(_ path: String, to target: String) throws(StorageError) {
        try state.withLock { state throws(StorageError) in try state.rename(path, to: target) }
    }

    func remove(_ path: String) throws(StorageError) {
        try state.withLock { state throws(StorageError) in try state.remove(path) }
    }

    func syncDirectory(_ path: String) throws(StorageError) {
        try state.withLock { state throws(StorageError) in try state.syncDirectory(path) }
    }

    // MARK: For open files

    func withState<Result: Sendable>(
        _ body: (inout State) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try state.withLock { state throws(StorageError) in try body(&state) }
    }

    func close(_ number: Int, handle: Int) {
        state.withLock { $0.close(number, handle: handle) }
    }
}
