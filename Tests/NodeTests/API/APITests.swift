import Foundation
import Raft
import Scheduler
import Testing

@testable import Node

@Suite struct APITests {
    @Test(arguments: [
        "/index.html", "/v1", "/v2/tasks", "/v1/nothing", "/v1/tasks/t1/nothing",
        "/v1/tasks/t1/logs/x",
        "/v1/queues/a/b", "/v1/events/1", "/v1/workers/n1/x", "/v1/cluster/members/n1/x",
        "/metrics/x",
        "/v1/schedules/a/b", "/v1/dead/t1",
    ])
    func unknownPathsAreSaidToBeUnknown(path: String) throws {
        let fixture = try APIFixture()
        let reply = try fixture.call("GET", path)
        #expect(reply.status == 404)
        #expect(try reply.json()["type"]?.string == "urn:carillon:problem:unknown-path")
    }

    @Test(arguments: [
        ("PUT", "/v1/tasks", "GET, POST"), ("PATCH", "/v1/tasks/t1", "GET, DELETE"),
        ("GET", "/v1/tasks/t1/retry", "POST"), ("POST", "/v1/schedules", "GET"),
        ("POST", "/v1/schedules/a", "GET, PUT, DELETE"), ("GET", "/v1/workers/n1/drain", "POST"),
        ("DELETE", "/v1/cluster", "GET"), ("POST", "/healthz", "GET"),
        ("GET", "/v1/dead/retry", "POST"), ("PATCH", "/v1/dead", "GET, DELETE"),
    ])
    func wrongMethodsNameTheRightOnes(method: String, path: String, allow: String) throws {
        let fixture = try APIFixture()
        let reply = try fixture.call(method, path)
        #expect(reply.status == 405)
        #expect(reply.header("allow") == allow)
    }

    @Test func aBodyWhereNoneBelongsIsRefused() throws {
        let fixture = try APIFixture()
        _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#)
        for (method, path) in [
            ("DELETE", "/v1/tasks/t1"), ("POST", "/v1/tasks/t1/retry"), ("POST", "/v1/dead/retry"),
            ("POST", "/v1/workers/n1/drain"),
        ] {
            #expect(try fixture.call(method, path, "{}").status == 422)
        }
    }

