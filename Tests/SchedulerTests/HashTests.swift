import Testing

@testable import Scheduler

struct HashTests {
    /// First vectors of the reference implementation: key 00…0f, inputs of 0 and 1 bytes and of 15 bytes.
    @Test
    func keyHashIsSipHash() {
        let empty = KeyHash([], 0..<0)
        #expect(empty == KeyHash(high: 0x9302_55C7_1472_F66D, low: 0xE6A8_25BA_047F_81A3))
        let one = KeyHash([0], 0..<1)
        #expect(one == KeyHash(high: 0x45FC_229B_1159_7634, low: 0x44AF_996B_D8C1_87DA))
    }

    @Test
    func keyHashReadsOnlyItsRange() {
        let bytes: [UInt8] = Array("xxan idempotency keyyy".utf8)
        let key = Array("an idempotency key".utf8)
        #expect(KeyHash(bytes, 2..<2 + key.count) == KeyHash(key, 0..<key.count))
    }

    /// Replicas of different versions have to agree: these numbers must never change.
    @Test
    func stableHashIsPinned() {
        #expect(StableHash.of("n1") == 11_986_027_215_246_926_352)
        #expect(StableHash.of(7, 9) == 5_549_714_154_519_085_631)
        #expect(StableHash.of("") == 3_597_590_263_906_301_213)
    }

    @Test
    func stableHashKeepsNeighboursApart() {
        func hash(_ parts: [String]) -> UInt64 {
            var hash = StableHash()
            for part in parts { hash.mix(part) }
            return hash.digest
        }
        #expect(hash(["ab", "c"]) != hash(["a", "bc"]))
        #expect(hash(["", "a"]) != hash(["a", ""]))
        #expect(hash(["a\0"]) != hash(["a"]))
    }

    @Test
    func stableHashSpreadsSmallNumbers() {
        var buckets = [Int](repeating: 0, count: 16)
        for number in UInt64(0)..<16_000 {
            buckets[Int(StableHash.of(number, 0) >> 60)] += 1
        }
        #expect(buckets.allSatisfy { (850...1_150).contains($0) })
    }
}
