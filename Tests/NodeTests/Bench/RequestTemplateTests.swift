import Testing

@testable import Node

struct RequestTemplateTests {
    private static let head = Array("POST /v1/tasks HTTP/1.1\r\nHost: a\r\n".utf8)

    private func body(_ request: [UInt8]) throws -> String {
        let text = String(decoding: request, as: UTF8.self)
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        let body = text[end.upperBound...]
        #expect(text[..<end.lowerBound].contains("Content-Length: \(body.utf8.count)"))
        return String(body)
    }

    private func tasks(_ body: String, _ form: RequestTemplate.Form) throws -> [JSONValue] {
        switch form {
        case .single: [try JSONDocument(body).root]
        case .array: try JSONDocument(body).root.elements
        case .lines: try body.split(separator: "\n").map { try JSONDocument(String($0)).root }
        }
    }

    @Test(
        arguments: [
            .single, .array(1), .array(100), .lines(3),
        ] as [RequestTemplate.Form], [14, 64, 4096])
    func `each task has its number and a payload of the size`(
        form: RequestTemplate.Form, payloadBytes: Int
    ) throws {
        for prefix in [nil, "run"] {
            var template = RequestTemplate(
                head: Self.head, form: form, fields: #""handler":"echo","delay":"1d""#,
                payloadBytes: payloadBytes, keyPrefix: prefix)
            for first: UInt64 in [0, 998, 123_456_789_012] {
                let tasks = try tasks(body(template.request(numberedFrom: first)), form)
                #expect(tasks.count == form.tasks)
                for (index, task) in tasks.enumerated() {
                    let digits = String(first + UInt64(index))
                    let number = String(repeating: "0", count: 12 - digits.count) + digits
                    #expect(task["handler"]?.string == "echo" && task["delay"]?.string == "1d")
                    #expect(task["payload"]?.range.count == payloadBytes)
                    #expect(task["payload"]?.string?.hasPrefix(number) == true)
                    #expect(task["key"]?.string == prefix.map { "\($0)-\(number)" })
                }
            }
        }
    }
}
