import Glibc
import Scheduler
import Testing

@testable import Node

/// Many attempts in one process or request.
@Suite(.serialized) struct BatchTests {
    private func bench(
        _ script: String, max: Int = 3, lingerMilliseconds: Int64 = 60_000,
        timeoutMilliseconds: Int64? = nil
    ) throws -> WorkerBench {
        try WorkerBench([
            "run": .command(
                CommandHandler(
                    arguments: ["/bin/sh", "-c", script], timeoutMilliseconds: timeoutMilliseconds,
                    batch: BatchSpec(maxCount: max, lingerMilliseconds: lingerMilliseconds)))
        ])
    }

    /// Answers each line with its number in the batch and the line itself.
    private static let numbering = """
        n=0
        while read -r line; do
            n=$((n + 1))
            task=${line#*:\\"}; task=${task%%\\"*}
            printf '%s\\n' "{\\"task\\":\\"$task\\",\\"result\\":[$n,$CARILLON_BATCH,$line]}"
        done
        """

    @Test func aFullBatchDepartsAtOnce() throws {
        let bench = try bench(Self.numbering)
        for text in ["1", "{\n\"a\":\r\n 2}", "\"x\\ny\""] {
            bench.worker.start(bench.assignment(payload: text))
        }
        bench.turn(until: { bench.finishes.count == 3 })
        let results = bench.finishes.sorted { $0.task < $1.task }.map(\.result.text)
        #expect(
            results == [
                #"[1,3,{"task":"t1","attempt":1,"fence":901,"payload":1}]"#,
                #"[2,3,{"task":"t2","attempt":1,"fence":902,"payload":{ "a":   2}}]"#,
                #"[3,3,{"task":"t3","attempt":1,"fence":903,"payload":"x\ny"}]"#,
            ])
        #expect(bench.worker.runningCount == 0)
    }

    @Test func tasksOfTwoNamespacesDoNotRunTogether() throws {
        let bench = try bench(
            #"cat > /dev/null; echo "$CARILLON_NAMESPACE $CARILLON_BATCH" >&2"#, max: 2)
        var logs: [TaskID: String] = [:]
        bench.worker.onLog = {
            logs[$0.task, default: ""] += String(decoding: $1, as: UTF8.self)
        }
        for name in ["default", "shop", "shop", "default"] {
            var assignment = bench.assignment()
            assignment.namespace = Namespace(name: name)
            bench.worker.start(assignment)
        }
        bench.turn(until: { bench.finishes.count == 4 })
        #expect(
            logs == [
                TaskID(1): "default 2\n", TaskID(2): "shop 2\n", TaskID(3): "shop 2\n",
                TaskID(4): "default 2\n",
            ])
    }

    @Test func theFirstOneDoesNotWaitForLongerThanItsLinger() throws {
        let bench = try bench(Self.numbering, lingerMilliseconds: 30)
        let result = bench.run(bench.assignment(payload: "7"))
        #expect(result?.text == #"[1,1,{"task":"t1","attempt":1,"fence":901,"payload":7}]"#)
    }

    @Test func eachTaskHasItsOwnAnswer() throws {
        let bench = try bench(
            """
            cat > /dev/null
            echo '{"task":"t1","result":{"ok":true}}'
            echo 'not an answer'
            echo '{"task":"t2","error":"no such user","kind":"user","retry":false}'
            echo '{"task":"t1","result":"a second answer"}'
            echo '{"task":"t99","result":1}'
            """)
        for _ in 0..<3 { bench.worker.start(bench.assignment()) }
        bench.turn(until: { bench.finishes.count == 3 })
        let results = bench.finishes.sorted { $0.task < $1.task }.map(\.result)
        #expect(results[0].text == #"{"ok":true}"#)
        #expect(results[1].failure?.message == "no such user")
        #expect(results[1].failure?.kind == "user" && results[1].failure?.isRetryable == false)
        #expect(results[2].failure?.message == "the batch has no answer for this task")
        #expect(results[2].failure?.isRetryable == true)
    }

    @Test func whatFailsTheBatchFailsThoseWithoutAnAnswer() throws {
        let bench = try bench(
            #"cat > /dev/null; echo '{"task":"t2","result":2}'; echo full >&2; exit 75"#)
        for _ in 0..<3 { bench.worker.start(bench.assignment()) }
        bench.turn(until: { bench.finishes.count == 3 })
        let results = bench.finishes.sorted { $0.task < $1.task }.map(\.result)
        #expect(results[1].text == "2")
        for result in [results[0], results[2]] {
            #expect(
                result.failure?.kind == "temporary" && result.failure?.message == "exit 75: full")
        }
    }

    @Test func oneThatIsTakenAwayLeavesTheOthersAlone() throws {
        let bench = try bench("sleep 0.2; \(Self.numbering)")
        let all = (0..<3).map { _ in bench.assignment() }
        for assignment in all.prefix(2) { bench.worker.start(assignment) }
        // It has not departed yet.
        bench.worker.stop(task: all[0].task, attempt: 1, reason: .revoked)
        #expect(bench.worker.runningCount == 1)
        let fourth = bench.assignment()
        for assignment in [all[2], fourth] { bench.worker.start(assignment) }
        // It is on its way: its answer is passed over.
        bench.worker.stop(task: fourth.task, attempt: 1, reason: .revoked)
        bench.turn(until: { bench.worker.runningCount == 0 })
        bench.turn(until: { bench.finishes.count == 2 })
        #expect(bench.finishes.map(\.task).sorted() == [all[1].task, all[2].task])
        #expect(bench.finishes.allSatisfy { $0.result.text != nil })
    }

    @Test func theLongestTimeoutStopsTheBatch() throws {
        let bench = try bench("exec sleep 1000", max: 2)
        bench.worker.start(bench.assignment(timeoutMilliseconds: 20))
        bench.worker.start(bench.assignment(timeoutMilliseconds: 300))
        bench.turn(until: { bench.finishes.count == 2 })
        #expect(bench.finishes.allSatisfy { $0.result.failure?.kind == "timeout" })
        let messages = bench.finishes.sorted { $0.task < $1.task }.map(\.result.failure?.message)
        #expect(messages == ["did not finish within 20ms", "did not finish within 300ms"])
    }

    @Test func aStoppedBatchIsHandedBackAsAWhole() throws {
        let bench = try bench("echo up >&2; exec sleep 1000", max: 2)
        let waiting = bench.assignment("echo", payload: "1")
        for _ in 0..<2 { bench.worker.start(bench.assignment()) }
        bench.turn(until: { !bench.log.isEmpty })
        bench.worker.start(bench.assignment())
        bench.worker.stopAll(reason: .shutdown)
        bench.turn(until: { bench.finishes.count == 3 })
        #expect(bench.finishes.allSatisfy { $0.result == .returned })
        let unbegun = bench.finishes.filter { !$0.hasBegun }.map(\.task)
        #expect(unbegun == [TaskID(4)], "it waited for others")
        #expect(bench.run(waiting)?.text == "1", "the worker goes on")
    }

    @Test func aWorkerThatGoesAwayLetsNobodyGather() throws {
        let loop = try Loop()
        var worker: LocalWorker? = LocalWorker(
            loop: loop,
            handlers: [
                "run": .command(
                    CommandHandler(
                        arguments: ["true"], timeoutMilliseconds: nil,
                        batch: BatchSpec(maxCount: 9, lingerMilliseconds: 1)))
            ])
        let bench = try WorkerBench()
        worker?.start(bench.assignment())
        worker = nil
        for _ in 0..<5 { loop.turn(maxWaitMilliseconds: 2) }
    }

    @Test func requestsCarryALineForEachTask() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try WorkerBench([
            "run": .http(
                HTTPHandler(
                    method: "POST",
                    url: try Template("http://127.0.0.1:\(server.port)/batch", for: .url),
                    headers: [], body: nil, timeoutMilliseconds: nil,
                    batch: BatchSpec(maxCount: 2, lingerMilliseconds: 60_000)))
        ])
        for text in ["1", "{\"b\": 2}"] { bench.worker.start(bench.assignment(payload: text)) }
        bench.turn(until: { bench.finishes.count == 2 })
        let results = bench.finishes.sorted { $0.task < $1.task }.map(\.result)
        #expect(results[0].text == "\"first\"")
        #expect(results[1].failure?.message == "no" && results[1].failure?.kind == "error")
        let request = try #require(server.requests.first)
        #expect(request.lowercased().contains("content-type: application/x-ndjson\r\n"))
        #expect(!request.lowercased().contains("carillon-task:"))
        #expect(
            request.hasSuffix(
                "\r\n\r\n{\"task\":\"t1\",\"attempt\":1,\"fence\":901,\"payload\":1}\n"
                    + "{\"task\":\"t2\",\"attempt\":1,\"fence\":902,\"payload\":{\"b\": 2}}\n"))
    }

    @Test func aRefusedRequestFailsAllOfThem() throws {
        let server = try AnsweringServer()
        defer { server.stop() }
        let bench = try WorkerBench([
            "run": .http(
                HTTPHandler(
                    method: "POST",
                    url: try Template("http://127.0.0.1:\(server.port)/busy", for: .url),
                    headers: [], body: nil, timeoutMilliseconds: nil,
                    batch: BatchSpec(maxCount: 2, lingerMilliseconds: 60_000)))
        ])
        for _ in 0..<2 { bench.worker.start(bench.assignment()) }
        bench.turn(until: { bench.finishes.count == 2 })
        for finish in bench.finishes {
            #expect(finish.result.failure?.retryAfterMilliseconds == 7_000)
        }
    }
}
