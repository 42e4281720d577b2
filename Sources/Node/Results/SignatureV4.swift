/// AWS Signature Version 4, in the Authorization field of a request.
///
/// A request is written down in one canonical form; its hash, the time and the scope (day, region, service) are signed by a
/// key that is derived from the secret for that scope.
struct SignatureV4: Sendable {
    let accessKey: String
    let secretKey: String
    let region: String
    var service = "s3"

    struct Request: Sendable {
        var method: String
        /// Percent-encoded, with its slashes.
        var path: String
        var query: [(name: String, value: String)] = []
        /// All that are signed, `host` among them; names in small letters.
        var headers: [(name: String, value: String)]
        /// Hexadecimal SHA-256 of the body.
        var bodyChecksum: String
        /// `20130524T000000Z`; a header of the request says the same.
        var time: String
    }

    /// The value of the Authorization field.
    func authorization(_ request: Request) -> String {
        let headers = request.headers.sorted { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let day = String(request.time.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = [
            "AWS4-HMAC-SHA256", request.time, scope,
            SHA256.hash(Array(Self.canonical(request, headers, names).utf8)).hexadecimal,
        ].joined(separator: "\n")
        let signature = HMAC.sha256(key: key(day), Array(text.utf8)).hexadecimal
        return "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope),SignedHeaders=\(names),"
            + "Signature=\(signature)"
    }

    private func key(_ day: String) -> [UInt8] {
        [day, region, service, "aws4_request"].reduce(Array("AWS4\(secretKey)".utf8)) { key, part in
            HMAC.sha256(key: key, Array(part.utf8))
        }
    }

    private static func canonical(
        _ request: Request, _ headers: [(name: String, value: String)], _ names: String
    ) -> String {
        var lines = [request.method, request.path, query(request.query)]
        for header in headers { lines.append("\(header.name):\(trimmed(header.value))") }
        lines.append("")
        lines.append(names)
        lines.append(request.bodyChecksum)
        return lines.joined(separator: "\n")
    }

    /// Sorted by name as it is encoded; also in a URL it may stand like this.
    static func query(_ pairs: [(name: String, value: String)]) -> String {
        pairs.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { $0 < $1 }
            .map { "\($0)=\($1)" }.joined(separator: "&")
    }

    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }

    /// Of milliseconds since 1970.
    static func time(_ milliseconds: Int64) -> String {
        let time = CivilTime(seconds: milliseconds / 1_000)
        return "\(pad(time.year, 4))\(pad(time.month, 2))\(pad(time.day, 2))T"
            + "\(pad(time.hour, 2))\(pad(time.minute, 2))\(pad(time.second, 2))Z"
    }

    private static func pad(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}
