import Scheduler

/// From the text of `cluster.json` and the environment to a `ClusterConfiguration`, or to everything
/// that is wrong with them.
struct ConfigurationReader {
    private var settings: SettingReader
    private var rules = ConfigurationRules()

    /// Fields that are planned, by the path of the object they stand in.
    private static let unavailable = ["tls", "auth"]

    private static let timingRange: ClosedRange<Milliseconds> = 1...3_600_000

    /// - Throws: all problems, those of the file first, in the order of the file.
    static func read(
        _ document: JSONDocument, environment: [String: String]
    ) throws(ConfigurationProblems) -> ClusterConfiguration {
        var reader = ConfigurationReader(settings: SettingReader(environment: environment))
        let result = reader.configuration(document)
        let all = reader.problems
        guard all.isEmpty, let result else { throw ConfigurationProblems(all: all) }
        return result
    }

    private init(settings: SettingReader) {
        self.settings = settings
    }

    private var problems: [JSONProblem] = []

    private mutating func configuration(_ document: JSONDocument) -> ClusterConfiguration? {
        var top = JSONReader(document.root)
        var result = ClusterConfiguration(cluster: "", nodes: [])
        let cluster = settings.text(["cluster"], of: &top, required: true)
        if let directory = settings.text(["dataDirectory"], of: &top) {
            result.dataDirectory = directory.text
        }
        result.isInsecure = settings.bool(["insecure"], of: &top) ?? false
        rules.isInsecure = result.isInsecure
        if let cluster {
            result.cluster = cluster.text
            rules.checkID(cluster.text, "a cluster's name", at: cluster.place)
        }
        readNodes(&top, into: &result)
        settings.section("timing", of: &top) { settings, reader in
            Self.readTiming(&settings, &reader, into: &result.timing)
        }
        rules.check(result.timing)
        settings.section("results", of: &top) { settings, reader in
            settings.results(&reader, cluster: result.cluster, into: &result.results)
        }
        settings.section("retention", of: &top) { settings, reader in
            settings.retention(&reader, into: &result)
        }
        top.map("handlers", maxCount: ClusterConfiguration.maxHandlers) { name, reader in
            rules.checkHandlerName(name, at: reader.pointer)
            let definition = settings.handler(name, &reader)
            guard let definition else { return }
            result.handlers.append(
                ClusterConfiguration.Handler(name: name, definition: definition))
        }
        result.handlers.sort { $0.name < $1.name }
        settings.section("webhooks", of: &top) { settings, reader in
            let secret = settings.text(["webhooks", "secret"], of: &reader)
            result.webhookSecret = secret.map { Array($0.text.utf8) }
        }
        readQueues(&top, into: &result)
        for name in Self.unavailable where top.value(name) != nil {
            top.problem(name, "is not supported by this version")
        }
        top.finish()
        // What is missing or mistyped comes first: the rest may follow from it.
        problems =
            top.problems + settings.problems + rules.problems + settings.environment.problems()
        return result
    }

    private mutating func readNodes(
        _ top: inout JSONReader, into result: inout ClusterConfiguration
    ) {
        let count = top.objects("nodes", maxCount: ClusterConfiguration.maxNodes, required: true) {
            ordinal, reader in
            guard let id = reader.string("id", required: true) else {
                // Without it nothing in the environment can be meant for this node; its fields are known.
                for name in ["peer", "api", "slots", "tags"] { _ = reader.value(name) }
                return
            }
            let idPlace = JSONPointer.appending("id", to: reader.pointer)
            rules.checkID(id, "a node's id", at: idPlace)
            rules.checkUnique(nodeID: id, at: idPlace)
            let path = ["nodes", id]
            let peer = settings.endpoint(path + ["peer"], of: &reader)
            let api = settings.endpoint(path + ["api"], of: &reader)
            if let peer { rules.check(peer, at: reader.pointer + "/peer") }
            if let api { rules.check(api, at: reader.pointer + "/api") }
            let slots = settings.integer(
                path + ["slots"], of: &reader, in: 0...Int64(Limits.maxSlotsPerWorker))
            let tags = readTags(&reader)
            guard let peer, let api else { return }
            var member = ClusterConfiguration.Member(id: id, peer: peer, api: api, tags: tags)
            if let slots { member.slots = UInt32(slots) }
            result.nodes.append(member)
        }
        if count == 0 { top.problem("nodes", "at least one node is needed") }
    }

    private mutating func readQueues(
        _ top: inout JSONReader, into result: inout ClusterConfiguration
    ) {
        top.map("queues", maxCount: ClusterConfiguration.maxQueues) { name, reader in
            rules.checkQueueName(name, at: reader.pointer)
            guard let request = settings.queue(name, &reader) else { return }
            result.queues.append(
                InitialQueue(
                    name: name, spec: request.spec, isPaused: request.isPaused ?? false))
        }
        result.queues.sort { $0.name < $1.name }
    }

    private func readTags(_ reader: inout JSONReader) -> [String] {
        let tags = reader.strings(
            "tags", maxCount: Limits.maxTags, maxBytes: Limits.maxNameBytes, allowEmpty: false)
        let sorted = (tags ?? []).sorted()
        for (left, right) in zip(sorted, sorted.dropFirst()) where left == right {
            reader.problem("tags", "\"\(left)\" stands there twice")
        }
        for tag in sorted where !NameRule.isPlain(tag) {
            reader.problem("tags", "a tag has no control characters")
        }
        return sorted
    }

    private static func readTiming(
        _ settings: inout SettingReader, _ reader: inout JSONReader,
        into timing: inout ClusterConfiguration.Timing
    ) {
        func read(_ name: String) -> Milliseconds? {
            settings.durationMilliseconds(["timing", name], of: &reader, in: timingRange)
        }
        if let value = read("heartbeat") { timing.heartbeatMilliseconds = value }
        if let value = read("election") { timing.electionMilliseconds = value }
        if let value = read("workerTimeout") { timing.workerTimeoutMilliseconds = value }
        if let value = settings.bool(["timing", "leaseReads"], of: &reader) {
            timing.leaseReads = value
        }
        if let value = settings.integer(
            ["timing", "clockDriftPPM"], of: &reader, in: 1...500_000)
        {
            timing.clockDriftPPM = value
        }
    }
}

/// Everything that is wrong with a configuration.
struct ConfigurationProblems: Error, Equatable {
    let all: [JSONProblem]
}
