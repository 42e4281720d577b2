import Synchronization

/// Memory that a disk can read by itself. One that is given back serves again: a fresh one would be cleared page by page, with
/// every new segment of the log.
///
/// Unchecked, but sound: it has one owner at a time, who gives it back when nothing of it is in use.
final class AlignedBuffer: @unchecked Sendable {
    static let bytes = 1 << 20
    private static let maxKept = 2
    private static let kept = Mutex<[AlignedBuffer]>([])

    private let memory: UnsafeMutableRawBufferPointer

    private init() {
        memory = .allocate(byteCount: Self.bytes, alignment: BlockWindow.blockBytes)
    }

    deinit {
        memory.deallocate()
    }

    static func take() -> AlignedBuffer {
        kept.withLock { $0.popLast() } ?? AlignedBuffer()
    }

    func giveBack() {
        Self.kept.withLock { if $0.count < Self.maxKept { $0.append(self) } }
    }

    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[range])
    }

    func copy(_ bytes: UnsafeRawBufferPointer, to offset: Int) {
        guard !bytes.isEmpty else { return }
        UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + bytes.count])
            .copyMemory(from: bytes)
    }

    func clear(_ range: Range<Int>) {
        UnsafeMutableRawBufferPointer(rebasing: memory[range])
            .initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// To the front; the ranges may overlap.
    func move(_ range: Range<Int>) {
        UnsafeMutableRawBufferPointer(rebasing: memory[..<range.count])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[range]))
    }
}
