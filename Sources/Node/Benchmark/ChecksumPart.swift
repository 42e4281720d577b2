struct ChecksumPart {
    static func measure(_ meter: inout PartMeter) {
        for (name, count) in [("64 B", 64), ("4 KiB", 4 << 10), ("1 MiB", 1 << 20)] {
            let bytes = [UInt8](repeating: 0x5A, count: count)
            meter.measure("CRC-32C of \(name)", bytes: count) {
                Int(CRC32C.checksum(bytes))
            }
        }
        // So are headers summed up, and everything where the processor has no instruction for it.
        meter.measure("of 4 KiB, by tables", bytes: 4 << 10) {
            var checksum = CRC32C()
            for word in 0..<(4 << 10) / 8 as Range<UInt64> { checksum.update(word: word) }
            return Int(checksum.value)
        }
    }
}
