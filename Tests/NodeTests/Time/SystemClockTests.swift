import Testing

@testable import Node

struct SystemClockTests {
    @Test func theClockOfAReplicaIsTheLoopsAndTheWalls() {
        let wallBefore = SystemClock.wallNanoseconds()
        let before = Loop.clock()
        let clock = SystemClock.clock()
        let after = Loop.clock()
        let wallAfter = SystemClock.wallNanoseconds()
        #expect(before <= clock.monotonic && clock.monotonic <= after)
        #expect(clock.wallRemainder < 1_000_000)
        let exact = clock.wall * 1_000_000 + Int64(clock.wallRemainder)
        #expect(wallBefore <= exact && exact <= wallAfter)
    }
}
