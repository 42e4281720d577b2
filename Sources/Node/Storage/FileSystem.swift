/// What storage asks of the system below it. `LocalFileSystem` is this machine's own; the simulator brings
/// another, whose disks crash and fail on purpose.
///
/// Both keep to what POSIX promises and to nothing more. What was written is read back at once, but outlasts
/// a crash of the machine only after `OpenFile.sync`. That a file is there, has this name or is gone outlasts
/// it only after `syncDirectory`. No call is ever repeated after an error: nobody knows what it left behind.
package protocol FileSystem: Sendable {
    /// Stands in lock files, so that an operator finds the process that holds them.
    var processID: Int32 { get }

    func open(_ path: String, mode: StorageFile.Mode) throws(StorageError) -> any OpenFile

    /// Whether a file or directory of that name is there.
    func exists(_ path: String) -> Bool

    /// The parent must be there. Does nothing if the directory is there already.
    func createDirectory(_ path: String) throws(StorageError)

    /// What is in the directory, in any order.
    func names(in directory: String) throws(StorageError) -> [String]

    /// Replaces `target` if it exists.
    func rename(_ path: String, to target: String) throws(StorageError)

    /// Open files keep their content.
    func remove(_ path: String) throws(StorageError)

    /// Makes every name that was created, changed or removed in it durable.
    func syncDirectory(_ path: String) throws(StorageError)
}

/// A file of a `FileSystem`, closed when it is released.
package protocol OpenFile: AnyObject, Sendable {
    func sizeBytes() throws(StorageError) -> Int

    /// Writes all of `bytes[range]`; the file grows as needed.
    func write(_ bytes: [UInt8], range: Range<Int>, at offset: Int) throws(StorageError)

    /// Up to `count` bytes from `offset` on; fewer only at the end of the file.
    func read(count: Int, at offset: Int) throws(StorageError) -> [UInt8]

    func truncate(toBytes count: Int) throws(StorageError)

    /// Hands to the system what a file opened with `append` has gathered.
    func flush() throws(StorageError)

    /// Makes the data durable, and of the metadata what is needed to read it back.
    func sync() throws(StorageError)

    /// Locks the file against every other opening of it, until this one is closed; false if another has it.
    func lock() throws(StorageError) -> Bool
}

extension OpenFile {
    package func flush() throws(StorageError) {}
}
