import Testing

@testable import Node

struct CRC32CTests {
    /// RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
    @Test func knownVectors() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46dd_794e)
        #expect(CRC32C.checksum(Array((0..<32).reversed())) == 0x113f_db5c)
        #expect(CRC32C.checksum([]) == 0)
    }

    @Test func piecesGiveTheSameAsTheWhole() {
        let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 37) }
        let whole = CRC32C.checksum(bytes)
        for split in 0...bytes.count {
            var checksum = CRC32C()
            checksum.update(Array(bytes[..<split]))
            var resumed = CRC32C(resuming: checksum.value)
            resumed.update(Array(bytes[split...]))
            #expect(resumed.value == whole)
        }
    }

    @Test func theTablesSayWhatTheInstructionSays() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 53 + $0 / 7) }
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 999, 1_000] {
            var sliced = CRC32C(resuming: 77)
            bytes[..<length].withUnsafeBytes { sliced.slice($0) }
            #expect(sliced.value == CRC32C.checksum(bytes, range: 0..<length, seed: 77))
        }
    }

    @Test func aWordIsEightLittleEndianBytes() {
        var words = CRC32C()
        words.update(word: 0x0807_0605_0403_0201)
        #expect(words.value == CRC32C.checksum([1, 2, 3, 4, 5, 6, 7, 8]))
    }
}
