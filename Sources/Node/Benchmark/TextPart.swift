struct TextPart {
    static func measure(_ meter: inout PartMeter) {
        let texts = [
            ("ASCII", String(repeating: "a", count: 4_094)),
            ("Greek", String(repeating: "λ", count: 2_047)),
            ("an escape in 16", String(repeating: #"\nabcdefghijklmn"#, count: 255)),
        ]
        for (name, text) in texts {
            let json = Array("\"\(text)\"".utf8)
            meter.measure("string of 4 KiB, \(name)", bytes: json.count) {
                JSONDocument.isValid(json) ? 1 : 0
            }
        }
    }
}
