import Foundation
import Glibc

@testable import Node

/// A cluster of real processes in a directory of its own, on free ports. Gone, directory and all, when the
/// fixture goes.
final class ClusterFixture {
    struct Member {
        let id: String
        let peer: Endpoint
        let api: Endpoint
    }

    let directory: String
    /// The configuration names these.
    private(set) var members: [Member]
    private let cluster: String
    private let slots: Int
    private var sections: String?
    private var processes: [String: TestProcess] = [:]

    var configurationPath: String { directory + "/cluster.json" }
    var ids: [String] { members.map(\.id) }

    /// Writes the configuration; nothing runs yet.
    init(nodes count: Int = 3, cluster: String = "test", slots: Int = 8) throws {
        self.cluster = cluster
        self.slots = slots
        directory = NSTemporaryDirectory() + "carillon-process-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        var members: [Member] = []
        for number in 1...count {
            members.append(
                Member(
                    id: "n\(number)", peer: Endpoint(host: "127.0.0.1", port: try FreePorts.next()),
                    api: Endpoint(host: "127.0.0.1", port: try FreePorts.next())))
        }
        self.members = members
        try writeConfiguration()
    }

    /// Gives the configuration these sections beside its nodes, as they stand in JSON. Nodes that run are not told.
    func configure(_ sections: String) throws {
        self.sections = sections
        try writeConfiguration()
    }

    private func writeConfiguration() throws {
        let nodes = Self.configuration(cluster: cluster, members: members, slots: slots)
        try writeConfiguration(sections.map { "\(nodes.dropLast()),\($0)}" } ?? nodes)
    }

    deinit {
        // Ends what still runs, a stopped process too.
        processes.removeAll()
        try? FileManager.default.removeItem(atPath: directory)
    }

    static func configuration(cluster: String, members: [Member], slots: Int = 8) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("cluster", cluster)
        writer.key("nodes")
        writer.beginArray()
        for member in members {
            writer.beginObject()
            writer.field("id", member.id)
            writer.field("peer", member.peer.description)
            writer.field("api", member.api.description)
            writer.field("slots", slots)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.text
    }

    func writeConfiguration(_ text: String, to path: String? = nil) throws {
        try text.write(toFile: path ?? configurationPath, atomically: true, encoding: .utf8)
    }

    func member(_ id: String) -> Member {
        guard let member = members.first(where: { $0.id == id }) else {
            preconditionFailure("the cluster has no node \(id)")
        }
        return member
    }

    // MARK: Changes

    /// Names a further node in the configuration. Nodes that run are not told.
    func name(_ id: String) throws {
        members.append(
            Member(
                id: id, peer: Endpoint(host: "127.0.0.1", port: try FreePorts.next()),
                api: Endpoint(host: "127.0.0.1", port: try FreePorts.next())))
        try writeConfiguration()
    }

    func forget(_ id: String) throws {
        members.removeAll { $0.id == id }
        try writeConfiguration()
    }

    /// Gives every node new addresses.
    func move() throws {
        members = try members.map { member in
            Member(
                id: member.id, peer: Endpoint(host: "127.0.0.1", port: try FreePorts.next()),
                api: Endpoint(host: "127.0.0.1", port: try FreePorts.next()))
        }
        try writeConfiguration()
    }

    /// As if its disk had been replaced.
    func wipe(_ id: String) throws {
        try FileManager.default.removeItem(atPath: "\(directory)/data/\(id)")
    }

    /// Runs the command line tool against the given nodes; its exit status and what it said.
    func tool(_ words: [String], servers ids: [String]) throws -> (status: Int32?, output: String) {
        let servers = ids.map { "http://\(member($0).api)" }.joined(separator: ",")
        let name = "tool-\(UUID().uuidString).log"
        let process = try TestProcess(
            CarillonBinary.path(), words + (ids.isEmpty ? [] : ["--server", servers]),
            output: directory + "/" + name)
        let ending = try process.waitForEnd(withinSeconds: 120)
        let output = try String(contentsOfFile: directory + "/" + name, encoding: .utf8)
        guard case .exited(let status) = ending else { return (nil, output) }
        return (status, output)
    }

    // MARK: Processes

