/// An S3-compatible bucket, and who may use it.
struct BucketSettings: Equatable, Sendable {
    let server: Server
    let bucket: String
    let region: String
    /// In front of every name; usually with a slash at its end.
    let prefix: String
    let accessKey: String
    let secretKey: String

    struct Server: Equatable, Sendable {
        let isSecure: Bool
        /// With the port, unless it is the scheme's own: as it stands in the Host field, which is signed.
        let authority: String

        /// nil: not `http://` or `https://`, a host, and maybe a port.
        init?(_ text: String) {
            let rest: Substring
            if text.hasPrefix("https://") {
                isSecure = true
                rest = text.dropFirst(8)
            } else if text.hasPrefix("http://") {
                isSecure = false
                rest = text.dropFirst(7)
            } else {
                return nil
            }
            let host = rest.hasSuffix("/") ? rest.dropLast() : rest
            let plain = host.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !"/?#@\\\"".utf8.contains(byte)
            }
            guard !host.isEmpty, plain else { return nil }
            let usual = isSecure ? ":443" : ":80"
            authority = String(host.hasSuffix(usual) ? host.dropLast(usual.utf8.count) : host)
            guard !authority.isEmpty else { return nil }
        }

        var url: String { (isSecure ? "https://" : "http://") + authority }
    }

    static func isName(_ text: String) -> Bool {
        (3...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
    }
}
