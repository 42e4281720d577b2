import Foundation
import Synchronization
import Testing

@testable import Node

extension ProcessTests {
    struct FailoverTests {
        /// Submits from several threads, each going round the nodes, and keeps what was acknowledged.
        private final class Load: Sendable {
            private struct State {
                var ids: [String: String] = [:]
                var failures: [String] = []
            }

            private let state = Mutex(State())
            private let threads = DispatchGroup()

            var acknowledged: Int { state.withLock { $0.ids.count } }
            /// Ids by key.
            var ids: [String: String] { state.withLock { $0.ids } }
            var failures: [String] { state.withLock { $0.failures } }

            init(count: Int, connections: Int, endpoints: [Endpoint]) {
                for connection in 0..<connections {
                    threads.enter()
                    let thread = Thread { [self] in
                        defer { threads.leave() }
                        let clients = endpoints.indices.map { start in
                            NodeClient(Array(endpoints[start...] + endpoints[..<start]))
                        }
                        for number in stride(from: connection, to: count, by: connections) {
                            submit(number, clients[number / connections % clients.count])
                        }
                    }
                    thread.start()
                }
            }

            func wait() {
                threads.wait()
            }

            private func submit(_ number: Int, _ client: NodeClient) {
                let key = "task-\(number)"
                do {
                    let id = try client.submitSurely(
                        "{\"handler\": \"echo\", \"payload\": {\"number\": \(number)}, \"key\": \"\(key)\"}",
                        key: key)
                    state.withLock { $0.ids[key] = id }
                } catch {
                    state.withLock { $0.failures.append("\(key): \(error)") }
                }
            }
        }

        @Test func `no acknowledged task is lost or done twice while leaders are killed`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let count = 2_000
            let load = Load(count: count, connections: 8, endpoints: cluster.members.map(\.api))
            for share in [count / 4, count / 2] {
                try eventually("\(share) tasks are acknowledged", withinSeconds: 120) {
                    load.acknowledged >= share || !load.failures.isEmpty
                }
                let leader = try cluster.leader()
                try cluster.kill(leader)
                _ = try cluster.leader(among: cluster.ids.filter { $0 != leader })
                try cluster.start(leader)
                try cluster.awaitReady([leader])
            }
            load.wait()
            #expect(load.failures.isEmpty, "\(load.failures.prefix(5))")
            #expect(load.acknowledged == count)
            let client = cluster.client()
            _ = try client.awaitEnd(of: load.ids.values.sorted())
            try checkAll(try client.tasks(), load.ids)
        }

        /// Each acknowledged task is there, ended well, and its result was taken once; no key has two tasks.
        private func checkAll(_ tasks: [JSONValue], _ ids: [String: String]) throws {
            var idsByKey: [String: Set<String>] = [:]
            for task in tasks {
                let id = task["id"]?.string ?? ""
                let key = task["key"]?.string ?? ""
                idsByKey[key, default: []].insert(id)
                let isSound =
                    task.state == "succeeded"
                    && task.outcomes.filter { $0 == "succeeded" }.count == 1
                    && task.outcomes.last == "succeeded"
                    && task["result"]?.source == task["payload"]?.source
                #expect(isSound, "\(task.source)")
            }
            #expect(idsByKey == ids.mapValues { [$0] })
        }

        @Test func `all nodes killed at once come back with everything acknowledged`() throws {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let client = cluster.client()
            var ready: [String] = []
            var later: [String] = []
            for number in 0..<150 {
                ready.append(
                    try client.submit(
                        "{\"handler\": \"sleep\", \"payload\": {\"ms\": \(number % 7 * 20)}}"))
                later.append(try client.submit("{\"handler\": \"echo\", \"delay\": \"1h\"}"))
            }
            try cluster.kill(cluster.ids)
            try cluster.startAll()
            for task in try cluster.client().awaitEnd(of: ready) {
                #expect(task.state == "succeeded", "\(task.source)")
                #expect(task.outcomes.filter { $0 == "succeeded" }.count == 1, "\(task.source)")
            }
            for id in later { #expect(try cluster.client().task(id).state == "scheduled") }
        }

        @Test func `a schedule goes on over the death of the leader, each occurrence once`() throws
        {
            let cluster = try ClusterFixture()
            try cluster.startAll()
            let put = try cluster.client().send(
                "PUT", "/v1/schedules/tick",
                "{\"every\": \"1s\", \"task\": {\"handler\": \"echo\"}}")
            #expect(put.isSuccess)
            func occurrences() throws -> [String] {
                try cluster.client().tasks("&schedule=tick").compactMap { $0["schedule"]?.string }
            }
            try eventually("the schedule fires") { try occurrences().count >= 2 }
            let leader = try cluster.leader()
            try cluster.kill(leader)
            let before = try occurrences().count
            try eventually("the schedule goes on") { try occurrences().count >= before + 2 }
            try cluster.start(leader)
            try cluster.awaitReady([leader])
            let all = try occurrences()
            #expect(Set(all).count == all.count, "\(all)")
        }
    }
}
