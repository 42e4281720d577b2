import Testing

@testable import Node

struct PayloadMaskTests {
    @Test func onlyRunsOfZerosNeedIt() {
        #expect(!PayloadMask.isNeeded(for: []))
        #expect(!PayloadMask.isNeeded(for: [UInt8](repeating: 0, count: 127)))
        #expect(PayloadMask.isNeeded(for: [UInt8](repeating: 0, count: 128)))
        #expect(!PayloadMask.isNeeded(for: [UInt8](repeating: 1, count: 4_096)))
        // A run that holds a block counted from the beginning is found wherever it starts.
        for start in 0..<256 {
            var bytes = [UInt8](repeating: 9, count: 1_024)
            bytes.replaceSubrange(start..<start + 255, with: repeatElement(0, count: 255))
            #expect(PayloadMask.isNeeded(for: bytes))
        }
    }

    @Test(arguments: [128, 129, 135, 512, 1_000, 70_001])
    func maskedPayloadsHoldNoRunsAndComeBack(count: Int) {
        let zeros = [UInt8](repeating: 0, count: count)
        var (key, masked) = PayloadMask.masked(zeros, nonce: 42)
        #expect(key != 0)
        #expect(!PayloadMask.isNeeded(for: masked))
        PayloadMask.apply(key: key, nonce: 42, to: &masked)
        #expect(masked == zeros)
    }

    @Test func aPayloadMadeForOneKeyGetsAnother() {
        var hostile = [UInt8](repeating: 0, count: 256)
        // Masked with key 1 the second half of this is zero.
        PayloadMask.apply(key: 1, nonce: 7, to: &hostile)
        hostile.replaceSubrange(0..<128, with: repeatElement(0, count: 128))
        var (key, masked) = PayloadMask.masked(hostile, nonce: 7)
        #expect(key == 2)
        PayloadMask.apply(key: key, nonce: 7, to: &masked)
        #expect(masked == hostile)
    }
}
