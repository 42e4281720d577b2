/// The first lines of requests to one cluster, without the fields that describe a body and without the empty line.
struct RequestHead {
    let authority: String
    let token: String?
    let namespace: String

    init(_ client: ClusterClient, namespace: String, to endpoints: [Endpoint]) {
        authority = (endpoints.first ?? client.servers[0]).description
        token = client.token
        self.namespace = namespace
    }

    func bytes(_ method: String, _ target: String) -> [UInt8] {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(authority)\r\n"
        head += "User-Agent: carillon-bench/\(ProductVersion.text)\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        head += "X-Carillon-Namespace: \(namespace)\r\n"
        return Array(head.utf8)
    }

    /// A whole request.
    func request(_ method: String, _ target: String, body: [UInt8]) -> [UInt8] {
        bytes(method, target)
            + Array("Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
            + body
    }

    func get(_ target: String) -> [UInt8] { bytes("GET", target) + [0x0D, 0x0A] }
}

/// Text as it stands in JSON.
enum JSONValueText {
    static func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        return writer.text
    }
}
