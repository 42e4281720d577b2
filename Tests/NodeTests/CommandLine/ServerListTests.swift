import Testing

@testable import Node

struct ServerListTests {
    @Test func `schemes, ports and slashes may be left out`() throws {
        let list = try ServerList.parse("http://a:1/, b:2,http://c,[::1]:7, http://[::1]")
        #expect(
            list == [
                Endpoint(host: "a", port: 1), Endpoint(host: "b", port: 2),
                Endpoint(host: "c", port: 7201), Endpoint(host: "::1", port: 7),
                Endpoint(host: "::1", port: 7201),
            ])
        #expect(try ServerList.parse("a:1,http://a:1/").count == 1)
    }

    @Test(arguments: [
        ("https://a", "https is not supported by this version"), ("ftp://a", "unknown scheme"),
        ("a:0", "0 is no port"), ("a:99999", "not a port"), ("http://a/path", "more than a host"),
        ("", "names no server"), (",", "names no server"), ("http://:80", "no host"),
    ])
    func `what is no address is refused with the reason`(text: String, reason: String) {
        do throws(CommandFailure) {
            _ = try ServerList.parse(text)
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.exitStatus == 2)
            #expect(error.message.contains(reason), "\(error.message)")
        }
    }
}
