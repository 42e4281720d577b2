import Scheduler
import Testing

@testable import Node

@Suite struct QueuesAPITests {
    @Test func queuesArePutListedPausedAndResumed() throws {
        let fixture = try APIFixture()
        let put = try fixture.call(
            "PUT", "/v1/queues/mail",
            #"{"concurrency": 20, "rate": "100/s", "priority": "high", "maxPending": 1000, "errorWebhook": "http://[::1]/"}"#
        )
        #expect(put.status == 200)
        let queue = try put.json()
        #expect(queue["name"]?.string == "mail" && queue["concurrency"]?.integer == 20)
        #expect(queue["rate"]?.string == "100/s" && queue["burst"]?.integer == 10)
        #expect(queue["priority"]?.integer == 8 && queue["maxPending"]?.integer == 1_000)
        #expect(queue["errorWebhook"]?.string == "http://[::1]/")
        #expect(queue["paused"]?.bool == false && queue["breaker"]?.isNull == true)
        let paused = try fixture.call("POST", "/v1/queues/mail/pause")
        #expect(try paused.json()["paused"]?.bool == true)
        // What is not given is without limit, and as paused as before.
        let replaced = try fixture.call("PUT", "/v1/queues/mail", "{}").json()
        #expect(replaced["rate"]?.isNull == true && replaced["paused"]?.bool == true)
        let resumed = try fixture.call("POST", "/v1/queues/mail/resume")
        #expect(try resumed.json()["paused"]?.bool == false)
        for name in ["b", "a"] { _ = try fixture.call("POST", "/v1/queues/\(name)/pause") }
        let first = try fixture.call("GET", "/v1/queues?limit=2").json()
        #expect(first["items"]?.elements.map { $0["name"]?.string } == ["a", "b"])
        let second = try fixture.call("GET", "/v1/queues?limit=2&cursor=b").json()
        #expect(second["items"]?.elements.map { $0["name"]?.string } == ["mail"])
        #expect(second["next"]?.isNull == true)
        #expect(try fixture.call("GET", "/v1/queues/nope").status == 404)
    }

