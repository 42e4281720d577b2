import Testing

@testable import Node

@Suite struct BegunLatenessTests {
    private func lateness(_ pages: [(Int, Int, Int, Int)]) -> BegunLateness {
        var result = BegunLateness()
        for (one, five, ten, all) in pages {
            let name = "carillon_start_delay_seconds_bucket"
            result.addNode(
                Array(
                    """
                    # TYPE carillon_start_delay_seconds histogram
                    \(name){le="0.001"} \(one)
                    \(name){le="0.005"} \(five)
                    \(name){le="0.01"} \(ten)
                    \(name){le="+Inf"} \(all)
                    carillon_start_delay_seconds_count \(all)

                    """.utf8))
        }
        return result
    }

    @Test func aQuantileIsTheBoundAboveIt() throws {
        let before = lateness([(5, 5, 5, 5), (1, 1, 1, 10)])
        let after = lateness([(45, 55, 55, 55), (41, 90, 100, 110)])
        let begun = try #require(after.since(before))
        #expect(begun.boundMilliseconds(ofQuantile: 0.5) == 1)
        #expect(begun.boundMilliseconds(ofQuantile: 0.54) == 5)
        #expect(begun.boundMilliseconds(ofQuantile: 0.99) == 10)
        // One was late beyond all bounds.
        #expect(begun.boundMilliseconds(ofQuantile: 1) == nil)
        #expect(lateness([(5, 5, 5, 6)]).boundMilliseconds(ofQuantile: 0.99) == nil)
        let none = try #require(begun.since(begun))
        #expect(none.boundMilliseconds(ofQuantile: 0.5) == nil)
        // A node began to count anew.
        #expect(before.since(after) == nil)
        #expect(lateness([(9, 9, 9, 99), (0, 0, 0, 9)]).since(before) == nil)
    }
}
