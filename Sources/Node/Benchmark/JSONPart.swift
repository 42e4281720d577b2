import Scheduler

struct JSONPart {
    private static let tasks = 1_000

    func measure(_ meter: inout PartMeter) {
        let single = SampleRequests.body(.single)
        let array = SampleRequests.body(.array(Self.tasks))
        meter.measure("a submission scanned", bytes: single.count) {
            document(single).nodes.count
        }
        let task = document(single).root
        meter.measure("and read into a task") { spec(task).payload.count }
        let perTask = array.count / Self.tasks
        meter.measure("array of 1,000 scanned, each", bytes: perTask, operations: Self.tasks) {
            document(array).nodes.count
        }
        let tasks = document(array).root
        meter.measure("its elements listed, each", operations: Self.tasks) { tasks.elements.count }
        let elements = tasks.elements
        meter.measure("and read into tasks, each by itself", operations: Self.tasks) {
            elements.reduce(0) { $0 + spec($1).payload.count }
        }
        meter.measure("and compared with the first, each", operations: Self.tasks) {
            Self.read(elements, spec).payload.count
        }
        let full = Array(Self.full.utf8)
        meter.measure("a submission with 14 fields scanned", bytes: full.count) {
            document(full).nodes.count
        }
        let rich = document(full).root
        meter.measure("and read into a task with all") { spec(rich).payload.count }
        answers(&meter)
    }

    private static let full = """
        {"handler":"mail","payload":{"to":"someone@example.com","subject":"Hello","body":"\
        \(String(repeating: "x", count: 180))"},"queue":"letters","priority":7,"delay":"1h30m",\
        "key":"letter-4711","retry":{"attempts":5,"backoff":"exponential","initial":"2s",\
        "max":"10m","jitter":true},"timeout":"30s","expires":"1d","tags":["gpu","eu"],\
        "routingKey":"customer-17","delivery":"atMostOnce","meta":{"customer":"17","kind":"x"},\
        "overallTimeout":"2h"}
        """

    private func document(_ bytes: [UInt8]) -> JSONDocument {
        PartMeter.sound { () throws(JSONError) in try JSONDocument(bytes) }
    }

    /// As `BulkSubmit` reads tasks of one kind. Returns the last.
    private static func read(_ values: [JSONValue], _ read: (JSONValue) -> TaskSpec) -> TaskSpec {
        var last = TaskSpec(handler: "")
        var shape: SubmissionShape?
        for value in values {
            if let spec = shape?.spec(of: value) {
                last = spec
            } else {
                last = read(value)
                shape = SubmissionShape(value, readAs: last)
            }
        }
        return last
    }

    /// As `TasksAPI` reads one, and `BulkSubmit` one that is of another kind than the one before.
    private func spec(_ value: JSONValue) -> TaskSpec {
        var reader = JSONReader(value)
        let spec = TaskSpecReader.read(&reader, as: .submission)
        reader.finish()
        guard let spec, reader.problems.isEmpty else {
            preconditionFailure("what the benchmark submits is refused: \(reader.problems)")
        }
        return spec
    }

    private func answers(_ meter: inout PartMeter) {
        var bench = Workbench()
        bench.apply([.submit(Workbench.task())])
        guard let id = bench.created.first, let view = bench.scheduler.task(id) else {
            preconditionFailure("a submission comes to a task")
        }
        meter.measure("a task looked up for its answer") {
            bench.scheduler.task(id)?.spec.payload.count ?? 0
        }
        // The memory serves again, as in `APIContext.write`.
        var writer = JSONWriter()
        writer.task(view)
        meter.measure("answer to a submission written", bytes: writer.bytes.count) {
            writer.removeAll()
            writer.task(view)
            return writer.bytes.count
        }
        meter.measure("answer to 1,000 written, each", bytes: 22, operations: Self.tasks) {
            writer.removeAll()
            writer.beginArray()
            for number in 1...Self.tasks {
                writer.beginObject()
                writer.field("id", TaskID(UInt64(number)))
                writer.endObject()
            }
            writer.endArray()
            return writer.bytes.count
        }
    }
}
