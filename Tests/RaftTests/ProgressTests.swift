import Testing

@testable import Raft

@Suite struct ProgressTests {
    @Test func repliesFreeTheWindowInAnyOrder() {
        var progress = Progress(id: "n2", next: 5, provenAt: 0, now: 0)
        progress.becomeReplicate()
        for last in [6, 8, 9] as [Index] { progress.noteSent(through: last, bytes: 10) }
        progress.noteMatch(8)
        #expect(progress.inFlightMessages == 1 && progress.inFlightBytes == 10)
        progress.noteMatch(6)
        #expect(progress.match == 8 && progress.next == 10)
        progress.becomeProbe(next: 3)
        #expect(progress.next == 9 && progress.inFlightBytes == 0)
    }

    @Test func roundsAreDatedNeverTooLate() {
        var random = RandomSource(seed: 5)
        var times = RoundTimes(spacing: 10, keep: 1000)
        var sentAt: [Nanoseconds] = [0]
        var now: Nanoseconds = 1
        for round in 1...5_000 as ClosedRange<UInt64> {
            now += random.next(below: 8)
            times.note(round: round, now: now)
            sentAt.append(now)
            let sought = round - random.next(below: min(round, 100))
            let answer = times.sentAt(sought)
            #expect(answer <= sentAt[Int(sought)])
            #expect(answer + 10 >= sentAt[Int(sought)])
        }
        #expect(times.sentAt(1) == 0)
    }
}

@Suite struct RandomSourceTests {
    /// The reference values of the algorithm for seed 1234567.
    @Test func isSplitMix64() {
        var source = RandomSource(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in source.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }

    @Test func staysBelowTheBoundAndReachesAllOfIt() {
        var source = RandomSource(seed: 9)
        let values = Set((0..<1_000).map { _ in source.next(below: 7) })
        #expect(values == Set(0..<7))
    }
}