    /// They are written with the memory of the answers before them.
    @Test func answersThatWaitForTheirTurnStayAsTheyAre() throws {
        let fixture = try APIFixture()
        let long = String(repeating: "x", count: 20_000)
        for (handler, payload) in [("echo", "1"), ("other", "\"\(long)\""), ("other", "2")] {
            _ = try fixture.call(
                "POST", "/v1/tasks", #"{"handler": "\#(handler)", "payload": \#(payload)}"#)
        }
        let client = try fixture.begin("GET", "/v1/tasks/t1/wait?timeout=20s")
        for task in ["t2", "t3", "t2", "t3"] {
            client.send("GET /v1/tasks/\(task)?stale=true HTTP/1.1\r\nhost: test\r\n\r\n")
        }
        try fixture.finish("t1", .succeeded(Array("1".utf8)))
        client.receive {
            $0.components(separatedBy: "HTTP/1.1 200").count == 6 && $0.hasSuffix("}")
        }
        let payloads = client.text.components(separatedBy: #""payload":"#).dropFirst().map {
            $0.prefix { $0 != "," }
        }
        #expect(payloads == ["1", "\"\(long)\"", "2", "\"\(long)\"", "2"])
    }

    @Test func workersAreShownDrainedAndUndrained() throws {
        let fixture = try APIFixture()
        let workers = try fixture.call("GET", "/v1/workers").json()
        let worker = try #require(workers["items"]?.elements.first)
        #expect(worker["id"]?.string == "n1")
        #expect(worker["state"]?.string == "live")
        #expect(worker["slots"]?.integer == 4)
        #expect(worker["handlers"]?.source == #"["echo","other"]"#)
        let drained = try fixture.call("POST", "/v1/workers/n1/drain")
        #expect(try drained.json()["state"]?.string == "draining")
        _ = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#)
        #expect(try fixture.call("GET", "/v1/tasks/t1").json()["state"]?.string == "ready")
        let live = try fixture.call("POST", "/v1/workers/n1/undrain")
        #expect(try live.json()["state"]?.string == "live")
        #expect(try fixture.call("GET", "/v1/tasks/t1").json()["state"]?.string == "running")
        #expect(try fixture.call("POST", "/v1/workers/n9/drain").status == 404)
    }

    @Test func theClusterIsShownAsTheNodeSeesIt() throws {
        let fixture = try APIFixture()
        let cluster = try fixture.call("GET", "/v1/cluster").json()
        #expect(cluster["cluster"]?.string == "test")
        #expect(cluster["node"]?.string == "n1")
        #expect(cluster["leader"]?.string == "n1")
        #expect(cluster["commit"]?.integer == cluster["applied"]?.integer)
        let member = try #require(cluster["members"]?.elements.first)
        #expect(member["api"]?.string == "127.0.0.1:7201")
        #expect(member["role"]?.string == "leader")
        #expect(member["alive"]?.bool == true)
        #expect(member["lag"]?.integer == 0)
    }

    @Test func leadershipCanOnlyBeHandedToAMember() throws {
        let fixture = try APIFixture()
        let own = try fixture.call("POST", "/v1/cluster/transfer", #"{"to": "n1"}"#)
        #expect(own.status == 200)
        #expect(try own.json()["leader"]?.string == "n1")
        #expect(try fixture.call("POST", "/v1/cluster/transfer", #"{"to": "n9"}"#).status == 422)
        #expect(try fixture.call("POST", "/v1/cluster/transfer").status == 409)
    }

    /// Any node takes the wish on to the leader, and waits for one.
    @Test(arguments: [true, false])
    func aFollowerPassesATransferOnAndAnswersWhenItIsDone(knowsLeader: Bool) throws {
        let fixture = try APIFixture(nodes: ["n1", "n2", "n3"])
        func lead(_ leader: NodeID, term: Term) {
            let append = Message.Append(
                previousIndex: 0, previousTerm: 0, commit: 0, entries: [], round: 1)
            fixture.gateway.step(
                .peer(
                    from: leader,
                    .raft(Message(from: leader, to: "n1", term: term, body: .append(append)))))
        }
        if knowsLeader { lead("n2", term: 5) }
        let client = try fixture.begin("POST", "/v1/cluster/transfer", #"{"to": "n3"}"#)
        if !knowsLeader {
            #expect(try fixture.call("GET", "/healthz").status == 200)
            lead("n2", term: 5)
        }
        fixture.http.turn {
            fixture.sent.contains { $0.to == "n2" && $0.message == .transfer(to: "n3") }
        }
        lead("n3", term: 6)
        let reply = try fixture.reply(to: client)
        #expect(reply.status == 200)
        #expect(try reply.json()["leader"]?.string == "n3")
    }

    @Test func aMemberThatNobodyHasMetCantBeTakenIn() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call("POST", "/v1/cluster/members", #"{"id": "n9"}"#)
        #expect(reply.status == 503)
        #expect(try reply.json()["detail"]?.string?.contains("--id n9 --join") == true)
        let late = try fixture.call(
            "POST", "/v1/cluster/members?timeout=50ms", #"{"id": "n9", "peer": "127.0.0.1:1"}"#)
        #expect(late.status == 503)
        let bad = try fixture.call(
            "POST", "/v1/cluster/members", #"{"id": "No ID", "peer": "nowhere"}"#)
        #expect(bad.status == 422)
    }

    /// The connection to a node seems to be up for a while after it has lost its disk, and what it said then is not
    /// who it will be.
    @Test func whoIsTakenInHasToAnswerFirst() throws {
        let fixture = try APIFixture()
        let hello = PeerHello(
            cluster: "test", sender: NodeID("n2", directory: 7), incarnation: 1,
            highestStateVersion: fixture.gateway.replica.settings.highestStateVersion,
            peer: "127.0.0.1:1", api: "127.0.0.1:2")
        fixture.peers.known["n2"] = (hello, answeredAt: 0)
        let path = "/v1/cluster/members?timeout=60ms"
        let silent = try fixture.call("POST", path, #"{"id": "n2"}"#)
        #expect(silent.status == 503)
        #expect(fixture.gateway.replica.scheduler.member("n2") == nil)
        fixture.peers.known["n2"] = (hello, answeredAt: .max)
        let begun = try fixture.call("POST", path, #"{"id": "n2"}"#)
        #expect(begun.status == 202)
        #expect(fixture.gateway.replica.scheduler.member("n2")?.directory == 7)
    }

    @Test func neitherTheLastMemberNorANonMemberCanBeRemoved() throws {
        let fixture = try APIFixture()
        fixture.http.turn { !fixture.gateway.replica.scheduler.members.isEmpty }
        #expect(try fixture.call("DELETE", "/v1/cluster/members/n9").status == 404)
        let last = try fixture.call("DELETE", "/v1/cluster/members/n1")
        #expect(last.status == 409)
        #expect(try last.json()["detail"]?.string?.contains("last member") == true)
    }

    @Test func metricsCountAnswersByStatus() throws {
        let fixture = try APIFixture()
        _ = try fixture.call("GET", "/v1/nothing")
        _ = try fixture.call("GET", "/healthz")
        let reply = try fixture.call("GET", "/metrics")
        #expect(reply.header("content-type") == PrometheusText.contentType)
        #expect(reply.text.contains("carillon_http_responses_total{status=\"4xx\"} 1\n"))
        #expect(reply.text.contains("carillon_http_responses_total{status=\"2xx\"} 1\n"))
    }

    @Test func headsHaveNoBody() throws {
        let fixture = try APIFixture()
        let client = try fixture.begin("HEAD", "/healthz")
        client.receive { $0.contains("\r\n\r\n") }
        #expect(client.statuses == [200])
        #expect(client.text.hasSuffix("\r\n\r\n"))
    }
}
