import Scheduler
import Testing

@testable import Node

@Suite struct PendingRequestsTests {
    private func make(_ count: Int, bytes: Int = 4) -> PendingRequests {
        var requests = PendingRequests(origin: "n1", incarnation: 7)
        for token in 1...count {
            requests.add(
                .client(Token(token)), command: [UInt8](repeating: UInt8(token), count: bytes))
        }
        return requests
    }

    private func sequences(_ group: CommandGroup?) throws -> [UInt64] {
        guard let group else { return [] }
        var reader = ByteReader(group.body)
        var found: [UInt64] = []
        for _ in 0..<group.count {
            found.append(try reader.uint64())
            _ = try reader.blob()
        }
        return found
    }

    @Test func sendsEachOnceInOrder() throws {
        var requests = make(3)
        let group = requests.nextGroup(maxBytes: 1000, now: 5)
        #expect(try sequences(group) == [1, 2, 3])
        #expect(group?.acknowledgedBelow == 1)
        let found13 = requests.nextGroup(maxBytes: 1000, now: 6)
        #expect(found13 == nil)
        #expect(requests.resendTime(after: 10) == 15)
    }

    @Test func splitsByBytesButSendsALargeCommandAlone() throws {
        var requests = make(3, bytes: 100)
        let found14 = try sequences(requests.nextGroup(maxBytes: 50, now: 0))
        #expect(found14 == [1])
        let found15 = try sequences(requests.nextGroup(maxBytes: 250, now: 0))
        #expect(found15 == [2])
        let found16 = try sequences(requests.nextGroup(maxBytes: 400, now: 0))
        #expect(found16 == [3])
    }

    @Test func acknowledgesOnlyBelowTheOldestUnanswered() throws {
        var requests = make(4)
        _ = requests.nextGroup(maxBytes: 1000, now: 0)
        let found17 = requests.answer(2)
        #expect(found17 != nil)
        let found18 = requests.answer(2)
        #expect(found18 == nil)
        requests.markAllUnsent()
        let group = requests.nextGroup(maxBytes: 1000, now: 1)
        #expect(group?.acknowledgedBelow == 1)
        #expect(try sequences(group) == [1, 3, 4])
        let found19 = requests.answer(1)
        #expect(found19 != nil)
        requests.markAllUnsent()
        let found20 = requests.nextGroup(maxBytes: 1000, now: 2)?.acknowledgedBelow
        #expect(found20 == 3)
        #expect(requests.count == 2)
    }

    @Test func ignoresAnswersItNeverAskedFor() {
        var requests = make(1)
        let found21 = requests.answer(0)
        #expect(found21 == nil)
        let found22 = requests.answer(2)
        #expect(found22 == nil)
        #expect(requests.count == 1)
    }

    @Test func withdrawsOnlyWhatWasNeverSent() throws {
        var requests = make(1)
        _ = requests.nextGroup(maxBytes: 1000, now: 0)
        requests.add(.client(9), command: [1])
        let found23 = requests.abandon(1)
        #expect(found23 == true)
        let found24 = requests.abandon(1)
        #expect(found24 == nil)
        let found25 = requests.abandon(9)
        #expect(found25 == false)
        #expect(requests.count == 1)
        let nothing = requests.nextGroup(maxBytes: 1000, now: 0)
        #expect(nothing == nil)
        requests.markAllUnsent()
        let found26 = try sequences(requests.nextGroup(maxBytes: 1000, now: 0))
        #expect(found26 == [1])
        guard case .abandoned? = requests.answer(1) else {
            Issue.record("an abandoned request still waits for its outcome")
            return
        }
        #expect(requests.bytes == 0)
    }

    @Test func keepsSequencesOverManyAnswers() throws {
        var requests = PendingRequests(origin: "n1", incarnation: 1)
        var expected: UInt64 = 0
        for round in 0..<500 {
            for _ in 0..<7 { requests.add(.housekeeping, command: [0]) }
            let group = requests.nextGroup(maxBytes: 10_000, now: UInt64(round))
            for sequence in try sequences(group) {
                expected += 1
                #expect(sequence == expected)
                let found27 = requests.answer(sequence)
                #expect(found27 != nil)
            }
        }
        #expect(requests.count == 0)
        #expect(requests.resendTime(after: 1) == nil)
    }
}
