import Raft
import Scheduler

/// Many tasks in one request, each on its own: what is wrong with one does not touch the others. They are
/// read in slices, one a turn, because ten thousand of them would hold the loop for too long; the commands
/// of a slice travel together.
final class BulkSubmit {
    private enum Source {
        case elements([JSONValue])
        /// Byte ranges of the body.
        case lines([Range<Int>])

        var count: Int {
            switch self {
            case .elements(let values): values.count
            case .lines(let ranges): ranges.count
            }
        }
    }

    private enum Item {
        case waiting
        case task(TaskID, existed: Bool)
        case problem(Problem)
    }

    private let call: Call
    private let options: Call.Options
    private let source: Source
    private var items: [Item]
    private var next = 0
    private var unanswered = 0
    private var templates = Templates.unknown
    /// Of the task that was read last.
    private var shape: SubmissionShape?

    private enum Templates {
        case unknown
        /// This node has all that were acknowledged when the request came.
        case known
        case refused(Refusal)
    }

    private init(_ call: Call, _ options: Call.Options, _ source: Source) {
        self.call = call
        self.options = options
        self.source = source
        items = Array(repeating: .waiting, count: source.count)
    }

    // MARK: Sources

    /// The elements of a JSON array.
    static func array(_ call: Call) {
        guard let options = options(of: call) else { return }
        call.largeDocument(maxBytes: .max) { document in
            begin(call, options, .elements(document.root.elements))
        }
    }

    /// The lines of NDJSON; empty ones are none.
    static func lines(_ call: Call) {
        guard let options = options(of: call) else { return }
        let body = call.request.body
        var lines: [Range<Int>] = []
        var start = 0
        while start < body.count {
            let end = body[start...].firstIndex(of: 0x0A) ?? body.count
            if body[start..<end].contains(where: { $0 > 0x20 }) { lines.append(start..<end) }
            start = end + 1
        }
        begin(call, options, .lines(lines))
    }

    private static func options(of call: Call) -> Call.Options? {
        guard call.request.header("idempotency-key") == nil else {
            call.reply(
                Problem.invalid([
                    JSONProblem(
                        pointer: "",
                        detail: "one Idempotency-Key can't stand for many tasks: give each a key")
                ]))
            return nil
        }
        return call.options()
    }

    private static func begin(_ call: Call, _ options: Call.Options, _ source: Source) {
        guard source.count <= APILimits.maxBulkTasks else {
            return call.reply(
                Problem.tooLarge(
                    "\(source.count) tasks in one request; \(APILimits.maxBulkTasks) are allowed."))
        }
        BulkSubmit(call, options, source).readSlice()
    }

    // MARK: Reading

    private func readSlice() {
        let end = min(next + APILimits.maxBulkTasksPerTurn, source.count)
        while next < end {
            guard read(next) else { return awaitTemplates() }
            next += 1
        }
        if next < source.count {
            call.context.facts.later { self.readSlice() }
        } else {
            replyIfDone()
        }
    }

    /// What was read before goes its way meanwhile.
    private func awaitTemplates() {
        call.gateway.read(isStale: false, deadline: options.deadline) { refusal in
            self.templates = refusal.map { .refused($0) } ?? .known
            // In a turn of its own: an answer at once must not deepen the stack.
            self.call.context.facts.later { self.readSlice() }
        }
    }

    /// False if templates have to be known first.
    private func read(_ index: Int) -> Bool {
        var value: JSONValue
        switch source {
        case .elements(let values):
            value = values[index]
        case .lines(let ranges):
            do {
                value = try JSONDocument(Array(call.request.body[ranges[index]])).root
            } catch {
                items[index] = .problem(Problem.notJSON(error))
                return true
            }
        }
        if let spec = shape?.spec(of: value) {
            submit(spec, at: index)
            return true
        }
        if !GraphReader.isGraph(value), TemplateExpansion.isNeeded(value) {
            switch templates {
            case .unknown: return false
            case .refused(let refusal):
                items[index] = .problem(.refused(refusal))
                return true
            case .known: break
            }
            var expansion = call.templateExpansion
            guard let expanded = expansion.expand(value) else {
                items[index] = .problem(Problem.invalid(expansion.problems))
                return true
            }
            value = expanded.root
        }
        readTask(value, at: index)
        return true
    }

    private func readTask(_ value: JSONValue, at index: Int) {
        var reader = JSONReader(value)
        let read = TaskSpecReader.read(&reader, as: .submission, in: call.namespace)
        reader.finish()
        guard reader.problems.isEmpty, var spec = read else {
            items[index] = .problem(Problem.invalid(reader.problems))
            return
        }
        TaskSpecReader.complete(&spec, from: value, call.gateway)
        shape = spec.template == nil ? SubmissionShape(value, readAs: spec) : nil
        submit(spec, at: index)
    }

    private func submit(_ spec: TaskSpec, at index: Int) {
        unanswered += 1
        let after = spec.after
        call.gateway.request(.submit(spec), deadline: options.deadline) { answer in
            self.note(answer, at: index, after: after)
        }
    }

    // MARK: Answering

    private func note(_ answer: Gateway.Answer, at index: Int, after: [TaskID]) {
        switch answer {
        case .outcome(.task(let id, let existed)):
            items[index] = .task(id, existed: existed)
            call.context.metrics.submits += 1
        case .outcome(.rejected(.missingDependency)):
            items[index] = .problem(
                .missing(after, call.namespace, in: call.gateway.replica.scheduler))
        case .outcome(.rejected(let rejection)):
            items[index] = .problem(
                call.rejected(rejection, noun: "task"))
        case .outcome:
            preconditionFailure("a submission comes to a task")
        case .refused(let refusal):
            call.context.metrics.count(refusal)
            items[index] = .problem(.refused(refusal))
        }
        unanswered -= 1
        replyIfDone()
    }

    private func replyIfDone() {
        guard next == source.count, unanswered == 0 else { return }
        call.context.metrics.submitLatency.record(
            nanoseconds: call.context.facts.clock().monotonic - call.request.receivedAt)
        call.reply { writer in
            writer.beginObject()
            writer.key("items")
            writer.beginArray()
            for item in items {
                writer.beginObject()
                switch item {
                case .task(let id, let existed):
                    writer.field("id", id)
                    if existed { writer.field("existed", true) }
                case .problem(let problem):
                    writer.key("error")
                    problem.write(to: &writer)
                case .waiting:
                    preconditionFailure("every task was answered")
                }
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
    }
}
