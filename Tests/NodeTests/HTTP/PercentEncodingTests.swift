import Testing

@testable import Node

struct PercentEncodingTests {
    @Test func `only unreserved characters stay`() {
        #expect(PercentEncoding.encode("aZ09-._~") == "aZ09-._~")
        #expect(PercentEncoding.encode("a/b?c=d&e#f%") == "a%2Fb%3Fc%3Dd%26e%23f%25")
        #expect(PercentEncoding.encode("ü\n") == "%C3%BC%0A")
        #expect(PercentEncoding.encode("") == "")
    }

    @Test func `what is appended comes behind what is there`() {
        var bytes = Array("/v1/".utf8)
        PercentEncoding.append("a b", to: &bytes)
        #expect(bytes == Array("/v1/a%20b".utf8))
    }

    @Test func `names and values of a query are encoded`() {
        #expect(PercentEncoding.query([]) == "")
        #expect(PercentEncoding.query([("a", "1"), ("b c", "&=")]) == "?a=1&b%20c=%26%3D")
    }
}
