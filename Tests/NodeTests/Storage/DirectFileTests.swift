import Testing

@testable import Node

/// Files written past the page cache hold what others would hold.
struct DirectFileTests {
    /// A file of `count` random bytes.
    private func file(
        _ count: Int, zerosFrom: Int? = nil, in scratch: ScratchFolder
    ) throws -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<count).map { _ in UInt8.random(in: 1...255, using: &generator) }
        for index in (zerosFrom ?? count)..<count { bytes[index] = 0 }
        try scratch.write(bytes, to: "f")
        return bytes
    }

    private func put(
        _ count: Int, at offset: Int, into expected: inout [UInt8], _ file: StorageFile,
        byte: UInt8 = 0xEE
    ) throws {
        let bytes = [UInt8](repeating: byte, count: count)
        if expected.count < offset + count {
            expected += [UInt8](repeating: 0, count: offset + count - expected.count)
        }
        expected.replaceSubrange(offset..<offset + count, with: bytes)
        try file.write(bytes, at: offset)
    }

    @Test(arguments: [0, 1, 511, 4_095, 4_096, 5_000, 12_288])
    func whatIsAppendedGoesOnBehindWhatWasThere(start: Int) throws {
        let scratch = try ScratchFolder()
        var expected = try file(64 << 10, zerosFrom: start, in: scratch)
        let file = try scratch.folder.open("f", mode: .append(zerosBefore: 60_000))
        var offset = start
        for (step, count) in [1, 7, 4_096, 300, 5_000, 8_192, 3, 20_000].enumerated() {
            try put(count, at: offset, into: &expected, file, byte: UInt8(step + 1))
            offset += count
            if step % 3 != 1 { try file.sync() }
        }
        try file.sync()
        #expect(try scratch.bytes(of: "f") == expected)
    }

    @Test func aBlockWhoseRestIsNotZeroKeepsIt() throws {
        let scratch = try ScratchFolder()
        var expected = try file(16_384, in: scratch)
        for index in 4_000..<9_000 { expected[index] = 0 }
        try scratch.write(expected, to: "f")
        let file = try scratch.folder.open("f", mode: .append(zerosBefore: 9_000))
        try put(4_500, at: 4_000, into: &expected, file)
        try file.sync()
        #expect(try scratch.bytes(of: "f") == expected)
        try put(200, at: 8_500, into: &expected, file)
        try file.sync()
        #expect(try scratch.bytes(of: "f") == expected)
    }

    @Test func twoEndsOfAFileOfZeros() throws {
        let scratch = try ScratchFolder()
        var expected = [UInt8](repeating: 0, count: 32_768)
        try scratch.write(expected, to: "f")
        let file = try scratch.folder.open("f", mode: .append(zerosBefore: 32_768))
        try put(700, at: 0, into: &expected, file)
        try put(700, at: 32_068, into: &expected, file)
        try file.sync()
        #expect(try scratch.bytes(of: "f") == expected)
    }

    @Test func goingBackKeepsWhatStandsBehind() throws {
        let scratch = try ScratchFolder()
        var expected = [UInt8](repeating: 0, count: 32_768)
        try scratch.write(expected, to: "f")
        let file = try scratch.folder.open("f", mode: .append(zerosBefore: 32_768))
        try put(20_000, at: 0, into: &expected, file, byte: 1)
        try put(100, at: 4_200, into: &expected, file, byte: 2)
        try put(9_000, at: 10, into: &expected, file, byte: 3)
        try file.sync()
        #expect(try scratch.bytes(of: "f") == expected)
    }

    @Test func aFileGrowsToItsLastByteAndNotToTheEndOfABlock() throws {
        let scratch = try ScratchFolder()
        _ = try scratch.folder.open("f", mode: .replace)
        let file = try scratch.folder.open("f", mode: .append(zerosBefore: 0))
        try file.fillWithZeros(0..<3_000, syncEveryBytes: 1_024)
        #expect(try file.sizeBytes() == 3_000)
        var expected = [UInt8](repeating: 0, count: 3_000)
        try put(3 << 20, at: 3_000, into: &expected, file)
        #expect(try file.read(count: 10, at: 2_998) == [0, 0] + [UInt8](repeating: 0xEE, count: 8))
        try put(5, at: 3_000 + 3 << 20, into: &expected, file, byte: 9)
        try file.sync()
        #expect(try file.sizeBytes() == expected.count)
        #expect(try scratch.bytes(of: "f") == expected)
    }

    @Test func anyOrderOfWritesLeavesWhatWasWrittenLast() throws {
        let scratch = try ScratchFolder()
        var expected = try file(200_000, in: scratch)
        let file = try scratch.folder.open("f", mode: .append(zerosBefore: 0))
        var offset = 0
        for step in 0..<400 {
            if Int.random(in: 0..<4) == 0 { offset = Int.random(in: 0..<190_000) }
            let count = min(Int.random(in: 0...9_000), 200_000 - offset)
            try put(count, at: offset, into: &expected, file, byte: UInt8(step % 251))
            offset += count
            if Int.random(in: 0..<3) == 0 { try file.sync() }
        }
        try file.sync()
        #expect(try scratch.bytes(of: "f") == expected)
    }
}
