import Testing

@testable import Node

@Suite struct ByteTailTests {
    private func tail(_ pieces: [String], maxBytes: Int) -> ByteTail {
        var tail = ByteTail(maxBytes: maxBytes)
        for piece in pieces { tail.append(Array(piece.utf8)[...]) }
        return tail
    }

    @Test func keepsTheEnd() {
        for size in 1...12 {
            let tail = tail(["abc", "", "defgh", "ij"], maxBytes: size)
            #expect(
                String(decoding: tail.contents, as: UTF8.self) == String("abcdefghij".suffix(size)))
        }
    }

    @Test(arguments: [
        ("", ""), ("\n\n", ""), ("one", "one"), ("one\ntwo\n", "two"), ("one\n  \n\r\n", "one"),
        ("a\tb\u{1B}[0m", "a b [0m"),
    ])
    func findsTheLastLine(text: String, expected: String) {
        #expect(tail([text], maxBytes: 100).lastLine == expected)
    }

    @Test func cutsMessagesBetweenCharacters() {
        #expect("abcdef".prefixOfBytes(6) == "abcdef")
        #expect("abcdefg".prefixOfBytes(6) == "abc…")
        #expect("éééé".prefixOfBytes(7) == "éé…")
        #expect("éééé".prefixOfBytes(6) == "é…")
    }
}
