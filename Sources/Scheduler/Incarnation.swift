/// Numbers for the lives of a name: of a node, which is a request's origin, and of its worker.
///
///     0 u1 · directory u31 · start u32
///
/// An attached worker's life, whose first bit is set, is its session.
///
/// `directory` is taken from the number of the data directory, `start` counts the starts with it. So a number is used
/// once, whatever a clock shows: within a directory the later start has the higher one, and of two directories the
/// state machine knows which is the member's (`Scheduler.isCurrent`). That two directories of one name look alike
/// happens once in two thousand million replacements; then the newcomer is refused as an old copy would be.
public enum Incarnation {
    private static let directoryBits: UInt64 = 0x7fff_ffff
    private static let startBits: UInt64 = 0xffff_ffff

    /// - Parameters:
    ///   - directory: the number of the data directory, as in `Member`.
    ///   - start: the first start with that directory is 1.
    public static func number(directory: UInt64, start: UInt64) -> UInt64 {
        (directory & directoryBits) << 32 | start & startBits
    }

    /// The life of a worker that is attached over HTTP: its session, `1 u1 · log index u63`. It is no node, so it has no
    /// directory; the log alone says which session is the later one.
    static func session(beginningAt index: UInt64) -> UInt64 { sessionBit | index }

    /// Whether a worker is attached, and no node's own.
    public static func isSession(_ incarnation: UInt64) -> Bool { incarnation & sessionBit != 0 }

    private static let sessionBit: UInt64 = 1 << 63

    static func isOf(directory: UInt64, _ incarnation: UInt64) -> Bool {
        incarnation >> 32 == directory & directoryBits
    }

    /// Two lives with one directory never overlap: the later process has found it unlocked.
    public static func areOfOneDirectory(_ left: UInt64, _ right: UInt64) -> Bool {
        left >> 32 == right >> 32
    }
}