    /// A process of a node that the fixture does not keep, for tests of refusals.
    func launch(
        _ id: String, configuration: String? = nil, data: String? = nil, joins: Bool = false,
        log: String = "extra.log"
    ) throws -> TestProcess {
        try TestProcess(
            CarillonBinary.path(),
            [
                "node", "--config", configuration ?? configurationPath, "--id", id, "--data",
                data ?? directory + "/data",
            ] + (joins ? ["--join"] : []), output: directory + "/" + log)
    }

    func start(_ ids: String...) throws {
        try start(ids)
    }

    func start(_ ids: [String], configuration: String? = nil, joins: Bool = false) throws {
        for id in ids {
            processes[id] = try launch(
                id, configuration: configuration, joins: joins, log: "\(id).log")
        }
    }

    /// Starts all nodes and waits for a leader that all of them know.
    func startAll() throws {
        try start(ids)
        try awaitReady(ids)
    }

    func awaitReady(_ ids: [String]) throws {
        for id in ids {
            let client = client(id)
            do {
                try eventually("node \(id) is ready") {
                    if processes[id]?.poll() != false {
                        throw WaitFailure(description: "node \(id) has ended")
                    }
                    return (try? client.send("GET", "/readyz"))?.status == 200
                }
            } catch {
                throw WaitFailure(description: "\(error)\n\(log(id).suffix(3000))")
            }
        }
    }

    /// SIGKILL, and waits until the process is gone.
    func kill(_ ids: String...) throws {
        try kill(ids)
    }

    func kill(_ ids: [String]) throws {
        for id in ids { processes[id]?.signal(SIGKILL) }
        for id in ids { _ = try processes.removeValue(forKey: id)?.waitForEnd() }
    }

    func stop(_ id: String) { processes[id]?.signal(SIGSTOP) }

    func resume(_ id: String) { processes[id]?.signal(SIGCONT) }

    func signal(_ id: String, _ number: Int32) { processes[id]?.signal(number) }

    /// SIGTERM, and how the process ended.
    func terminate(_ id: String) throws -> TestProcess.Ending? {
        processes[id]?.signal(SIGTERM)
        return try waitForEnd(id)
    }

    /// How the process of a node ended that has been told to.
    func waitForEnd(_ id: String) throws -> TestProcess.Ending? {
        try processes.removeValue(forKey: id)?.waitForEnd(withinSeconds: 60)
    }

    func isRunning(_ id: String) -> Bool {
        processes[id].map { !$0.poll() } ?? false
    }

    func pid(of id: String) throws -> pid_t {
        guard let process = processes[id] else {
            throw WaitFailure(description: "node \(id) does not run")
        }
        return process.pid
    }

    // MARK: Views

    func client(_ ids: String...) -> NodeClient {
        NodeClient((ids.isEmpty ? self.ids : ids).map { member($0).api })
    }

    /// A client that begins with the given node and goes on with the others.
    func client(beginningWith position: Int) -> NodeClient {
        let start = position % members.count
        return NodeClient((members[start...] + members[..<start]).map(\.api))
    }

    /// The leader that a majority of the running nodes names.
    func leader(among ids: [String]? = nil) throws -> String {
        let asked = ids ?? self.ids.filter { isRunning($0) }
        var leader = ""
        try eventually("\(asked) agree on a leader") {
            let named = asked.compactMap { id -> String? in
                guard let cluster = try? client(id).json("GET", "/v1/cluster?stale=true") else {
                    return nil
                }
                return cluster["leader"]?.string
            }
            guard named.count == asked.count, Set(named).count == 1, asked.contains(named[0]) else {
                return false
            }
            leader = named[0]
            return true
        }
        return leader
    }

    func log(_ name: String) -> String {
        (try? String(contentsOfFile: "\(directory)/\(name).log", encoding: .utf8)) ?? ""
    }

    /// Size and time of the last change of every file that the nodes keep.
    func dataFiles() throws -> [String: [Int]] {
        var result: [String: [Int]] = [:]
        let data = directory + "/data"
        for path in try FileManager.default.subpathsOfDirectory(atPath: data) {
            var status = stat()
            guard lstat(data + "/" + path, &status) == 0 else { continue }
            result[path] = [
                Int(status.st_size), Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec),
            ]
        }
        return result
    }
}
