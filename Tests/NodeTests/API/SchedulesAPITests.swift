import Testing

@testable import Node

@Suite struct SchedulesAPITests {
    @Test func schedulesAreCreatedReplacedAndDeleted() throws {
        let fixture = try APIFixture()
        let created = try fixture.call(
            "PUT", "/v1/schedules/tick", #"{"every": "1h", "task": {"handler": "echo"}}"#)
        #expect(created.status == 201)
        #expect(try created.json()["every"]?.string == "1h")
        let next = try #require(try created.json()["next"]?.string)
        #expect(try Timestamp.parse(next) % 3_600_000 == 0)
        let replaced = try fixture.call(
            "PUT", "/v1/schedules/tick",
            #"{"cron": "0 9 * * *", "task": {"handler": "other", "payload": 1}, "paused": true}"#)
        #expect(replaced.status == 200)
        let schedule = try fixture.call("GET", "/v1/schedules/tick").json()
        #expect(schedule["cron"]?.string == "0 9 * * *")
        #expect(schedule["every"] == nil)
        #expect(schedule["paused"]?.bool == true)
        #expect(schedule["next"]?.isNull == true)
        #expect(schedule["task"]?["handler"]?.string == "other")
        #expect(try fixture.call("DELETE", "/v1/schedules/tick").status == 204)
        #expect(try fixture.call("DELETE", "/v1/schedules/tick").status == 404)
        #expect(try fixture.call("GET", "/v1/schedules/tick").status == 404)
    }

    @Test func everythingThatIsReturnedCanBePutAgain() throws {
        let fixture = try APIFixture()
        let task = #""task": {"handler": "echo", "payload": {"a": [1.50]}, "meta": {"b": "c"}}"#
        for timing in [
            #""cron": "CRON_TZ=UTC 0 9 1 1 *", "overlap": "buffer", "dst": {"gap": "skip"}"#,
            #""every": "365d", "phase": "5m", "catchUp": {"within": "1h"}, "jitter": "2s""#,
            #""at": ["2040-01-01T00:00:00Z"], "until": "2050-01-01T00:00:00Z""#,
            #""cron": "0 0 31 2 *""#,
        ] {
            _ = try fixture.call("PUT", "/v1/schedules/s", "{\(timing), \(task)}")
            _ = try fixture.call("POST", "/v1/schedules/s/trigger")
            let shown = try fixture.call("GET", "/v1/schedules/s")
            let put = try fixture.call("PUT", "/v1/schedules/s", shown.text)
            #expect(put.status == 200, "\(put.text)")
            // What a put says besides, its warnings, as well.
            #expect(try fixture.call("PUT", "/v1/schedules/s", put.text).status == 200)
            #expect(try fixture.call("GET", "/v1/schedules/s").text == shown.text)
        }
    }

    /// Further ahead than nanoseconds reach.
    @Test(arguments: ["2600-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
    func anInstantAtTheEndOfTimeIsWaitedFor(instant: String) throws {
        let fixture = try APIFixture()
        let body = "{\"at\": [\"\(instant)\"], \"task\": {\"handler\": \"echo\"}}"
        #expect(try fixture.call("PUT", "/v1/schedules/s", body).status == 201)
        let next = try fixture.call("GET", "/v1/schedules/s").json()["next"]?.string
        #expect(try next.map(Timestamp.parse) == Timestamp.parse(instant))
        #expect(try fixture.call("POST", "/v1/tasks", #"{"handler": "echo"}"#).status == 201)
        fixture.http.turn { fixture.launched.count == 1 }
    }

    @Test func aPauseStaysUnlessItIsSaid() throws {
        let fixture = try APIFixture()
        var states: [Bool?] = []
        for paused in ["", #", "paused": true"#, "", #", "paused": null"#, #", "paused": false"#] {
            let body = #"{"every": "1h", "task": {"handler": "echo"}"# + paused + "}"
            states.append(try fixture.call("PUT", "/v1/schedules/s", body).json()["paused"]?.bool)
        }
        #expect(states == [false, true, true, true, false])
    }

    @Test func mistakesAreTold() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call(
            "PUT", "/v1/schedules/a%20b",
            #"{"every": "soon", "overlap": "maybe", "task": {"handler": "", "delay": "1s"}}"#)
        #expect(reply.status == 422)
        #expect(
            try reply.json()["errors"]?.elements.map { $0["pointer"]?.string }
                == ["/every", "/overlap", "/task/handler", "/task/delay", ""])
    }

    @Test func aDayThatNeverComesIsTakenWithAWarning() throws {
        let fixture = try APIFixture()
        let reply = try fixture.call(
            "PUT", "/v1/schedules/never",
            #"{"cron": "0 0 31 2 *", "task": {"handler": "echo"}}"#)
        #expect(reply.status == 201)
        #expect(try reply.json()["next"]?.isNull == true)
        #expect(try reply.json()["warnings"]?.elements.count == 1)
        let preview = try fixture.call("GET", "/v1/schedules/never/preview")
        #expect(preview.text == #"{"items":[]}"#)
    }

    @Test func schedulesArePausedAndResumed() throws {
        let fixture = try APIFixture()
        _ = try fixture.call(
            "PUT", "/v1/schedules/tick", #"{"every": "1h", "task": {"handler": "echo"}}"#)
        let paused = try fixture.call("POST", "/v1/schedules/tick/pause")
        #expect(paused.status == 200)
        #expect(try paused.json()["paused"]?.bool == true)
        let resumed = try fixture.call("POST", "/v1/schedules/tick/resume")
        #expect(resumed.status == 200)
        #expect(try resumed.json()["paused"]?.bool == false)
        #expect(try resumed.json()["next"]?.string != nil)
        for action in ["pause", "resume", "trigger", "preview"] {
            let method = action == "preview" ? "GET" : "POST"
            #expect(try fixture.call(method, "/v1/schedules/nope/\(action)").status == 404)
        }
    }

    @Test func whatAPausedScheduleLetPassIsCounted() throws {
        let fixture = try APIFixture()
        _ = try fixture.call(
            "PUT", "/v1/schedules/fast",
            #"{"every": "100ms", "paused": true, "task": {"handler": "echo"}}"#)
        let begin = SystemClock.wallMilliseconds()
        fixture.http.turn { SystemClock.wallMilliseconds() >= begin + 250 }
        let resumed = try fixture.call("POST", "/v1/schedules/fast/resume").json()
        let skipped = try #require(resumed["counters"]?["skipped"]?.integer)
        let most = (SystemClock.wallMilliseconds() - begin) / 100 + 2
        #expect(skipped >= 2 && skipped <= most)
    }

    @Test func aTriggerRunsTheTaskAtOnce() throws {
        let fixture = try APIFixture()
        _ = try fixture.call(
            "PUT", "/v1/schedules/tick",
            #"{"every": "1h", "task": {"handler": "echo", "payload": "{{occurrence}}"}}"#)
        let reply = try fixture.call("POST", "/v1/schedules/tick/trigger")
        #expect(reply.status == 201)
        let task = try reply.json()
        #expect(task["id"]?.string == "t1")
        #expect(task["schedule"]?.string?.hasPrefix("tick@") == true)
        #expect(task["payload"]?.string == task["schedule"]?.string)
        let listed = try fixture.call("GET", "/v1/tasks?schedule=tick").json()
        #expect(listed["items"]?.elements.count == 1)
    }

    @Test func previewsTellTheNextTimes() throws {
        let fixture = try APIFixture()
        _ = try fixture.call(
            "PUT", "/v1/schedules/tick", #"{"every": "90s", "task": {"handler": "echo"}}"#)
        let items =
            try fixture.call("GET", "/v1/schedules/tick/preview?count=3")
            .json()["items"]?.elements ?? []
        let times = try items.map { try Timestamp.parse($0["at"]?.string ?? "") }
        #expect(times.count == 3)
        #expect(times[1] - times[0] == 90_000 && times[2] - times[1] == 90_000)
        #expect(items.allSatisfy { $0["change"]?.isNull == true })
        #expect(try fixture.call("GET", "/v1/schedules/tick/preview?count=0").status == 422)
    }

    @Test func whatIsReturnedCanBePutAgain() throws {
        let fixture = try APIFixture()
        _ = try fixture.call("PUT", "/v1/templates/letter", #"{"task": {"handler": "echo"}}"#)
        for body in [
            #"{"every": "1h", "task": {"template": "letter"}}"#,
            #"{"cron": "0 9 * * *", "zone": "UTC", "overlap": "buffer", "catchUp": {"all": 3}, "jitter": "5s","#
                + #" "dst": {"gap": "skip"}, "task": {"handler": "echo", "tags": ["a"], "payload": [1.50]}}"#,
            #"{"every": "1h", "phase": "5m", "until": "2030-01-01T00:00:00Z", "task": {"handler": "echo"}}"#,
            #"{"at": ["2099-01-01T00:00:00.000Z"], "task": {"handler": "echo"}, "paused": true}"#,
        ] {
            _ = try fixture.call("PUT", "/v1/schedules/s", body)
            let first = try fixture.call("GET", "/v1/schedules/s").json()
            let changes = try JSONDocument("{}").root
            let again = ScheduleUpdate(schedule: first, changes: changes).body()
            let reply = try fixture.call(
                "PUT", "/v1/schedules/s", String(decoding: again, as: UTF8.self))
            #expect(reply.status == 200, "\(reply.text)")
            let second = try fixture.call("GET", "/v1/schedules/s").json()
            #expect(second.source == first.source)
        }
    }

    @Test func endsOfOccurrencesAreListedNewestFirst() throws {
        let fixture = try APIFixture()
        _ = try fixture.call(
            "PUT", "/v1/schedules/fast",
            #"{"every": "100ms", "overlap": "skip", "task": {"handler": "nobody"}}"#)
        func ends() throws -> [JSONValue] {
            try fixture.call("GET", "/v1/schedules/fast/occurrences").json()["items"]?.elements
                ?? []
        }
        let end = SystemClock.wallMilliseconds() + 20_000
        while try ends().count < 3, SystemClock.wallMilliseconds() < end {
            let until = SystemClock.wallMilliseconds() + 50
            fixture.http.turn { SystemClock.wallMilliseconds() >= until }
        }
        let found = try ends().reversed()
        #expect(found.first?["state"]?.string == "ran" && found.first?["task"]?.string == "t1")
        for item in found.dropFirst() {
            #expect(item["state"]?.string == "skipped" && item["reason"]?.string == "overlap")
            #expect(item["count"]?.integer == 1 && item["task"]?.isNull == true)
        }
        #expect(try fixture.call("GET", "/v1/schedules/nope/occurrences").status == 404)
    }

    @Test func listsArePagedByName() throws {
        let fixture = try APIFixture()
        for name in ["c", "a", "b"] {
            _ = try fixture.call(
                "PUT", "/v1/schedules/\(name)", #"{"every": "1h", "task": {"handler": "echo"}}"#)
        }
        let first = try fixture.call("GET", "/v1/schedules?limit=2").json()
        #expect(first["items"]?.elements.map { $0["name"]?.string } == ["a", "b"])
        #expect(first["next"]?.string == "b")
        let second = try fixture.call("GET", "/v1/schedules?limit=2&cursor=b").json()
        #expect(second["items"]?.elements.map { $0["name"]?.string } == ["c"])
        #expect(second["next"]?.isNull == true)
    }

    @Test func aBackfillIsStartedToldOfAndEnded() throws {
        let fixture = try APIFixture()
        let schedule = #"{"every": "1h", "task": {"handler": "echo"}}"#
        #expect(try fixture.call("PUT", "/v1/schedules/s", schedule).status == 201)
        let path = "/v1/schedules/s/backfill"
        let mistakes = try fixture.call("POST", path, #"{"to": 5, "overlap": "skip", "x": 1}"#)
        #expect(mistakes.status == 422)
        #expect(
            try mistakes.json()["errors"]?.elements.map { $0["pointer"]?.string }
                == ["/from", "/to", "/overlap", "/x"])
        let ahead = try fixture.call("POST", path, #"{"from": "2999-01-01T00:00:00Z"}"#)
        #expect(ahead.status == 422)
        let range = #"{"from": "1970-01-01T00:00:00Z", "to": "1970-01-01T00:00:00Z"}"#
        let started = try fixture.call("POST", path, range)
        #expect(started.status == 202)
        let backfill = try started.json()["backfill"]
        #expect(backfill?["overlap"]?.string == "allow")
        #expect(backfill?["from"]?.string == "1970-01-01T00:00:00.000Z")
        #expect(try fixture.call("DELETE", "/v1/schedules/none/backfill").status == 404)
        #expect(try fixture.call("POST", "/v1/schedules/none/backfill", range).status == 404)
        #expect(try fixture.call("GET", path).status == 405)
    }

    @Test func aScheduleByHandNeverRunsByItself() throws {
        let fixture = try APIFixture()
        let schedule = #"{"cron": "@manually", "task": {"handler": "echo"}}"#
        let put = try fixture.call("PUT", "/v1/schedules/m", schedule)
        #expect(put.status == 201)
        #expect(try put.json()["next"]?.isNull == true)
        #expect(try put.json()["warnings"] == nil)
        #expect(try fixture.call("POST", "/v1/schedules/m/trigger").status == 201)
    }
}
