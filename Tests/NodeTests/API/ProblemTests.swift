import Scheduler
import Testing

@testable import Node

@Suite struct ProblemTests {
    @Test func aProblemIsADocumentOfItsOwnType() throws {
        let problem = Problem.invalid([
            JSONProblem(pointer: "/handler", detail: "is required"),
            JSONProblem(pointer: "?limit", detail: "\"x\" is not a number"),
        ])
        let response = problem.response
        #expect(response.status == 422)
        #expect(response.contentType == "application/problem+json")
        let value = try JSONDocument(response.body).root
        #expect(value["type"]?.string == "urn:carillon:problem:invalid")
        #expect(value["title"]?.string == "Unprocessable Content")
        #expect(value["status"]?.integer == 422)
        #expect(value["errors"]?.elements.map { $0["pointer"]?.string } == ["/handler", "?limit"])
        #expect(value["errors"]?.elements[1]["detail"]?.string == "\"x\" is not a number")
    }

    @Test func refusalsTellWhenToComeAgain() {
        for (refusal, status) in [
            (Refusal.overloaded, 429), (.noLeader, 503), (.outcomeUnknown, 503),
        ] {
            let response = Problem.refused(refusal).response
            #expect(response.status == status)
            #expect(response.headers.contains { $0.name == "retry-after" && $0.value == "1" })
        }
        #expect(Problem.refused(.outcomeUnknown).detail.contains("same Idempotency-Key is safe"))
    }

    @Test func rejectionsHaveTheStatusOfTheirMeaning() {
        let expected: [(Rejection, Int)] = [
            (.notFound, 404), (.wrongState, 409), (.staleAttempt, 409), (.staleIncarnation, 409),
            (.full, 429), (.malformed, 422), (.keyConflict, 409),
            (.memberExists, 409), (.notSupportedYet, 409), (.lastMember, 409), (.tooOld, 409),
            (.queueFull, 429), (.missingDependency, 422), (.nodeName, 409),
            (.tooManyBulkJobs, 429),
            (.namespaceFull, 429), (.namespaceRate, 429),
        ]
        #expect(expected.map(\.0) == Rejection.allCases)
        for (rejection, status) in expected {
            let problem = Problem.rejected(rejection, noun: "task", name: "t1", wrongState: "w")
            #expect(problem.status == status)
            #expect((problem.retryAfterSeconds != nil) == (status == 429))
        }
    }

    @Test func whatIsReturnedWithAHeaderStandsInTheBodyAsWell() throws {
        var problem = Problem.full("queues")
        problem.retryAfterSeconds = 90
        let response = problem.response
        #expect(response.headers.contains { $0.name == "retry-after" && $0.value == "90" })
        let value = try JSONDocument(response.body).root
        #expect(value["retryAfter"]?.string == "1m30s")
        #expect(value["detail"]?.string?.contains("as many queues as it may") == true)
    }

    @Test(arguments: [
        ("task", "another handler or payload"), ("workflow", "another workflow"),
        ("bulk job", "another action"),
    ])
    func aKeyConflictSaysWhatOf(noun: String, words: String) {
        let problem = Problem.rejected(.keyConflict, noun: noun, name: "", wrongState: "")
        #expect(problem.detail.contains(words))
    }

    @Test func wrongMethodsNameTheRightOnes() {
        let response = Problem.methodNotAllowed(.patch, allow: "GET, POST").response
        #expect(response.status == 405)
        #expect(response.headers.contains { $0.name == "allow" && $0.value == "GET, POST" })
    }

    @Test func brokenJSONIsToldWithItsPlace() throws {
        do {
            _ = try JSONDocument("{\"a\": tru}")
            Issue.record("that is not JSON")
        } catch {
            let problem = Problem.notJSON(error)
            #expect(problem.status == 400)
            #expect(problem.detail.contains("byte \(error.offset)"))
        }
    }
}
