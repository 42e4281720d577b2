import Scheduler
import Testing

@testable import Node

@Suite struct AttemptLogsTests {
    private let first = AttemptName(TaskID(1), 1)
    private let second = AttemptName(TaskID(2), 1)

    private func text(_ bytes: [UInt8]?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `each attempt has its own`() {
        var logs = AttemptLogs()
        logs.append(Array("a".utf8)[...], of: first)
        logs.append(Array("b".utf8)[...], of: second)
        logs.append(Array("c".utf8)[...], of: first)
        #expect(text(logs[first]) == "ac")
        let taken = logs.take(first)
        #expect(text(taken) == "ac")
        #expect(logs[first] == nil)
        #expect(text(logs[second]) == "b")
    }

    @Test func `together they take no more than they may, and say so`() {
        var logs = AttemptLogs(maxBytes: 10)
        logs.append(Array("123456".utf8)[...], of: first)
        logs.append(Array("123456".utf8)[...], of: second)
        logs.append(Array("more".utf8)[...], of: second)
        #expect(text(logs[second])?.hasPrefix("1234\ncarillon: too many logs") == true)
        #expect(text(logs[second])?.contains("more") == false)
        _ = logs.take(second)
        let third = AttemptName(TaskID(3), 1)
        logs.append(Array("1234".utf8)[...], of: third)
        #expect(text(logs[third]) == "1234")
    }

    @Test func `those that nobody reports are forgotten, but not at once`() {
        var logs = AttemptLogs()
        logs.append([1], of: first)
        logs.append([2], of: second)
        logs.keep(only: [first])
        #expect(logs[second] == [2])
        logs.keep(only: [first])
        #expect(logs[second] == nil)
        #expect(logs[first] == [1])
    }
}