    /// In one step: nothing that waits starts in between.
    @Test func aQueueOfTheConfigurationHasAgainWhatStandsThere() throws {
        var spec = QueueSpec()
        spec.concurrency = 1
        let fixture = try APIFixture(queues: [
            InitialQueue(name: "mail", spec: spec, isPaused: true)
        ])
        _ = try fixture.call("PUT", "/v1/queues/mail", #"{"concurrency": 20, "paused": true}"#)
        let task = try fixture.call("POST", "/v1/tasks", #"{"handler": "other", "queue": "mail"}"#)
        #expect(try fixture.call("DELETE", "/v1/queues/mail").status == 204)
        let queue = try fixture.call("GET", "/v1/queues/mail").json()
        #expect(queue["concurrency"]?.integer == 1 && queue["paused"]?.bool == true)
        let id = try #require(try task.json()["id"]?.string)
        let shown = try fixture.call("GET", "/v1/tasks/\(id)").json()
        #expect(shown["state"]?.string == "ready" && shown["attempts"]?.elements.isEmpty == true)
    }

    @Test func settingsAreDeletedAndTasksStay() throws {
        let fixture = try APIFixture(slots: 0)
        _ = try fixture.call("PUT", "/v1/queues/mail", #"{"concurrency": 20, "paused": true}"#)
        let task = try fixture.call("POST", "/v1/tasks", #"{"handler": "x", "queue": "mail"}"#)
        #expect(task.status == 201)
        #expect(try fixture.call("DELETE", "/v1/queues/mail").status == 204)
        let queue = try fixture.call("GET", "/v1/queues/mail").json()
        #expect(queue["concurrency"]?.isNull == true && queue["paused"]?.bool == false)
        #expect(queue["pending"]?.integer == 1)
        #expect(try fixture.call("DELETE", "/v1/queues/nope").status == 404)
        _ = try fixture.call("PUT", "/v1/queues/empty", "{}")
        #expect(try fixture.call("DELETE", "/v1/queues/empty").status == 204)
        #expect(try fixture.call("GET", "/v1/queues/empty").status == 404)
    }

    @Test func breakersAreShownAsTheyWereGiven() throws {
        let fixture = try APIFixture()
        let ratio = try fixture.call(
            "PUT", "/v1/queues/q", #"{"breaker": {"ratio": 0.5, "probes": 2}}"#
        ).json()["breaker"]
        #expect(ratio?["ratio"]?.double == 0.5 && ratio?["minimum"]?.integer == 20)
        #expect(ratio?["window"]?.string == "1m" && ratio?["open"]?.string == "30s")
        #expect(ratio?["probes"]?.integer == 2 && ratio?["state"]?.string == "closed")
        let failures = try fixture.call(
            "PUT", "/v1/queues/q", #"{"breaker": {"failures": 5, "open": "9s"}}"#
        ).json()["breaker"]
        #expect(failures?["failures"]?.integer == 5 && failures?["open"]?.string == "9s")
    }

    @Test func whatIsReturnedCanBePutAgain() throws {
        let fixture = try APIFixture()
        for breaker in [#"{"ratio": 0.25, "window": "5s"}"#, #"{"failures": 5}"#, "null"] {
            let given = """
                {"concurrency": 20, "rate": "100/s", "burst": 7, "priority": "high", "maxPending": 1000, "paused": true,
                 "breaker": \(breaker), "errorWebhook": "http://[::1]/", "limits": [
                    {"key": "payload.a", "concurrency": 1}, {"key": "meta.b", "rate": "3/10s", "burst": 2}]}
                """
            let shown = try fixture.call("PUT", "/v1/queues/q", given)
            #expect(shown.status == 200, "\(shown.text)")
            let again = try fixture.call("PUT", "/v1/queues/q", shown.text)
            #expect(again.status == 200 && again.text == shown.text, "\(again.text)")
        }
        // But not in the place of what was meant.
        var reader = JSONReader(try JSONDocument(#"{"pending": 5}"#).root)
        _ = QueueSpecReader.read(&reader)
        reader.finish()
        #expect(reader.problems.map(\.pointer) == ["/pending"], "in a configuration")
    }

    @Test func mistakesAreTold() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call(
            "PUT", "/v1/queues/a%20b",
            #"{"concurrency": 0, "rate": "fast", "limits": [{}, {"key": "a", "rate": "1/s"}], "breaker": {}, "x": 1}"#
        )
        #expect(reply.status == 422)
        #expect(
            try reply.json()["errors"]?.elements.map { $0["pointer"]?.string }
                == [
                    "/concurrency", "/rate", "/breaker", "/limits/0/key", "/limits/0",
                    "/limits/1/key", "/x", "",
                ])
        for body in [
            #"{"burst": 3}"#, #"{"breaker": {"failures": 1, "ratio": 1}}"#,
            #"{"breaker": {"failures": 1, "window": "1s"}}"#, #"{"breaker": {"ratio": 1.5}}"#,
        ] {
            #expect(try fixture.call("PUT", "/v1/queues/q", body).status == 422)
        }
    }

    @Test func aFullQueueIsTold() throws {
        let fixture = try APIFixture()
        _ = try fixture.call("PUT", "/v1/queues/q", #"{"maxPending": 1, "paused": true}"#)
        let task = #"{"handler": "echo", "queue": "q"}"#
        #expect(try fixture.call("POST", "/v1/tasks", task).status == 201)
        let refused = try fixture.call("POST", "/v1/tasks", task)
        #expect(refused.status == 429 && refused.header("retry-after") == "1")
        #expect(try refused.json()["type"]?.string == "urn:carillon:problem:full")
        #expect(try fixture.call("GET", "/v1/queues/q").json()["pending"]?.integer == 1)
    }

    @Test func aTaskWithoutAPriorityHasThatOfItsQueue() throws {
        let fixture = try APIFixture()
        _ = try fixture.call("PUT", "/v1/queues/q", #"{"priority": 8}"#)
        let plain = try fixture.call("POST", "/v1/tasks", #"{"handler": "echo", "queue": "q"}"#)
        #expect(try plain.json()["priority"]?.integer == 8)
        let own = try fixture.call(
            "POST", "/v1/tasks", #"{"handler": "echo", "queue": "q", "priority": 1}"#)
        #expect(try own.json()["priority"]?.integer == 1)
        let many = try fixture.call("POST", "/v1/tasks", #"[{"handler": "echo", "queue": "q"}]"#)
        let id = try #require(try many.json()["items"]?.elements.first?["id"]?.string)
        #expect(try fixture.call("GET", "/v1/tasks/\(id)").json()["priority"]?.integer == 8)
    }

    @Test(arguments: ["100/s", "1/d", "3/10s", "5/m", "7/h", "2/1m30s"])
    func ratesComeBackAsTheyWereWritten(text: String) throws {
        let (count, period) = try #require(RateText.parse(text))
        #expect(RateText.format(RateLimit(count: count, perMilliseconds: period)) == text)
    }

    @Test(arguments: ["", "100", "/s", "0/s", "-1/s", "1/", "1/2d", "1/w", "1.5/s", "9999999/s"])
    func whatIsNoRateIsRefused(text: String) {
        #expect(RateText.parse(text) == nil)
    }
}
