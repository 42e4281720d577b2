import Testing

@testable import Node

@Suite struct RequestAddressTests {
    @Test(arguments: [
        ("http://h", "h", 80, "h", "/"), ("http://h?a=b", "h", 80, "h", "/?a=b"),
        ("HTTP://Host.Example:80/A?b=/../c#d", "host.example", 80, "Host.Example", "/A?b=/../c"),
        ("http://h:8080/", "h", 8080, "h:8080", "/"), ("http://h:/x", "h", 80, "h", "/x"),
        ("http://[::1]/", "::1", 80, "[::1]", "/"),
        ("http://[FE80::1]:81/", "fe80::1", 81, "[FE80::1]:81", "/"),
        ("http://my_service:1/a%2Fb;c@d", "my_service", 1, "my_service:1", "/a%2Fb;c@d"),
        ("http://h/a b?c=[ü]", "h", 80, "h", "/a%20b?c=%5B%C3%BC%5D"),
        ("http://h/%zz", "h", 80, "h", "/%25zz"),
        ("http://h/a/./b/../c/..", "h", 80, "h", "/a/"), ("http://h/../x", "h", 80, "h", "/x"),
        ("http://h/.hidden/..x", "h", 80, "h", "/.hidden/..x"),
        ("http://u@MinIO:9000/", "minio", 9000, "MinIO:9000", "/"),
        ("http://h/#a b", "h", 80, "h", "/"),
    ])
    func `a URL is taken apart`(
        text: String, host: String, port: UInt16, authority: String, target: String
    ) throws {
        let address = try #require(RequestAddress(text))
        #expect(address.endpoint == Endpoint(host: host, port: port))
        #expect(address.authority == authority)
        #expect(address.target == target)
        #expect((address.credentials == nil) == !text.contains("u@"))
    }

    @Test(arguments: [
        ("http://us%40er:p%3Aw@h/", "us@er:p:w"), ("http://user@h/", "user:"),
        ("http://:pass@h/", ":pass"),
    ])
    func `credentials in a URL`(text: String, expected: String) {
        #expect(RequestAddress(text)?.credentials == Array(expected.utf8))
    }

    @Test(arguments: [
        "", "http", "http://", "http:///x", "http://:80/", "https://h/", "ftp://h/", "/path",
        "http://h:0/", "http://h:65536/", "http://h:99999999999/", "http://h:8x/", "http://h:-1/",
        "http://host name/", "http://[::1", "http://[1.2.3.4]/", "http://[h]/", "http://[::1]x/",
        "http://[::1\0\r\nX: y]/", "http://h\r\nX: y/", "http://a%0d%0ab/",
        "http://[fe80::1%25lo]/",
    ])
    func `what is no URL of http with a host is refused`(text: String) {
        #expect(RequestAddress(text) == nil)
    }

    @Test(arguments: ["http://h/\r\nX: y", "http://h/?a\0\nb", "http://u:p\r\n@h/"])
    func `nothing in a URL ends a line`(text: String) {
        guard let address = RequestAddress(text) else { return }
        #expect(address.target.utf8.allSatisfy { $0 > 32 && $0 < 127 })
        #expect(address.authority.utf8.allSatisfy { $0 > 32 && $0 < 127 })
    }
}
