import CLinux

/// What the process does with memory that it has freed.
enum FreedMemory {
    /// Less than this stays with the process.
    static let keptBytes: Int32 = 16 << 20

    /// A request with a thousand tasks goes through buffers of hundreds of kilobytes each: body, commands, entry, frames.
    /// The C library gives such a buffer back to the system as soon as it is freed, and the next one of that size costs
    /// a fault and 4,096 zeros for each of its pages: a fourth of the time of a node under such a load.
    static func keep() {
        // What is refused costs time and nothing else.
        _ = carillon_keep_freed_memory(keptBytes)
    }
}
