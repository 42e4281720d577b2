import Glibc
import Scheduler
import Testing

@testable import Node

/// Real processes. In series: some tests count what this process has open.
@Suite(.serialized) struct CommandHandlerTests {
    @Test func passesPayloadAndIdentity() throws {
        let bench = try WorkerBench(
            script: """
                printf '{"in":'; cat
                printf ',"env":["%s","%s","%s","%s","%s","%s"]}' "$CARILLON_TASK_ID" "$CARILLON_ATTEMPT" \
                    "$CARILLON_FENCE" "$CARILLON_SCHEDULED_AT" "$CARILLON_SCHEDULE" "$CARILLON_OCCURRENCE"
                """)
        let result = bench.run(
            bench.assignment(payload: "{ \"a\":1e400}", attempt: 3, schedule: "nightly"))
        #expect(
            result?.text
                == #"{"in":{ "a":1e400},"env":["t1","3","901","2026-11-21T08:04:20.500Z","nightly","#
                + #""nightly@2026-11-21T08:04:20Z"]}"#)
    }

    @Test func getsTheResultsOfThoseItWaitedFor() throws {
        let bench = try WorkerBench(
            script: "printf '[%s,' \"${CARILLON_INPUTS-null}\"; cat; printf ']'")
        let large = Array("\"\(String(repeating: "x", count: WorkerLimits.maxInputsBytes))\"".utf8)
        let small = TaskInput(name: "t8", result: Array("{ }".utf8))
        #expect(
            bench.run(bench.assignment(payload: "\"{{results.t8}}\"", inputs: [small]))?.text
                == #"[{"t8":{ }},{ }]"#)
        let both = [small, TaskInput(name: "t9", result: large)]
        #expect(
            bench.run(bench.assignment(payload: "\"{{results.t8}}\"", inputs: both))?.text
                == "[null,{ }]")
        let missing = bench.run(bench.assignment(payload: "\"{{results.t1}}\"", inputs: [small]))
        #expect(missing?.failure?.kind == "payload" && missing?.failure?.isRetryable == false)
    }

    @Test func inheritsTheEnvironmentButNotAnotherTasksVariables() throws {
        let bench = try WorkerBench(
            [
                "run": .command(
                    CommandHandler(
                        arguments: [
                            "/bin/sh", "-c", "echo \"$GREETING ${CARILLON_SCHEDULE-none}\"",
                        ],
                        timeoutMilliseconds: nil))
            ], inherited: ["GREETING=hello", "CARILLON_SCHEDULE=outer", "PATH=/usr/bin:/bin"])
        #expect(bench.run(bench.assignment())?.text == "\"hello none\"")
    }

    @Test(arguments: [
        ("printf ' {\"a\": [1, 2]}\\n\\n'", "{\"a\": [1, 2]}"), ("echo hello", "\"hello\""),
        ("printf 'a\\n\\n'", "\"a\\n\""), ("true", "\"\""), ("echo 42", "42"),
        ("printf '  '", "\"  \""),
        ("printf 'a\\377b'", "\"a\u{FFFD}b\""), ("echo '{\"a\":1,}'", "\"{\\\"a\\\":1,}\""),
    ])
    func outputIsTheResult(script: String, expected: String) throws {
        let bench = try WorkerBench(script: script)
        #expect(bench.run(bench.assignment())?.text == expected)
    }

    @Test func exitCodeAndLastLineOfTheLogAreTheError() throws {
        let bench = try WorkerBench(
            script: "echo out; echo first >&2; echo 'disk full\t!' >&2; echo >&2; exit 3")
        let failure = bench.run(bench.assignment())?.failure
        #expect(failure?.kind == "exit")
        #expect(failure?.message == "exit 3: disk full !")
        #expect(failure?.isRetryable == true)
        #expect(bench.logText == "first\ndisk full\t!\n\n")
    }

    /// `EX_TEMPFAIL` of sysexits.h.
    @Test func exitCode75SaysThatItPasses() throws {
        let bench = try WorkerBench(script: "echo busy >&2; exit 75")
        let failure = bench.run(bench.assignment())?.failure
        #expect(failure?.kind == "temporary" && failure?.isRetryable == true)
        #expect(failure?.message == "exit 75: busy")
    }

    @Test func namesTheSignal() throws {
        let bench = try WorkerBench(script: "kill -SEGV $$")
        let failure = bench.run(bench.assignment())?.failure
        #expect(failure?.kind == "signal")
        #expect(failure?.message == "killed by SIGSEGV")
    }

    @Test(arguments: ["/nonexistent/tool", "no-such-executable-anywhere", "/etc/passwd", "/tmp"])
    func missingExecutablesFailForGood(path: String) throws {
        let bench = try WorkerBench([
            "run": .command(CommandHandler(arguments: [path], timeoutMilliseconds: nil))
        ])
        let failure = bench.run(bench.assignment())?.failure
        #expect(failure?.kind == "handler")
        #expect(failure?.isRetryable == false)
        #expect(failure?.message.contains(path) == true)
        #expect(bench.worker.runningCount == 0)
    }

    @Test func reportsProgress() throws {
        let bench = try WorkerBench(
            script: """
                echo '{"progress": 40, "note": "half way"}' >&3
                echo 'nonsense' >&3
                head -c 10000 /dev/zero | tr '\\0' x >&3; echo >&3
                echo '{"progress": 101}' >&3
                printf '{"progress": 99.5}' >&3
                """)
        #expect(bench.run(bench.assignment())?.text == "\"\"")
        #expect(bench.reports.last == AttemptProgress(percent: 99, note: nil))
        #expect(bench.logText.contains("carillon: progress line ignored: expected a value"))
        #expect(bench.logText.contains("longer than 4096 bytes"))
        #expect(bench.logText.contains("expected a number from 0 to 100"))
    }

    @Test func inputMayBeIgnored() throws {
        let bench = try WorkerBench(script: "exec 0<&-; echo done")
        let payload = "\"" + String(repeating: "x", count: 1_000_000) + "\""
        #expect(bench.run(bench.assignment(payload: payload))?.text == "\"done\"")
        #expect(bench.run(bench.assignment())?.text == "\"done\"")
    }

    @Test func largeInputArrivesWhole() throws {
        let bench = try WorkerBench(script: "sleep 0.05; wc -c")
        let payload = "\"" + String(repeating: "x", count: 1_000_000) + "\""
        #expect(bench.run(bench.assignment(payload: payload))?.text == "1000002")
    }

    @Test func hugeOutputIsAFailureAndTakesNoMemory() throws {
        let bench = try WorkerBench(script: "head -c 30000000 /dev/zero")
        let failure = bench.run(bench.assignment())?.failure
        #expect(failure?.kind == "resultTooLarge")
        #expect(failure?.isRetryable == false)
    }

    @Test func theLogIsBounded() throws {
        let bench = try WorkerBench(
            script: "head -c 3000000 /dev/zero | tr '\\0' y >&2; echo >&2; echo last >&2; exit 1")
        let failure = bench.run(bench.assignment())?.failure
        #expect(failure?.message == "exit 1: last")
        #expect(bench.log.count < WorkerLimits.maxLogBytesPerAttempt + 100)
        #expect(bench.logText.hasSuffix("carillon: the log is full, what follows is not kept\n"))
    }

    @Test func aGrandchildWithTheOutputOpenDelaysNothing() throws {
        let directory = try ScratchDirectory()
        let bench = try WorkerBench(
            script: "sleep 600 & echo $! > \(directory.path)/pid; echo parent")
        #expect(bench.run(bench.assignment())?.text == "\"parent\"")
        let grandchild = try #require(Int(directory.text("pid")?.dropLast() ?? ""))
        #expect(ProcessState.isRunning(grandchild))
        kill(pid_t(grandchild), SIGKILL)
    }

    @Test func timeoutEndsTheWholeGroup() throws {
        let directory = try ScratchDirectory()
        let bench = try WorkerBench(
            script: """
                (trap '' TERM; echo $$ > /dev/null; exec sleep 600) & echo $! > \(directory.path)/pid
                wait
                """, timeoutMilliseconds: 150)
        let failure = bench.run(bench.assignment())?.failure
        #expect(failure?.kind == "timeout")
        #expect(failure?.message == "did not finish within 150ms")
        let grandchild = try #require(Int(directory.text("pid")?.dropLast() ?? ""))
        bench.turn(until: { !ProcessState.isRunning(grandchild) })
    }

    @Test func whoIgnoresTheRequestToEndIsKilledAfterTheGrace() throws {
        let bench = try WorkerBench(
            script: "trap '' TERM; while :; do sleep 0.02; done", timeoutMilliseconds: 100,
            graceMilliseconds: 100)
        #expect(bench.run(bench.assignment())?.failure?.kind == "timeout")
    }

    @Test func theShorterTimeoutCounts() throws {
        let bench = try WorkerBench(script: "exec sleep 600", timeoutMilliseconds: 600_000)
        let failure = bench.run(bench.assignment(timeoutMilliseconds: 50))?.failure
        #expect(failure?.message == "did not finish within 50ms")
    }

    @Test func signalsReachProcessesThoughTheLoopBlocksThem() throws {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        defer { pthread_sigmask(SIG_UNBLOCK, &set, nil) }
        let bench = try WorkerBench(script: "kill -TERM $$; sleep 600")
        #expect(bench.run(bench.assignment())?.failure?.message == "killed by SIGTERM")
    }

    @Test func aProcessHasNoDescriptorsButItsOwn() throws {
        let outer = open("/dev/null", O_RDONLY)
        defer { close(outer) }
        let bench = try WorkerBench([
            "run": .command(
                CommandHandler(arguments: ["ls", "/proc/self/fd"], timeoutMilliseconds: nil))
        ])
        // The fourth is the directory that ls reads.
        #expect(bench.run(bench.assignment())?.text == "\"0\\n1\\n2\\n3\\n4\"")
    }

    @Test func stoppedProcessesEndBeforeTheyAreReported() throws {
        let directory = try ScratchDirectory()
        let bench = try WorkerBench(
            script: "echo $$ > \(directory.path)/pid; echo ready >&2; exec sleep 600")
        let revoked = bench.assignment()
        bench.worker.start(revoked)
        bench.turn(until: { bench.logText == "ready\n" })
        let process = try #require(Int(directory.text("pid")?.dropLast() ?? ""))
        bench.worker.stop(task: revoked.task, attempt: 1, reason: .revoked)
        #expect(bench.worker.runningCount == 1 && bench.revoked.isEmpty, "it writes still")
        bench.turn(until: { bench.worker.runningCount == 0 })
        #expect(bench.revoked == [revoked.task])
        #expect(!ProcessState.isRunning(process))
        #expect(bench.finishes.isEmpty)
        bench.worker.start(bench.assignment())
        bench.turn(until: { bench.logText == "ready\nready\n" })
        bench.worker.stopAll(reason: .shutdown)
        bench.turn(until: { bench.finishes.count == 1 })
        #expect(bench.finishes[0].result == .returned && bench.finishes[0].hasBegun)
    }

    @Test func stoppingOneThatWaitsToBeLaunchedLaunchesNothing() throws {
        let directory = try ScratchDirectory()
        let bench = try WorkerBench(script: "echo x >> \(directory.path)/started; exec sleep 600")
        let all = (0..<10).map { _ in bench.assignment() }
        for assignment in all { bench.worker.start(assignment) }
        bench.worker.stopAll(reason: .shutdown)
        bench.turn(until: { bench.finishes.count == 10 })
        let started = directory.text("started")?.count ?? 0
        #expect(started <= 2 * WorkerLimits.maxLaunchesInFlight)
        #expect(bench.finishes.allSatisfy { $0.result == .returned })
        let begun = bench.finishes.filter(\.hasBegun).count
        #expect(begun <= WorkerLimits.maxLaunchesInFlight)
        #expect(2 * begun >= started, "each of them wrote two bytes, if it came so far")
    }

    @Test func twoHundredAtOnceLeaveNothingBehind() throws {
        let bench = try WorkerBench(script: "cat; exit 0")
        let before = ProcessState.descriptors()
        let all = (0..<200).map { bench.assignment(payload: "\($0)") }
        for assignment in all { bench.worker.start(assignment) }
        bench.turn(until: { bench.finishes.count == 200 })
        for finish in bench.finishes {
            #expect(finish.result.text == "\(finish.task.number - 1)")
        }
        let after = ProcessState.descriptors()
        #expect(after.filter { $0.contains("pidfd") }.isEmpty)
        // Other tests may have pipes of their own, but not hundreds.
        let grown =
            after.filter { $0.hasPrefix("pipe:") }.count
            - before.filter { $0.hasPrefix("pipe:") }.count
        #expect(grown < 100)
        #expect(bench.worker.runningCount == 0)
    }

    @Test func aLostLeaseLeavesNoTimeToThoseWhoIgnoreIt() throws {
        let bench = try WorkerBench(
            script: "trap '' TERM; echo ready >&2; while :; do sleep 0.02; done",
            graceMilliseconds: 3_600_000)
        bench.worker.start(bench.assignment())
        bench.turn(until: { bench.logText == "ready\n" })
        bench.worker.stopAll(reason: .shutdown)
        bench.worker.stopAll(reason: .leaseLost, graceMilliseconds: 0)
        bench.worker.stopAll(reason: .shutdown)
        bench.turn(until: { bench.finishes.count == 1 })
        #expect(bench.finishes[0].result == .returned)
    }

    @Test func killAllEndsAtOnce() throws {
        let bench = try WorkerBench(script: "trap '' TERM; echo ready >&2; exec sleep 600")
        bench.worker.start(bench.assignment())
        bench.turn(until: { bench.logText == "ready\n" })
        bench.worker.killAll()
        bench.turn(until: { bench.finishes.count == 1 })
        #expect(bench.finishes[0].result.failure?.message == "killed by SIGKILL: ready")
    }

    @Test func aWorkerThatGoesAwayTakesItsProcessesWithIt() throws {
        let directory = try ScratchDirectory()
        var bench: WorkerBench? = try WorkerBench(
            script: "echo $$ > \(directory.path)/pid; echo ready >&2; exec sleep 600")
        bench?.worker.start(try #require(bench).assignment())
        bench?.turn(until: { bench?.log.isEmpty == false })
        let process = try #require(Int(directory.text("pid")?.dropLast() ?? ""))
        bench = nil
        #expect(!ProcessState.isRunning(process))
    }
}
