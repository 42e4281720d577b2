import Testing

@testable import Node

/// The examples that AWS publishes in "Signature Calculations for the Authorization Header".
@Suite struct SignatureV4Tests {
    private static let time = "20130524T000000Z"
    private static let signature = SignatureV4(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1")
    private static let empty = SHA256.hash([]).hexadecimal

    private func signed(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], bodyChecksum: String = empty
    ) -> String {
        let all =
            headers + [
                (name: "host", value: "examplebucket.s3.amazonaws.com"),
                (name: "x-amz-content-sha256", value: bodyChecksum),
                (name: "x-amz-date", value: Self.time),
            ]
        return Self.signature.authorization(
            SignatureV4.Request(
                method: method, path: path, query: query, headers: all, bodyChecksum: bodyChecksum,
                time: Self.time))
    }

    @Test func `a part of an object is got`() {
        let text = signed(
            "GET", "/test.txt", headers: [(name: "range", value: "bytes=0-9")])
        #expect(
            text
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func `an object is put`() {
        let text = signed(
            "PUT", "/test%24file.text",
            headers: [
                (name: "date", value: "Fri, 24 May 2013 00:00:00 GMT"),
                (name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
            ], bodyChecksum: SHA256.hash(Array("Welcome to Amazon S3.".utf8)).hexadecimal)
        #expect(
            text.hasSuffix(
                "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
    }

    @Test func `a parameter without a value is signed`() {
        #expect(
            signed("GET", "/", query: [(name: "lifecycle", value: "")]).hasSuffix(
                "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
    }

    @Test func `parameters are signed in their order`() {
        let query = [(name: "prefix", value: "J"), (name: "max-keys", value: "2")]
        #expect(
            signed("GET", "/", query: query).hasSuffix(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
    }

    @Test(arguments: [
        (0, "19700101T000000Z"), (1_369_353_600_000, "20130524T000000Z"),
        (1_795_248_260_999, "20261121T080420Z"),
    ])
    func `time is written down`(milliseconds: Int64, text: String) {
        #expect(SignatureV4.time(milliseconds) == text)
    }
}
