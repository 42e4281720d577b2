import CLinux
import Glibc
import Synchronization
import Testing

@testable import Node

@Suite struct LoopTests {
    @Test func timersFireInOrderAndNeverEarly() throws {
        let loop = try Loop()
        let start = Loop.clock()
        var fired: [(name: Int, due: UInt64, at: UInt64)] = []
        for (name, microseconds) in [(0, 3_000), (1, 200), (2, 1_500), (3, 200)] {
            let due = start + UInt64(microseconds) * 1_000
            loop.schedule(at: due) { fired.append((name, due, Loop.clock())) }
        }
        while fired.count < 4 { loop.turn() }
        #expect(fired.map(\.name) == [1, 3, 2, 0])
        for timer in fired { #expect(timer.at >= timer.due) }
    }

    @Test func anEarlierTimerReplacesTheArmedOne() throws {
        let loop = try Loop()
        var fired = false
        loop.schedule(at: Loop.clock() + 3_600_000_000_000) {}
        loop.turn(maxWaitMilliseconds: 0)
        loop.schedule(at: Loop.clock() + 1_000_000) { fired = true }
        // Without re-arming this would wait for as long as it may.
        let start = Loop.clock()
        while !fired { loop.turn(maxWaitMilliseconds: 60_000) }
        #expect(Loop.clock() - start < 60_000_000_000)
    }

    @Test func cancelledTimersDoNotFire() throws {
        let loop = try Loop()
        var fired: [Int] = []
        let timer = loop.schedule(at: Loop.clock() + 100_000) { fired.append(1) }
        loop.schedule(at: Loop.clock() + 500_000) { fired.append(2) }
        #expect(loop.cancel(timer))
        while fired.isEmpty { loop.turn() }
        #expect(fired == [2])
    }

    @Test func anOverdueTimerThatSchedulesItselfLetsTheTurnEnd() throws {
        let loop = try Loop()
        var count = 0
        func again() {
            count += 1
            loop.schedule(at: 0, again)
        }
        loop.schedule(at: 0, again)
        loop.turn()
        #expect(count == 1)
        loop.turn()
        #expect(count == 2)
    }

    @Test func turnEndComesAfterEventsAndTimersAndBeforeTheNextTurn() throws {
        let loop = try Loop()
        let mailbox = try Mailbox<Int>()
        var order: [String] = []
        try loop.attach(mailbox) { order.append("message \($0)") }
        loop.schedule(at: 0) { order.append("timer") }
        loop.later { order.append("later") }
        loop.onTurnEnd = { order.append("end") }
        mailbox.post(1)
        loop.turn()
        #expect(order == ["later", "message 1", "timer", "end"])
    }

    @Test func whatIsPutOffInATurnRunsInTheNext() throws {
        let loop = try Loop()
        var order: [Int] = []
        loop.later {
            order.append(1)
            loop.later { order.append(2) }
        }
        loop.turn()
        #expect(order == [1])
        loop.turn()
        #expect(order == [1, 2])
    }

    @Test func runEndsAfterStop() throws {
        let loop = try Loop()
        loop.schedule(at: Loop.clock() + 100_000) { loop.stop() }
        loop.run()
        #expect(loop.statistics.turns.count > 0)
    }

    /// Two descriptors are ready in one turn; the first handler closes the second one, whose number a
    /// new one gets at once. The event already fetched must not reach the new one.
    @Test func anEventOfAClosedDescriptorDoesNotReachItsSuccessor() throws {
        let loop = try Loop()
        var pipes: [(read: Int32, write: Int32)] = []
        for _ in 0..<2 {
            var ends: [Int32] = [0, 0]
            #expect(pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0)
            pipes.append((ends[0], ends[1]))
            #expect(write(ends[1], "x", 1) == 1)
        }
        var registrations: [Registration?] = [nil, nil]
        var calls = 0
        var successorCalls = 0
        var successor: (read: Int32, write: Int32)?
        for index in 0..<2 {
            registrations[index] = try loop.register(pipes[index].read, for: .readable) { _ in
                calls += 1
                let other = 1 - index
                guard successor == nil, let registration = registrations[other] else { return }
                loop.deregister(registration)
                var ends: [Int32] = [0, 0]
                guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { return }
                // Closes and reuses the number in one step: a test beside this one cannot get it.
                dup2(ends[0], pipes[other].read)
                close(ends[0])
                successor = (pipes[other].read, ends[1])
                do throws(IOError) {
                    _ = try loop.register(pipes[other].read, for: .readable) { _ in
                        successorCalls += 1
                    }
                } catch {
                    Issue.record(error)
                }
            }
        }
        loop.turn()
        #expect(calls == 1)
        #expect(successorCalls == 0)
        if let successor { #expect(write(successor.write, "y", 1) == 1) }
        loop.turn()
        #expect(successorCalls == 1)
    }

    @Test func mailboxKeepsEveryThreadsOrderAndLosesNothing() throws {
        let loop = try Loop()
        let mailbox = try Mailbox<(thread: Int, number: Int)>()
        var next = [0, 0, 0, 0]
        var inOrder = true
        var total = 0
        try loop.attach(mailbox) { message in
            inOrder = inOrder && message.number == next[message.thread]
            next[message.thread] += 1
            total += 1
        }
        for thread in 0..<4 {
            try SystemThread.detached(name: "poster") {
                for number in 0..<5_000 { mailbox.post((thread, number)) }
            }
        }
        while total < 20_000 { loop.turn() }
        #expect(inOrder)
        #expect(next == [5_000, 5_000, 5_000, 5_000])
    }

    @Test func aMessagePostedWhileHandlingIsNotForgotten() throws {
        let loop = try Loop()
        let mailbox = try Mailbox<Int>()
        var seen: [Int] = []
        try loop.attach(mailbox) { number in
            seen.append(number)
            if number < 3 { mailbox.post(number + 1) }
        }
        mailbox.post(0)
        while seen.count < 4 { loop.turn() }
        #expect(seen == [0, 1, 2, 3])
    }
}
