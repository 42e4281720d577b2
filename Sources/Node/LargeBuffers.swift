import CLinux

/// Where the C library puts large buffers.
enum LargeBuffers {
    /// From this size on they are pages of their own, which the system gets back as soon as they are freed.
    private static let leastBytes: Int32 = 128 << 10
    /// Free memory at the end of the heap that stays there.
    private static let keptBytes: Int32 = 4 << 20

    /// The C library would raise the first bound to whatever size was freed once. Then the entries of a flood stand in the
    /// heap, among the tasks that they bring: a snapshot frees the entries, and leaves holes where they were. With a
    /// million waiting tasks that was a third of the resident memory.
    static func keepApart() {
        // What is refused costs memory and nothing else.
        _ = carillon_map_buffers(leastBytes, keptBytes)
    }
}
