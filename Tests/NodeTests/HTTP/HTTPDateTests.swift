import Testing

@testable import Node

@Suite struct HTTPDateTests {
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"),
    ])
    func formats(seconds: Int, text: String) {
        #expect(HTTPDate.text(secondsSinceEpoch: seconds) == text)
    }

    @Test func problemsAreWellFormedWhateverTheirDetail() {
        let response = HTTPResponse.problem(status: 400, detail: "a \"b\" \\ \n c")
        #expect(
            String(decoding: response.body, as: UTF8.self)
                == #"{"type":"about:blank","title":"Bad Request","status":400,"detail":"a \"b\" \\   c"}"#
        )
        let large = HTTPResponse.problem(status: 413, detail: "large")
        #expect(
            String(decoding: large.body, as: UTF8.self)
                .hasPrefix(#"{"type":"urn:carillon:problem:too-large","#))
    }
}
