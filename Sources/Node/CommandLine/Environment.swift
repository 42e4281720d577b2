import Glibc

/// The process's environment.
enum Environment {
    private static let maxBytes = 16 << 20

    static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// All variables, as the process was given them. `environ` can't be read here: to the compiler it is a
    /// variable that any thread may change.
    static func all() throws(CommandFailure) -> [String: String] {
        var result: [String: String] = [:]
        let bytes = try InputFile.contents(of: "/proc/self/environ", maxBytes: maxBytes)
        for entry in bytes.split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: entry[..<equals], as: UTF8.self)
            // The first of equals counts, as with getenv.
            guard result[name] == nil else { continue }
            result[name] = String(decoding: entry[(equals + 1)...], as: UTF8.self)
        }
        return result
    }
}
