/// The names on a disk: what they are, and what they are on the platter. Changes that were not synced may or
/// may not be there after the machine lost power, each on its own, whatever came before or after it.
struct DirectoryTree {
    /// The number of a file or directory on its disk; 0 is the root.
    typealias Number = Int

    enum Entry: Equatable {
        case file(Number)
        case directory(Number)
    }

    private enum Change {
        case set(String, Entry)
        case remove(String)
        case rename(String, to: String, Entry)
    }

    private struct Directory {
        var entries: [String: Entry] = [:]
        var durable: [String: Entry] = [:]
        var pending: [Change] = []

        static func perform(_ change: Change, on entries: inout [String: Entry]) {
            switch change {
            case .set(let name, let entry): entries[name] = entry
            case .remove(let name): entries[name] = nil
            case .rename(let name, let target, let entry):
                if entries[name] == entry { entries[name] = nil }
                entries[target] = entry
            }
        }

        mutating func change(_ change: Change) {
            Self.perform(change, on: &entries)
            pending.append(change)
        }
    }

    private var directories: [Number: Directory] = [0: Directory()]

    func entry(_ name: String, in directory: Number) -> Entry? {
        directories[directory]?.entries[name]
    }

    func names(in directory: Number) -> [String] {
        (directories[directory]?.entries.keys).map { $0.sorted() } ?? []
    }

    mutating func add(_ name: String, _ entry: Entry, to directory: Number) {
        if case .directory(let number) = entry { directories[number] = Directory() }
        directories[directory]?.change(.set(name, entry))
    }

    mutating func remove(_ name: String, from directory: Number) {
        directories[directory]?.change(.remove(name))
    }

    mutating func rename(_ name: String, to target: String, in directory: Number) {
        guard let entry = entry(name, in: directory) else { return }
        directories[directory]?.change(.rename(name, to: target, entry))
    }

    mutating func sync(_ directory: Number) {
        guard let entries = directories[directory]?.entries else { return }
        directories[directory]?.durable = entries
        directories[directory]?.pending.removeAll()
    }

    mutating func losePower(survivalPermille: Int, _ random: inout RandomSource) {
        for number in directories.keys.sorted() {
            guard var directory = directories[number] else { continue }
            var entries = directory.durable
            for change in directory.pending where random.chance(permille: survivalPermille) {
                Directory.perform(change, on: &entries)
            }
            directory.entries = entries
            directory.durable = entries
            directory.pending = []
            directories[number] = directory
        }
        // A directory whose own name was lost is gone with everything in it.
        let reachable = reachable()
        for number in directories.keys.sorted() where !reachable.directories.contains(number) {
            directories[number] = nil
        }
    }

    /// The numbers of all files that have a name, or will have one again if the power fails.
    var files: Set<Number> { reachable().files }

    /// The files below a directory, in the order of their names; several with one name are told apart by it.
    func files(in directory: Number) -> [(name: String, number: Number)] {
        names(in: directory).flatMap { name -> [(name: String, number: Number)] in
            switch entry(name, in: directory) {
            case .file(let number): [(name, number)]
            case .directory(let number):
                files(in: number).map { (name + "/" + $0.name, $0.number) }
            case nil: []
            }
        }
    }

    private func reachable() -> (directories: Set<Number>, files: Set<Number>) {
        var directories: Set<Number> = [0]
        var files: Set<Number> = []
        var open = [0]
        func visit(_ entry: Entry) {
            switch entry {
            case .file(let number): files.insert(number)
            case .directory(let number):
                if directories.insert(number).inserted { open.append(number) }
            }
        }
        while let number = open.popLast() {
            guard let directory = self.directories[number] else { continue }
            for entry in directory.entries.values { visit(entry) }
            for entry in directory.durable.values { visit(entry) }
            for case .set(_, let entry) in directory.pending { visit(entry) }
        }
        return (directories, files)
    }
}
