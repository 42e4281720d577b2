import Testing

@testable import Node

/// The dashboard as a node serves it: what it is, what may run in it, and that it asks for nothing that is not there.
struct DashboardTests {
    @Test(arguments: [
        ("/", "text/html; charset=utf-8"), ("/dashboard.css", "text/css; charset=utf-8"),
        ("/dashboard.js", "text/javascript; charset=utf-8"),
    ])
    func `its parts say what they are, and that nothing else may run`(
        path: String, type: String
    ) throws {
        let fixture = try APIFixture()
        let reply = try fixture.call("GET", path)
        #expect(reply.status == 200)
        #expect(reply.header("content-type") == type)
        #expect(reply.header("x-content-type-options") == "nosniff")
        #expect(reply.header("cache-control") == "no-cache")
        let policy = try #require(reply.header("content-security-policy"))
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'"))
        #expect(!policy.contains("inline") && !policy.contains("eval") && !policy.contains("*"))
        let head = try fixture.call("HEAD", path)
        #expect(head.status == 200)
        #expect(head.header("content-length") == "\(reply.body.count)")
        let tag = try #require(reply.header("etag"))
        let known = try fixture.call("GET", path, headers: ["if-none-match: \(tag)"])
        #expect(known.status == 304)
        #expect(try fixture.call("POST", path, "{}").header("allow") == "GET")
    }

    @Test func `a node without a leader serves it as well`() throws {
        let fixture = try APIFixture(nodes: ["n1", "n2", "n3"])
        #expect(try fixture.call("GET", "/").status == 200)
    }

    /// The policy forbids it all, so it would not work; and what users write must never become markup.
    @Test
    func `nothing stands in the page that the policy forbids, and nothing makes markup of text`() {
        let page = DashboardPage.html
        for word in ["<style", "style=", "onclick", "onload", "javascript:", "<script>"] {
            #expect(!page.contains(word), "\(word)")
        }
        for word in [
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
            "srcdoc", "style.", "'style'",
        ] {
            #expect(!DashboardScript.text.contains(word), "\(word)")
        }
    }

    @Test func `it asks no other host for anything`() {
        // The name of a format, which nobody asks for.
        let page = DashboardPage.html.replacing("http://www.w3.org/2000/svg", with: "")
        for text in [page, DashboardStyle.css, DashboardScript.text] {
            #expect(!text.contains("http:") && !text.contains("https:") && !text.contains("url("))
            #expect(!text.contains("'//") && !text.contains("\"//") && !text.contains("@import"))
        }
    }

    @Test func `the page names its parts, and the script finds its places`() {
        for part in ["href=\"dashboard.css\"", "src=\"dashboard.js\"", "href=\"openapi.json\""] {
            #expect(DashboardPage.html.contains(part), "\(part)")
        }
        for call in Self.words(after: "byID('", in: DashboardScript.text) {
            #expect(DashboardPage.html.contains("id=\"\(call)\""), "\(call)")
        }
    }

    /// A button whose action is not there would do nothing, and say nothing.
    @Test func `every button has an action`() throws {
        let buttons = DashboardScript.text.split(separator: "\n").flatMap { line in
            Self.words(after: "button('", in: String(line)).compactMap { title in
                Self.words(after: "button('\(title)', '", in: String(line)).first
            }
        }
        try #require(buttons.count > 8)
        for action in buttons + ["skip"] {
            #expect(DashboardScript.text.contains("\n  \(action): {"), "\(action)")
        }
    }

    @Test func `the namespaced resources are those of the node`() throws {
        let list = try #require(
            DashboardScript.text.split(separator: "\n").first { $0.contains("const namespaced =") })
        let names = list.split(separator: "'").enumerated().filter { $0.offset % 2 == 1 }.map {
            String($0.element)
        }
        #expect(names.sorted() == API.namespaced.sorted())
    }

    /// What stands between a text and the next quote, wherever the text is.
    private static func words(after text: String, in source: String) -> [String] {
        source.ranges(of: text).map { range in
            String(source[range.upperBound...].prefix { $0 != "'" })
        }
    }
}
