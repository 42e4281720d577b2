import Testing

@testable import Scheduler

struct TokenBucketTests {
    /// Tokens that are to be there at an instant are there then, and not a millisecond before.
    @Test(arguments: 0..<30)
    func severalTokensAreThereWhenItSaysSo(seed: UInt64) {
        var random = Seeded(seed)
        let rate = RateLimit(
            count: UInt32(1 + random.next() % 300),
            perMilliseconds: [7, 1_000, 60_000][Int(random.next() % 3)],
            burst: UInt32(1 + random.next() % 20))
        var now: Milliseconds = 1_000_000
        var bucket = TokenBucket(fullFor: rate, at: now)
        for _ in 0..<300 {
            now += Milliseconds(random.next() % 50)
            let count = 1 + Int(random.next() % UInt64(rate.burst))
            let ready = bucket.readyAt(count, rate)
            var early = bucket
            let isTakenEarly =
                ready - 1 >= bucket.refilledAt && early.take(count, rate, at: ready - 1)
            #expect(!isTakenEarly)
            let isTaken = bucket.take(count, rate, at: max(now, ready))
            #expect(isTaken)
            now = max(now, ready)
        }
    }

    /// Everything that could start does, at random instants, and every interval is looked at.
    @Test(arguments: 0..<30)
    func noIntervalHasMoreStartsThanTheRateAllows(seed: UInt64) {
        var random = Seeded(seed)
        let rate = RateLimit(
            count: UInt32(1 + random.next() % 300),
            perMilliseconds: [7, 1_000, 60_000][Int(random.next() % 3)],
            burst: UInt32(1 + random.next() % 20))
        var now: Milliseconds = 1_000_000
        var bucket = TokenBucket(fullFor: rate, at: now)
        var starts: [Milliseconds] = []
        while starts.count < 300 {
            if let opensAt = bucket.opensAt {
                #expect(opensAt > now)
                // Mostly on time, sometimes late.
                now = opensAt + (random.next() % 4 == 0 ? Milliseconds(random.next() % 9_000) : 0)
                bucket.open(rate, at: now)
                #expect(bucket.opensAt == nil)
            } else {
                if random.next() % 3 == 0 { now += Milliseconds(random.next() % 50) }
                bucket.take(rate, at: now)
                starts.append(now)
            }
        }
        var excess = 0
        for first in starts.indices {
            for last in first..<starts.count {
                let elapsed = starts[last] - starts[first]
                let allowed =
                    Int64(rate.burst) * rate.perMilliseconds + elapsed * Int64(rate.count)
                if Int64(last - first + 1) * rate.perMilliseconds > allowed { excess += 1 }
            }
        }
        #expect(excess == 0)
    }

    /// As many starts as the rate promises, if somebody always waits.
    @Test(arguments: [(100, 1_000), (1, 60_000), (5_000, 1_000), (3, 10_000), (999, 7)])
    func everyTokenIsThereInTime(count: Int, period: Milliseconds) {
        let rate = RateLimit(count: UInt32(count), perMilliseconds: period)
        var now: Milliseconds = 0
        var bucket = TokenBucket(fullFor: rate, at: now)
        var starts = 0
        while now < 100 * period {
            if let opensAt = bucket.opensAt {
                now = opensAt
                bucket.open(rate, at: now)
            } else {
                bucket.take(rate, at: now)
                starts += 1
            }
        }
        #expect(starts >= 99 * count && starts <= 101 * count + Int(rate.burst))
    }

    @Test
    func longRestsDoNotOverflow() {
        let rate = RateLimit(
            count: Limits.maxRateCount, perMilliseconds: Limits.maxRateMilliseconds,
            burst: Limits.maxRateCount)
        var bucket = TokenBucket(fullFor: rate, at: 0)
        bucket.take(rate, at: 0)
        bucket.take(rate, at: Limits.maxTime)
        #expect(bucket.opensAt == nil)
    }

    private func queue(_ machine: inout Machine, _ rate: RateLimit) throws {
        var spec = QueueSpec()
        spec.rate = rate
        let outcome = try machine.run(
            .putQueue(name: "default", spec, paused: nil, isInitial: false))
        #expect(outcome == .done)
    }

    @Test
    func queueOutOfTokensGoesOnWhenThereIsOne() throws {
        var machine = Machine()
        try machine.register("w", slots: 9)
        try queue(&machine, RateLimit(count: 2, perMilliseconds: 1_000, burst: 2))
        let ids = try (0..<5).map { _ in try machine.submit(.h()) }
        #expect(ids.filter { machine.state($0) == .running } == [ids[0], ids[1]])
        let wake = machine.time + 500
        #expect(machine.scheduler.nextWake == wake)
        #expect(machine.scheduler.queue("default")?.nextTokenAt == wake)
        try machine.finish(ids[0])
        #expect(machine.assigned.isEmpty, "a slot is no token")
        try machine.advance(by: 499)
        #expect(machine.assigned.isEmpty)
        try machine.advance(by: 1)
        #expect(machine.assigned == [ids[2]])
        // A replica that was restored has the same bucket.
        machine.scheduler = try Scheduler(snapshot: machine.scheduler.encodeSnapshot())
        #expect(machine.scheduler.nextWake == wake + 500)
        try machine.advance(by: 500)
        #expect(machine.assigned == [ids[3]])
        try queue(&machine, RateLimit(count: 1, perMilliseconds: 60_000))
        #expect(machine.assigned == [ids[4]], "another rate begins with a full bucket")
    }
}
