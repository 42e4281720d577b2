import Glibc
import Node

extension SimulatedDisk {
    /// All of a disk, and what is going to go wrong with it.
    struct State {
        private(set) var tree = DirectoryTree()
        var files: [Int: SectorFile] = [:]
        var random: RandomSource
        private var lastNumber = 0
        private var lastHandle = 0
        /// By file: how often it is open.
        private var openings: [Int: Int] = [:]
        /// By file: the handle that has locked it.
        private var locks: [Int: Int] = [:]
        private(set) var writtenBytes = 0
        /// By file: pages that can't be read.
        private var spoilt: [Int: Set<Int>] = [:]
        private static let pageBytes = 4 << 10

        var armed: DiskFault?
        var strikes: [DiskFault: Int] = [:]
        /// nil: the power stays.
        var changesLeft: Int?
        private(set) var isPowerCut = false
        private(set) var powerLosses = 0

        init(random: RandomSource) {
            self.random = random
        }

        /// How often a call was made to fail.
        var errorCount: Int {
            DiskTroubles.survivable.reduce(0) { $0 + (strikes[$1] ?? 0) }
        }

        // MARK: Names

        func entry(_ path: String) -> DirectoryTree.Entry? {
            entry(Self.names(path)[...])
        }

        private func entry(_ names: ArraySlice<String>) -> DirectoryTree.Entry? {
            names.reduce(.directory(0)) { entry, name in
                guard case .directory(let number) = entry else { return nil }
                return tree.entry(name, in: number)
            }
        }

        /// By bytes: whole characters would take longer than the rest of most calls.
        private static func names(_ path: String) -> [String] {
            path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
                .filter { $0 != "." }
        }

        func directory(_ path: String) throws(StorageError) -> Int {
            try directory(path, Self.names(path)[...])
        }

        private func directory(
            _ path: String, _ names: ArraySlice<String>
        ) throws(StorageError) -> Int {
            try checkPower("list", path)
            switch entry(names) {
            case .directory(let number): return number
            case .file: throw .system(operation: "list", path: path, errno: ENOTDIR)
            case nil: throw .system(operation: "list", path: path, errno: ENOENT)
            }
        }

        mutating func open(
            _ path: String, _ mode: StorageFile.Mode
        ) throws(StorageError) -> (number: Int, handle: Int) {
            try checkPower("open", path)
            let number: Int
            switch entry(path) {
            case .directory: throw .system(operation: "open", path: path, errno: EISDIR)
            case .file(let found):
                guard mode != .create, mode != .createPrivate else {
                    throw .system(operation: "open", path: path, errno: EEXIST)
                }
                number = found
                if mode == .replace { try truncate(number, path, toBytes: 0) }
            case nil:
                guard mode.mayCreate else {
                    throw .system(operation: "open", path: path, errno: ENOENT)
                }
                let (parent, name) = try place(path)
                try begin("open", path)
                try failIfFull("open", path)
                lastNumber += 1
                number = lastNumber
                files[number] = SectorFile()
                tree.add(name, .file(number), to: parent)
            }
            openings[number, default: 0] += 1
            lastHandle += 1
            return (number, lastHandle)
        }

        mutating func createDirectory(_ path: String) throws(StorageError) {
            if case .directory = entry(path) { return }
            let (parent, name) = try place(path)
            try begin("create the directory", path)
            try failIfFull("create the directory", path)
            lastNumber += 1
            tree.add(name, .directory(lastNumber), to: parent)
        }

        mutating func rename(_ path: String, to target: String) throws(StorageError) {
            let (parent, name) = try place(path)
            let (targetParent, targetName) = try place(target)
            precondition(parent == targetParent, "storage renames within a directory")
            guard tree.entry(name, in: parent) != nil else {
                throw .system(operation: "rename to \(targetName)", path: path, errno: ENOENT)
            }
            try begin("rename to \(targetName)", path)
            tree.rename(name, to: targetName, in: parent)
        }

        mutating func remove(_ path: String) throws(StorageError) {
            let (parent, name) = try place(path)
            guard case .file = tree.entry(name, in: parent) else {
                throw .system(operation: "remove", path: path, errno: ENOENT)
            }
            try begin("remove", path)
            tree.remove(name, from: parent)
        }

        mutating func syncDirectory(_ path: String) throws(StorageError) {
            let number = try directory(path)
            try begin("sync", path)
            if strike(.syncError) { throw .system(operation: "sync", path: path, errno: EIO) }
            tree.sync(number)
            freeUnused()
        }

        /// The directory a path lies in, and its last name.
        private func place(_ path: String) throws(StorageError) -> (parent: Int, name: String) {
            let names = Self.names(path)
            guard let name = names.last else {
                throw .system(operation: "open", path: path, errno: EISDIR)
            }
            return (try directory(path, names.dropLast()), name)
        }

        // MARK: Open files

        func file(
            _ number: Int, _ path: String, _ operation: String
        ) throws(StorageError) -> SectorFile {
            try checkPower(operation, path)
            guard let file = files[number] else {
                throw .system(operation: operation, path: path, errno: EIO)
            }
            return file
        }

