import Testing

@testable import Node

@Suite struct MediaTypeTests {
    @Test func typesAreToldApart() {
        for header in [
            nil, "application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json",
            "application/x-www-form-urlencoded",
        ] {
            #expect(MediaType(header) == .json)
        }
        for header in ["application/x-ndjson", "application/x-ndjson;charset=utf-8"] {
            #expect(MediaType(header) == .lines)
        }
        for header in ["text/plain", "text/html", "multipart/form-data; boundary=x", "json"] {
            #expect(MediaType(header) == .other)
        }
    }

    @Test func pagesOfOtherSitesAreForeign() {
        #expect(!CrossSite.isForeign(origin: nil, host: "127.0.0.1:7201"))
        #expect(!CrossSite.isForeign(origin: "http://127.0.0.1:7201", host: "127.0.0.1:7201"))
        #expect(!CrossSite.isForeign(origin: "http://LOCALHOST:1", host: "localhost:1"))
        #expect(CrossSite.isForeign(origin: "http://127.0.0.1:8080", host: "127.0.0.1:7201"))
        #expect(CrossSite.isForeign(origin: "https://evil.example", host: "127.0.0.1:7201"))
        #expect(CrossSite.isForeign(origin: "null", host: "127.0.0.1:7201"))
        #expect(CrossSite.isForeign(origin: "http://x", host: nil))
    }
}
