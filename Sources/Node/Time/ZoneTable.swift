import Glibc

/// The time zones of this machine by name, read when first asked for and kept.
struct ZoneTable {
    /// Directories of compiled zones, tried in order.
    let directories: [String]
    /// The bytes of a file, nil if it can't be read.
    private let read: (String) -> [UInt8]?
    private var zones: [String: Zone] = [:]

    /// The database has about 600 names.
    private static let maxZones = 2_000
    private static let maxNameBytes = 64
    private static let namesOfUTC: Set<String> = [
        "UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal", "Etc/Universal", "GMT",
        "Etc/GMT",
    ]
    /// Files that mean something else on every machine.
    private static let localNames: Set<String> = ["localtime", "posixrules", "Factory"]

    init(directories: [String], read: @escaping (String) -> [UInt8]?) {
        self.directories = directories
        self.read = read
    }

    /// The system's database, or the one that `TZDIR` names.
    static func system(environment: [String: String]) -> ZoneTable {
        var directories = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo"]
        if let chosen = environment["TZDIR"], !chosen.isEmpty { directories = [chosen] }
        return ZoneTable(directories: directories, read: ZoneTable.file)
    }

    /// The zone of a name such as `Europe/Berlin`. `UTC` needs no files.
    mutating func zone(_ name: String) throws(ZoneError) -> Zone {
        if Self.namesOfUTC.contains(name) { return .utc }
        if let known = zones[name] { return known }
        guard Self.isName(name), !Self.localNames.contains(name) else {
            throw ZoneError("\"\(name.prefix(Self.maxNameBytes))\" is not the name of a time zone")
        }
        for directory in directories {
            guard let bytes = read(directory + "/" + name) else { continue }
            let zone: Zone
            do {
                zone = try TimeZoneFile.zone(name: name, bytes)
            } catch {
                throw ZoneError("the time zone \"\(name)\" \(error.reason)")
            }
            if zones.count < Self.maxZones { zones[name] = zone }
            return zone
        }
        throw ZoneError(
            "the time zone \"\(name)\" is not known on this machine (looked in "
                + directories.joined(separator: ", ") + ")")
    }

    /// The release of the database, such as `2026a`, as far as its files say: nodes with different
    /// releases may compute different instants.
    func release() -> String? {
        for directory in directories {
            guard let bytes = read(directory + "/tzdata.zi") else { continue }
            let line = String(decoding: bytes.prefix(64).prefix { $0 != 0x0A }, as: UTF8.self)
            if line.hasPrefix("# version ") { return String(line.dropFirst(10)) }
        }
        return nil
    }

    /// Parts of letters, digits, `_`, `+` and `-`, so that no name leads out of the directory.
    private static func isName(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= maxNameBytes else { return false }
        return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                        UInt8(ascii: "+"), UInt8(ascii: "-"):
                        return true
                    default:
                        return false
                    }
                }
        }
    }

    /// Reads a file whole, up to the size a zone may have; nil on any failure.
    private static func file(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while result.count <= TimeZoneFile.maxBytes {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return result }
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            result.append(contentsOf: chunk[..<count])
        }
        return result
    }
}
