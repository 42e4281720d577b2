import Glibc

/// A file descriptor with one owner, closed when the owner lets go of it.
///
/// Not copyable: a number closed twice would close whatever file got the number in between.
struct Descriptor: ~Copyable, Sendable {
    let number: Int32

    /// Takes ownership of an open descriptor.
    init(adopting number: Int32) {
        precondition(number >= 0)
        self.number = number
    }

    deinit {
        // Linux releases the number even if close reports EINTR or EIO; trying again would be a bug.
        _ = Glibc.close(number)
    }

    /// Hands the number to another owner, who has to close it.
    consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }
}