        mutating func write(
            _ number: Int, _ path: String, _ bytes: [UInt8], _ range: Range<Int>, at offset: Int
        ) throws(StorageError) {
            try begin("write", path)
            guard let before = files[number]?.bytes.count else {
                throw .system(operation: "write", path: path, errno: EIO)
            }
            if offset + range.count > before { try failIfFull("write", path) }
            if strike(.writeError) {
                // The kernel copies page by page, so what is there ends with a sector, or with nothing.
                let end = offset + random.index(range.count + 1)
                let count = max(0, end / SectorFile.sectorBytes * SectorFile.sectorBytes - offset)
                files[number]?.write(
                    bytes, range.lowerBound..<range.lowerBound + count, at: offset)
                throw .system(operation: "write", path: path, errno: EIO)
            }
            writtenBytes += range.count
            files[number]?.write(bytes, range, at: offset)
            for page in Self.pages(offset..<offset + range.count) { spoilt[number]?.remove(page) }
        }

        func read(
            _ number: Int, _ path: String, count: Int, at offset: Int
        ) throws(StorageError) -> [UInt8] {
            let file = try file(number, path, "read")
            let end = max(offset, min(offset + count, file.bytes.count))
            let bad = spoilt[number] ?? []
            if !bad.isEmpty, Self.pages(offset..<end).contains(where: bad.contains) {
                throw .system(operation: "read", path: path, errno: EIO)
            }
            return file.read(count: count, at: offset)
        }

        private static func pages(_ range: Range<Int>) -> ClosedRange<Int> {
            range.lowerBound / pageBytes...max(range.lowerBound, range.upperBound - 1) / pageBytes
        }

        mutating func truncate(
            _ number: Int, _ path: String, toBytes count: Int
        ) throws(StorageError) {
            try begin("truncate", path)
            files[number]?.truncate(toBytes: count)
        }

        mutating func sync(_ number: Int, _ path: String) throws(StorageError) {
            try begin("sync", path)
            guard let isSynced = files[number]?.isSynced else {
                throw .system(operation: "sync", path: path, errno: EIO)
            }
            if !isSynced, strike(.syncError) {
                files[number]?.forsake()
                throw .system(operation: "sync", path: path, errno: EIO)
            }
            files[number]?.sync()
        }

        mutating func lock(
            _ number: Int, _ path: String, handle: Int
        ) throws(StorageError) -> Bool {
            try checkPower("lock", path)
            if let holder = locks[number], holder != handle { return false }
            locks[number] = handle
            return true
        }

        mutating func close(_ number: Int, handle: Int) {
            if locks[number] == handle { locks[number] = nil }
            guard let count = openings[number] else { return }
            openings[number] = count > 1 ? count - 1 : nil
            if count == 1 { freeUnused() }
        }

        private mutating func freeUnused() {
            guard files.count > openings.count else { return }
            let named = tree.files
            let unused = files.keys.filter { openings[$0] == nil && !named.contains($0) }
            for number in unused { files[number] = nil }
        }

        // MARK: Faults

        mutating func losePower() {
            powerLosses += 1
            let share = random.pick([0, 100, 500, 900, 1_000])
            for number in files.keys.sorted() {
                files[number]?.losePower(survivalPermille: share, &random)
            }
            tree.losePower(survivalPermille: random.pick([0, 500, 1_000]), &random)
            changesLeft = nil
            isPowerCut = false
            freeUnused()
        }

        mutating func endProcess() {
            changesLeft = nil
            isPowerCut = false
            guard random.chance(permille: 200) else { return }
            for number in files.keys { files[number]?.dropCache() }
        }

        mutating func spoil(_ path: String, _ range: Range<Int>) {
            guard case .file(let number) = entry(path) else { return }
            spoilt[number, default: []].formUnion(Self.pages(range))
        }

        mutating func wipe() {
            spoilt = [:]
            tree = DirectoryTree()
            files = [:]
            openings = [:]
            locks = [:]
            changesLeft = nil
            isPowerCut = false
            strikes[.wipe, default: 0] += 1
        }

        private mutating func strike(_ fault: DiskFault) -> Bool {
            guard armed == fault else { return false }
            armed = nil
            strikes[fault, default: 0] += 1
            return true
        }

        private mutating func failIfFull(
            _ operation: String, _ path: String
        ) throws(StorageError) {
            if strike(.noSpace) { throw .system(operation: operation, path: path, errno: ENOSPC) }
        }

        private func checkPower(_ operation: String, _ path: String) throws(StorageError) {
            if isPowerCut { throw .system(operation: operation, path: path, errno: EIO) }
        }

        /// To be called before any change.
        private mutating func begin(_ operation: String, _ path: String) throws(StorageError) {
            try checkPower(operation, path)
            guard let left = changesLeft else { return }
            guard left > 0 else {
                isPowerCut = true
                throw .system(operation: operation, path: path, errno: EIO)
            }
            changesLeft = left - 1
        }
    }
}
