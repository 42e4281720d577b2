import Scheduler

/// A `ResultDirectory` behind a thread of its own: a disk that is slow must not hold the loop.
final class DirectoryStore: ResultStore {
    private enum Output: Sendable {
        case bytes(Result<[UInt8], StoreFailure>)
        case files(Result<[StoredFile], StoreFailure>)
        case removed(StoreFailure?)
    }

    let node: String
    private let directory: ResultDirectory
    private let thread: BackgroundThread<Output>

    init(_ directory: ResultDirectory, node: String, loop: Loop) throws(IOError) {
        self.node = node
        self.directory = directory
        thread = try BackgroundThread(loop: loop, name: "carillon-result")
    }

    func put(
        _ name: StoredName, _ bytes: [UInt8], isDurable: Bool,
        then: @escaping (Result<[UInt8], StoreFailure>) -> Void
    ) {
        run(then) { directory throws(StoreFailure) in
            try directory.put(name, bytes, isDurable: isDurable)
        }
    }

    func get(
        _ name: StoredName, checksum: [UInt8]?,
        then: @escaping (Result<[UInt8], StoreFailure>) -> Void
    ) {
        run(then) { directory throws(StoreFailure) in try directory.get(name, checksum: checksum) }
    }

    private func run(
        _ then: @escaping (Result<[UInt8], StoreFailure>) -> Void,
        _ body: @escaping @Sendable (ResultDirectory) throws(StoreFailure) -> [UInt8]
    ) {
        let directory = directory
        thread.run {
            do throws(StoreFailure) {
                return .bytes(.success(try body(directory)))
            } catch {
                return .bytes(.failure(error))
            }
        } then: { output in
            guard case .bytes(let result) = output else { preconditionFailure("bytes were asked") }
            then(result)
        }
    }

    func list(then: @escaping (Result<[StoredFile], StoreFailure>) -> Void) {
        let directory = directory
        thread.run {
            do throws(StoreFailure) {
                let now = SystemClock.wallMilliseconds()
                return .files(.success(try directory.list(wallMilliseconds: now)))
            } catch {
                return .files(.failure(error))
            }
        } then: { output in
            guard case .files(let result) = output else { preconditionFailure("a list was asked") }
            then(result)
        }
    }

    func remove(_ names: [StoredName], then: @escaping (StoreFailure?) -> Void) {
        let directory = directory
        thread.run {
            do throws(StoreFailure) {
                try directory.remove(names)
                return .removed(nil)
            } catch {
                return .removed(error)
            }
        } then: { output in
            guard case .removed(let failure) = output else {
                preconditionFailure("a removal was asked")
            }
            then(failure)
        }
    }
}
