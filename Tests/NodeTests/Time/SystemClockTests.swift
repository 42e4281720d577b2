import Testing

@testable import Node

struct SystemClockTests {
    @Test func theClockOfAReplicaIsTheLoopsAndTheWalls() {
        let wall = SystemClock.wallNanoseconds()
        let before = Loop.clock()
        let clock = SystemClock.clock()
        #expect((before...Loop.clock()).contains(clock.monotonic))
        #expect(clock.wallRemainder < 1_000_000)
        let exact = clock.wall * 1_000_000 + Int64(clock.wallRemainder)
        #expect((wall...SystemClock.wallNanoseconds()).contains(exact))
    }
}
