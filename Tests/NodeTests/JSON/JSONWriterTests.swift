import Testing

@testable import Node

@Suite struct JSONWriterTests {
    @Test func placesCommasByItself() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("a", Int64(1))
        writer.key("b")
        writer.beginArray()
        writer.string("x")
        writer.beginObject()
        writer.endObject()
        writer.null()
        writer.endArray()
        writer.field("c", ["p", "q"])
        writer.field("d", true)
        writer.rawField("e", Array("{ \"n\":1e400}".utf8))
        writer.nullField("f")
        writer.endObject()
        #expect(
            writer.text
                == #"{"a":1,"b":["x",{},null],"c":["p","q"],"d":true,"e":{ "n":1e400},"f":null}"#)
    }

    @Test func escapesWhatMustBeEscapedAndNothingElse() {
        var writer = JSONWriter()
        writer.string("\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é😀")
        #expect(writer.text == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7F}é😀\"")
    }

    @Test(arguments: [0, 1, -1, 9, 10, 99, 100, .max, .min, 1_234_567_890] as [Int64])
    func writesIntegers(value: Int64) {
        var writer = JSONWriter()
        writer.int(value)
        #expect(writer.text == "\(value)")
    }

    @Test func writesTheLargestUnsignedInteger() {
        var writer = JSONWriter()
        writer.uint(.max)
        #expect(writer.text == "18446744073709551615")
    }

    @Test(arguments: [0.5, -1.25e-9, 1e300, 3]) func writesDoublesThatReadBack(value: Double) throws
    {
        var writer = JSONWriter()
        writer.double(value)
        #expect(try JSONDocument(writer.bytes).root.double == value)
    }

    @Test func writesNullForWhatJSONCannotSay() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.double(.nan)
        writer.double(-.infinity)
        writer.endArray()
        #expect(writer.text == "[null,null]")
    }

    @Test func writesLinesAndTimes() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.timestampField("at", 1_000)
        writer.endObject()
        writer.endLine()
        writer.int(2)
        writer.endLine()
        #expect(writer.text == "{\"at\":\"1970-01-01T00:00:01.000Z\"}\n2\n")
        writer.removeAll()
        writer.bool(false)
        #expect(writer.text == "false")
    }
}
