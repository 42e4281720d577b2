import Scheduler

/// One request to a bucket, before it is signed: signing takes the hash of the body, which is work for a thread.
struct BucketRequest: Sendable {
    var method: String
    /// Of the object; empty: the bucket itself.
    var key: String
    var query: [(name: String, value: String)] = []
    var body: [UInt8] = []

    /// Ready to be sent, and the SHA-256 of its body.
    func signed(
        for bucket: BucketSettings, at wallMilliseconds: Milliseconds
    ) -> (request: OutgoingRequest, checksum: [UInt8]) {
        let checksum = SHA256.hash(body)
        let time = SignatureV4.time(wallMilliseconds)
        let path = "/\(bucket.bucket)" + (key.isEmpty ? "" : "/" + Self.encoded(key))
        var headers = [
            (name: "x-amz-content-sha256", value: checksum.hexadecimal),
            (name: "x-amz-date", value: time),
        ]
        let signature = SignatureV4(
            accessKey: bucket.accessKey, secretKey: bucket.secretKey, region: bucket.region)
        let authorization = signature.authorization(
            SignatureV4.Request(
                method: method, path: path, query: query,
                headers: headers + [(name: "host", value: bucket.server.authority)],
                bodyChecksum: checksum.hexadecimal, time: time))
        headers.append((name: "Authorization", value: authorization))
        if method == "PUT" {
            headers.append((name: "Content-Type", value: "application/octet-stream"))
        }
        let text = SignatureV4.query(query)
        let request = OutgoingRequest(
            method: method, url: bucket.server.url + path + (text.isEmpty ? "" : "?" + text),
            headers: headers, body: method == "PUT" ? body : nil)
        return (request, checksum)
    }

    /// Slashes stay.
    private static func encoded(_ key: String) -> String {
        key.split(separator: "/", omittingEmptySubsequences: false)
            .map { PercentEncoding.encode(String($0)) }.joined(separator: "/")
    }
}
