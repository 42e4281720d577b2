import Scheduler

/// Reads a workflow: `{"chain": […]}`, one after the other, or `{"group": […], "then": …}`, side by side and then
/// one more. What stands in them is a task, or a chain or group again. Tasks may have names, by which others of the
/// workflow can say in `after` that they wait for them.
struct GraphReader {
    private struct Node {
        var name: String?
        var spec: TaskSpec
        var pointer: String
        /// Places among all nodes, in the order of the document.
        var after: Set<Int>
        /// As they stand in `after`: names, or ids of tasks that exist already.
        var references: [String]
    }

    private let namespace: Namespace
    private let queuePriority: (String) -> UInt8?
    private var nodes: [Node] = []
    private var places: [String: Int] = [:]
    private var edges = 0
    private var problems: [JSONProblem] = []
    /// Ids of tasks outside, with their places in the body.
    private(set) var outside: [(pointer: String, task: TaskID)] = []

    /// - Parameter queuePriority: that of tasks which name none; nil: there is none.
    init(namespace: Namespace = .standard, queuePriority: @escaping (String) -> UInt8?) {
        self.namespace = namespace
        self.queuePriority = queuePriority
    }

    static func isGraph(_ value: JSONValue) -> Bool {
        value.kind == .object && (value["chain"] != nil || value["group"] != nil)
    }

    /// nil if anything is wrong; what, stands in the reader's problems.
    mutating func read(_ reader: inout JSONReader) -> GraphSpec? {
        let key = reader.string("key", maxBytes: Limits.maxKeyBytes, allowEmpty: false)
        if let key, !NameRule.isPlain(key) {
            reader.problem("key", "must not have control characters")
        }
        _ = readParts(&reader, after: [], depth: 1)
        resolveReferences()
        if nodes.count > Limits.maxGraphTasks {
            reader.problem(
                "has \(nodes.count) tasks, at most \(Limits.maxGraphTasks) are allowed")
        }
        if edges > Limits.maxGraphEdges {
            reader.problem(
                "its tasks wait for each other in \(edges) ways, at most \(Limits.maxGraphEdges) are allowed"
            )
        }
        reader.add(problems)
        guard reader.problems.isEmpty else { return nil }
        guard let order = order() else {
            reader.add(problems)
            return nil
        }
        return GraphSpec(items: items(in: order), key: key)
    }

    // MARK: Reading

    /// A chain or a group. Returns the places of those that have to end before it has ended.
    private mutating func readParts(
        _ reader: inout JSONReader, after: Set<Int>, depth: Int
    ) -> Set<Int> {
        guard depth <= APILimits.maxGraphDepth else {
            reader.problem("is more than \(APILimits.maxGraphDepth) chains and groups deep")
            Self.skip(&reader)
            return after
        }
        var exits: Set<Int> = []
        if reader.has("chain") {
            for field in ["group", "then"] where reader.value(field) != nil {
                reader.problem(field, "can't stand beside \"chain\"")
            }
            exits = after
            let count = reader.objects("chain") { _, part in
                exits = readPart(&part, after: exits, depth: depth)
            }
            if count == 0 { reader.problem("chain", "must not be empty") }
        } else {
            let count = reader.objects("group", required: true) { _, part in
                exits.formUnion(readPart(&part, after: after, depth: depth))
            }
            if count == 0 { reader.problem("group", "must not be empty") }
            reader.object("then") { part in exits = readPart(&part, after: exits, depth: depth) }
        }
        return exits
    }

    private mutating func readPart(
        _ reader: inout JSONReader, after: Set<Int>, depth: Int
    ) -> Set<Int> {
        // What is far too large is not worth reading to its end.
        guard nodes.count <= Limits.maxGraphTasks, edges <= Limits.maxGraphEdges else {
            Self.skip(&reader)
            return []
        }
        if Self.isGraph(reader.value) {
            return readParts(&reader, after: after, depth: depth + 1)
        }
        return readTask(&reader, after: after)
    }

    /// What is not read is not unknown.
    private static func skip(_ reader: inout JSONReader) {
        for (name, _) in reader.value.members { _ = reader.value(name) }
    }

