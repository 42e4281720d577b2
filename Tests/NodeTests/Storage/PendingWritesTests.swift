import Testing

@testable import Node

@Suite struct PendingWritesTests {
    @Test func `what is done takes no room, though something is always pending`() {
        let writes = PendingWrites()
        writes.add(10, since: 0)
        for number in 1...100_000 as ClosedRange<UInt64> {
            writes.add(10, since: number)
            writes.remove(count: 1, bytes: 10)
            #expect(writes.oldestSince == number)
        }
        #expect(writes.bytes == 10)
        #expect(writes.capacity < 1_000)
        writes.remove(count: 1, bytes: 10)
        #expect(writes.oldestSince == nil)
    }
}
