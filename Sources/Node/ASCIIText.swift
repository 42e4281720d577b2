/// Text that comes into being as bytes: heads of HTTP, JSON, events, durations.
extension [UInt8] {
    mutating func append(literal text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }

    /// Of a number that is not negative.
    mutating func append(decimal number: Int) { append(decimal: UInt64(number)) }

    mutating func append(decimal number: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = 20
        var rest = number
        repeat {
            start -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest > 0
        for place in start..<20 { append(digits[place]) }
    }
}