    private mutating func readTask(_ reader: inout JSONReader, after: Set<Int>) -> Set<Int> {
        let place = nodes.count
        var spec = TaskSpecReader.read(&reader, as: .graph, in: namespace)
        if let queue = spec?.queue, TaskSpecReader.namesNoPriority(reader.value),
            let priority = queuePriority(queue)
        {
            spec?.priority = priority
        }
        let name = name(&reader, at: place)
        let references = reader.strings("after", maxCount: Limits.maxDependencies) ?? []
        // One that is wrong keeps its place, so that names still mean what they say.
        nodes.append(
            Node(
                name: name, spec: spec ?? TaskSpec(handler: ""), pointer: reader.pointer,
                after: after, references: references))
        edges += after.count
        return [place]
    }

    private mutating func name(_ reader: inout JSONReader, at place: Int) -> String? {
        guard let name = reader.string("name", maxBytes: Limits.maxNameBytes) else { return nil }
        if !NameRule.isName(name) {
            reader.problem("name", "\"\(name)\" is not a name: \(NameRule.name)")
        } else if TaskID(name) != nil {
            reader.problem("name", "\"\(name)\" could be a task's id")
        } else if places.updateValue(place, forKey: name) != nil {
            reader.problem("name", "another task of the workflow is called \"\(name)\"")
        }
        return name
    }

    private mutating func resolveReferences() {
        for place in nodes.indices {
            for (ordinal, text) in nodes[place].references.enumerated() {
                let pointer = "\(nodes[place].pointer)/after/\(ordinal)"
                if let other = places[text] {
                    if nodes[place].after.insert(other).inserted { edges += 1 }
                } else if let task = TaskID(text) {
                    nodes[place].spec.after.append(task)
                    outside.append((pointer, task))
                } else {
                    problems.append(
                        JSONProblem(
                            pointer: pointer,
                            detail: "\"\(text)\" is no task of this workflow, and not a task's id"))
                }
            }
            let count = nodes[place].after.count + nodes[place].spec.after.count
            if count > Limits.maxDependencies {
                problems.append(
                    JSONProblem(
                        pointer: nodes[place].pointer,
                        detail:
                            "waits for \(count) tasks, at most \(Limits.maxDependencies) are allowed"
                    ))
            }
            findMissingResult(of: nodes[place])
        }
    }

    private mutating func findMissingResult(of node: Node) {
        guard node.after.count + node.spec.after.count > 0 else { return }
        // Those without a name are called by ids that nobody knows yet.
        let names =
            node.after.map { nodes[$0].name ?? "" } + node.spec.after.map(\.description)
        guard let problem = TaskSpecReader.missingResult(node.spec, names) else { return }
        problems.append(JSONProblem(pointer: node.pointer + "/payload", detail: problem))
    }

    // MARK: Order

    /// The nodes such that each comes after those it waits for, otherwise as in the document; nil if some wait for each
    /// other in a circle.
    private mutating func order() -> [Int]? {
        var missing = nodes.map(\.after.count)
        var followers = [[Int]](repeating: [], count: nodes.count)
        for (place, node) in nodes.enumerated() {
            for other in node.after { followers[other].append(place) }
        }
        // Ascending, because nodes are looked at in their order; a list of few is searched for the first.
        var free = missing.indices.filter { missing[$0] == 0 }
        var order: [Int] = []
        while let next = free.min() {
            free.removeAll { $0 == next }
            order.append(next)
            for follower in followers[next] {
                missing[follower] -= 1
                if missing[follower] == 0 { free.append(follower) }
            }
        }
        guard order.count == nodes.count else {
            // Some of them only wait for the circle; the first one will do to find it.
            let place = missing.indices.first { missing[$0] > 0 } ?? 0
            problems = [
                JSONProblem(
                    pointer: nodes[place].pointer,
                    detail: "waits, directly or not, for tasks that wait for each other in a circle"
                )
            ]
            return nil
        }
        return order
    }

    private func items(in order: [Int]) -> [GraphSpec.Item] {
        var newPlaces = [UInt32](repeating: 0, count: nodes.count)
        for (new, old) in order.enumerated() { newPlaces[old] = UInt32(new) }
        return order.map { old in
            GraphSpec.Item(
                name: nodes[old].name, after: nodes[old].after.map { newPlaces[$0] }.sorted(),
                spec: nodes[old].spec)
        }
    }
}
