import Raft
import Scheduler

struct CodecPart {
    private static let tasks = 1_000

    func measure(_ meter: inout PartMeter) {
        let command = Command.submit(Workbench.task())
        let bytes = command.encoded()
        meter.measure("submit, to bytes", bytes: bytes.count) { command.encoded().count }
        meter.measure("submit, from bytes", bytes: bytes.count) {
            let read = PartMeter.sound { () throws(CodecError) in try Command(decoding: bytes) }
            guard case .submit(let spec) = read else { return 0 }
            return spec.payload.count
        }
        let finish = Command.finish(
            Finish(task: TaskID(1), attempt: 1, fence: 1, result: .succeeded([0x31])))
        let finishBytes = finish.encoded()
        meter.measure("finish, to bytes", bytes: finishBytes.count) { finish.encoded().count }
        meter.measure("finish, from bytes", bytes: finishBytes.count) {
            let read = PartMeter.sound { () throws(CodecError) in
                try Command(decoding: finishBytes)
            }
            guard case .finish(let finish) = read else { return 0 }
            return Int(finish.attempt)
        }
        gathering(&meter, bytes)
        for count in [1, Self.tasks] { entries(&meter, count) }
    }

    /// Commands of requests that come in one turn leave in one group.
    private func gathering(_ meter: inout PartMeter, _ command: [UInt8]) {
        var requests = PendingRequests(origin: "n1", incarnation: 7)
        var sequence: UInt64 = 0
        meter.measure(
            "1,000 gathered and answered, each", bytes: command.count, operations: Self.tasks
        ) {
            for number in 1...Self.tasks {
                requests.add(.client(sequence + UInt64(number)), command: command)
            }
            let group = requests.nextGroup(maxBytes: 4 << 20, now: 1)
            for number in 1...Self.tasks { _ = requests.answer(sequence + UInt64(number)) }
            sequence += UInt64(Self.tasks)
            return group?.body.count ?? 0
        }
    }

    private func entries(_ meter: inout PartMeter, _ count: Int) {
        let name = count == 1 ? "entry of 1 task" : "entry of 1,000, each"
        let payload = EntryPayload(
            time: 1_700_000_000_000, groups: [SampleRequests.group(count)])
        let bytes = payload.encoded()
        meter.measure("\(name), to bytes", bytes: bytes.count / count, operations: count) {
            payload.encoded().count
        }
        meter.measure("\(name), from bytes", bytes: bytes.count / count, operations: count) {
            PartMeter.sound { () throws(CodecError) in try EntryPayload(decoding: bytes) }
                .groups.count
        }
    }
}
