/// A CRC32C as people and other programs read it: eight hexadecimal digits.
enum ChecksumText {
    static func text(_ checksum: UInt32) -> String {
        let digits = String(checksum, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
