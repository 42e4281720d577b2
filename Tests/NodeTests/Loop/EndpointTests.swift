import Glibc
import Testing

@testable import Node

@Suite struct EndpointTests {
    @Test(arguments: [
        ("127.0.0.1:7101", "127.0.0.1", 7101), ("[::1]:80", "::1", 80),
        ("node1.example.com:0", "node1.example.com", 0), ("a:65535", "a", 65535),
    ])
    func parses(text: String, host: String, port: Int) throws {
        let endpoint = try Endpoint(text)
        #expect(endpoint.host == host)
        #expect(Int(endpoint.port) == port)
        #expect(endpoint.description == text)
    }

    @Test(arguments: [
        "", "127.0.0.1", ":80", "a:", "a:65536", "a:-1", "a:+1", "::1:80", "[::1]", "[a]:1",
        "a b:1",
        "[::1:80", "a:8O",
    ])
    func refuses(text: String) {
        #expect(throws: Endpoint.SyntaxError.self) { try Endpoint(text) }
    }

    @Test func numericAddressesNeedNoNameServer() throws {
        let four = try #require(try Endpoint("127.0.0.1:7101").numericAddress)
        #expect(four == .ipv4(0x7F00_0001, port: 7101))
        #expect(four.description == "127.0.0.1:7101")
        #expect(four.isLoopback)
        let six = try #require(try Endpoint("[::1]:7101").numericAddress)
        #expect(six == .ipv6(0, 1, port: 7101, scope: 0))
        #expect(six.description == "[::1]:7101")
        #expect(six.isLoopback)
        #expect(try Endpoint("localhost:1").numericAddress == nil)
        #expect(try !Endpoint("10.0.0.1:1").numericAddress!.isLoopback)
    }

    @Test func listeningTwiceSaysThatAnotherProcessListens() throws {
        let first = try Socket.listen(on: .ipv4(0x7F00_0001, port: 0), backlog: 1)
        let address = try Socket.localAddress(first)
        #expect(address.port != 0)
        do {
            _ = try Socket.listen(on: address, backlog: 1)
            Issue.record("two sockets listen on one port")
        } catch {
            #expect(error.code == EADDRINUSE)
            #expect(error.description.contains("another process listens on \(address)"))
        }
    }

    @Test func resolverAnswersNamesFromItsThread() throws {
        let loop = try Loop()
        let resolver = try NameResolver(loop: loop)
        var answers: [String: [SocketAddress]] = [:]
        var failed = false
        for host in ["127.0.0.1", "localhost"] {
            resolver.resolve(Endpoint(host: host, port: 7)) { answer in
                switch answer {
                case .success(let addresses): answers[host] = addresses
                case .failure: failed = true
                }
            }
        }
        #expect(answers.isEmpty, "never from inside the call")
        while answers.count < 2 && !failed { loop.turn() }
        #expect(answers["127.0.0.1"] == [.ipv4(0x7F00_0001, port: 7)])
        #expect(answers["localhost"]?.isEmpty == false)
        #expect(answers["localhost"]?.allSatisfy { $0.isLoopback && $0.port == 7 } == true)
    }
}
