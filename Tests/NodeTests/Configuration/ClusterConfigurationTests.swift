import Testing

@testable import Node

@Suite struct ClusterConfigurationTests {
    static let threeNodes = """
        {
          "cluster": "demo",
          "nodes": [
            { "id": "n1", "peer": "127.0.0.1:7101", "api": "127.0.0.1:7201", "tags": ["b", "a"] },
            { "id": "n2", "peer": "[::1]:7102", "api": "localhost:7202", "slots": 0 },
            { "id": "n-3", "peer": "127.0.0.1:7103", "api": "127.0.0.1:7203", "slots": 4 }
          ]
        }
        """

    private func read(
        _ text: String, _ environment: [String: String] = [:]
    ) throws -> ClusterConfiguration {
        try ConfigurationReader.read(try JSONDocument(text), environment: environment)
    }

    private func problems(
        _ text: String, _ environment: [String: String] = [:]
    ) throws -> [String] {
        do {
            _ = try read(text, environment)
            return []
        } catch let found as ConfigurationProblems {
            return found.all.map(\.description)
        }
    }

    /// A valid file with one text replaced.
    private func changed(_ old: String, _ new: String) throws -> [String] {
        let text = Self.threeNodes.replacing(old, with: new)
        #expect(text != Self.threeNodes)
        return try problems(text)
    }

    @Test func defaultsFillWhatIsLeftOut() throws {
        let configuration = try read(Self.threeNodes)
        #expect(configuration.cluster == "demo")
        #expect(configuration.dataDirectory == "data")
        #expect(configuration.timing.heartbeatMilliseconds == 50)
        #expect(configuration.timing.electionMilliseconds == 300)
        #expect(configuration.timing.workerTimeoutMilliseconds == 2_000)
        #expect(configuration.nodes.map(\.id) == ["n1", "n2", "n-3"])
        #expect(configuration.nodes.map(\.slots) == [8, 0, 4])
        #expect(configuration.nodes[0].tags == ["a", "b"])
        #expect(configuration.nodes[1].peer == Endpoint(host: "::1", port: 7102))
        #expect(configuration.member("n-3")?.api == Endpoint(host: "127.0.0.1", port: 7203))
        #expect(configuration.handlers.isEmpty)
        #expect(!configuration.isInsecure)
    }

    @Test func allProblemsAreReportedAtOnceWithTheirPlaces() throws {
        let found = try problems(
            """
            {
              "cluster": "Demo",
              "dataDirectry": "x",
              "nodes": [
                { "id": "n1", "peer": "127.0.0.1:7101", "api": "127.0.0.1:7201" },
                { "id": "n1", "peer": "127.0.0.1", "api": "127.0.0.1:7201", "slots": 10001 },
                { "peer": "127.0.0.1:7103", "api": "127.0.0.1:7203" }
              ],
              "timing": { "heartbeat": "1 s" }
            }
            """)
        #expect(found.contains { $0.hasPrefix("/dataDirectry: unknown field") })
        #expect(found.contains { $0.contains("did you mean \"dataDirectory\"?") })
        #expect(found.contains { $0.hasPrefix("/cluster: \"Demo\" is not") })
        #expect(found.contains("/nodes/1/id: \"n1\" is the id at /nodes/0/id already"))
        #expect(found.contains { $0.hasPrefix("/nodes/1/peer: '127.0.0.1' has no port") })
        #expect(
            found.contains("/nodes/1/api: 127.0.0.1:7201 is the address at /nodes/0/api already"))
        #expect(found.contains("/nodes/1/slots: 10001 is not between 0 and 10000"))
        #expect(found.contains("/nodes/2/id: is required"))
        #expect(found.contains { $0.hasPrefix("/timing/heartbeat: the duration \"1 s\"") })
        #expect(found.count == 8)
    }

    @Test func numberOfNodesIsLimited() throws {
        #expect(
            try problems(#"{"cluster": "a", "nodes": []}"#) == [
                "/nodes: at least one node is needed"
            ])
        let eight = (1...8).map {
            #"{"id": "n\#($0)", "peer": "127.0.0.1:\#($0)", "api": "127.0.0.1:10\#($0)"}"#
        }.joined(separator: ",")
        let found = try problems(#"{"cluster": "a", "nodes": [\#(eight)]}"#)
        #expect(found == ["/nodes: has 8 elements, at most 7 are allowed"])
    }

    @Test(arguments: ["10.0.0.1:7101", "0.0.0.0:7101", "[::]:7101", "example.com:7101"])
    func reachableAddressesNeedTheWordInsecure(address: String) throws {
        let found = try changed("127.0.0.1:7101", address)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("/nodes/0/peer: \(address) can be reached") == true)
        let text = Self.threeNodes.replacing("127.0.0.1:7101", with: address)
        #expect(try read(text, ["CARILLON_INSECURE": "true"]).isInsecure)
    }

    @Test func portZeroIsRefused() throws {
        let found = try changed("127.0.0.1:7101", "127.0.0.1:0")
        #expect(found == ["/nodes/0/peer: port 0 is no address that others could connect to"])
    }

    @Test(arguments: ["", "n_1", "-n", "N1", String(repeating: "n", count: 64)])
    func idsAreRestricted(id: String) throws {
        let found = try changed("\"n1\"", "\"\(id)\"")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("/nodes/0/id:") == true)
    }

    @Test func timingsMustFitTogether() throws {
        func timing(_ text: String) throws -> [String] {
            try problems(
                Self.threeNodes.replacing("\"nodes\"", with: "\"timing\": \(text), \"nodes\""))
        }
        #expect(try timing(#"{"heartbeat": "100ms", "election": "300ms"}"#) == [])
        let short = try timing(#"{"heartbeat": "101ms", "election": "300ms"}"#)
        #expect(short.count == 1)
        #expect(short.first?.hasPrefix("/timing/election: 300ms is shorter than three") == true)
        let worker = try timing(#"{"election": "1s", "workerTimeout": "2s"}"#)
        #expect(worker.count == 1)
        #expect(worker.first?.hasPrefix("/timing/workerTimeout: 2s is not longer than two") == true)
    }

    @Test func plannedFieldsAreRefusedByName() throws {
        let found = try changed("\"nodes\"", "\"tls\": {}, \"nodes\"")
        #expect(found == ["/tls: is not supported by this version"])
    }

    @Test func handlersAreRead() throws {
        let text = Self.threeNodes.replacing(
            "\"nodes\"",
            with: """
                "handlers": {
                  "resize": { "command": ["./resize", "--quality", "80"], "timeout": "30s" },
                  "notify": { "http": { "url": "http://127.0.0.1:1/" }, "batch": { "max": 5 } }
                }, "nodes"
                """)
        let configuration = try read(text)
        #expect(configuration.handlers.map(\.name) == ["notify", "resize"])
        guard case .command(let command) = configuration.handlers[1].definition else {
            Issue.record("resize is a command")
            return
        }
        #expect(command.arguments == ["./resize", "--quality", "80"])
        #expect(command.timeoutMilliseconds == 30_000)
        let overridden = try read(
            text,
            [
                "CARILLON_HANDLERS_RESIZE_TIMEOUT": "5s",
                "CARILLON_HANDLERS_NOTIFY_HTTP_METHOD": "PUT",
                "CARILLON_HANDLERS_NOTIFY_BATCH_MAX": "7",
                "CARILLON_HANDLERS_NOTIFY_BATCH_LINGER": "3s",
            ])
        #expect(overridden.handlers[1].definition.timeoutMilliseconds == 5_000)
        guard case .http(let http) = overridden.handlers[0].definition else {
            Issue.record("notify is a request")
            return
        }
        #expect(http.method == "PUT")
        #expect(http.batch == BatchSpec(maxCount: 7, lingerMilliseconds: 3_000))
        #expect(
            try problems(text, ["CARILLON_HANDLERS_RESIZE_TIMEOUT": "soon"]).first?
                .hasPrefix("CARILLON_HANDLERS_RESIZE_TIMEOUT: ") == true)
    }

    @Test func badHandlersAreRefused() throws {
        func handlers(_ text: String) throws -> [String] {
            try problems(
                Self.threeNodes.replacing("\"nodes\"", with: "\"handlers\": \(text), \"nodes\""))
        }
        #expect(try handlers(#"{"echo": {"command": ["x"]}}"#).count == 1)
        #expect(try handlers(#"{"a b": {"command": ["x"]}}"#).count == 1)
        #expect(try handlers(#"{"x": {"command": []}}"#).count == 1)
        #expect(try handlers(#"{"x": {}}"#).count == 1)
        #expect(try handlers(#"{"x": {"command": ["x"], "tiemout": "1s"}}"#).count == 1)
    }

    @Test func environmentTakesThePlaceOfEveryScalar() throws {
        let configuration = try read(
            Self.threeNodes,
            [
                "CARILLON_CLUSTER": "other", "CARILLON_DATA_DIRECTORY": "/var/lib/carillon",
                "CARILLON_TIMING_HEARTBEAT": "20ms", "CARILLON_TIMING_ELECTION": "200ms",
                "CARILLON_TIMING_WORKER_TIMEOUT": "5s", "CARILLON_NODES_N1_PEER": "127.0.0.2:1",
                "CARILLON_NODES_N_3_API": "127.0.0.3:2", "CARILLON_NODES_N_3_SLOTS": "16",
                "PATH": "/bin", "CARILLON_SERVER": "http://127.0.0.1:1",
                "CARILLON_NAMESPACE": "a", "CARILLON_WEBHOOKS_SECRET": "s3cret",
            ])
        #expect(configuration.webhookSecret == Array("s3cret".utf8))
        #expect(configuration.cluster == "other")
        #expect(configuration.dataDirectory == "/var/lib/carillon")
        #expect(configuration.timing.heartbeatMilliseconds == 20)
        #expect(configuration.timing.electionMilliseconds == 200)
        #expect(configuration.timing.workerTimeoutMilliseconds == 5_000)
        #expect(configuration.nodes[0].peer == Endpoint(host: "127.0.0.2", port: 1))
        #expect(configuration.nodes[2].api == Endpoint(host: "127.0.0.3", port: 2))
        #expect(configuration.nodes[2].slots == 16)
    }

    @Test func badValuesInTheEnvironmentAreReportedByTheVariablesName() throws {
        let found = try problems(
            Self.threeNodes,
            [
                "CARILLON_TIMING_HEARTBEAT": "fast", "CARILLON_INSECURE": "yes",
                "CARILLON_NODES_N1_SLOTS": "-1", "CARILLON_NODES_N2_PEER": "nowhere",
                "CARILLON_DATA_DIRECTORY": "",
            ])
        #expect(found.count == 5)
        #expect(found.contains("CARILLON_INSECURE: \"yes\" is neither \"true\" nor \"false\""))
        for name in ["TIMING_HEARTBEAT", "NODES_N1_SLOTS", "NODES_N2_PEER", "DATA_DIRECTORY"] {
            #expect(found.contains { $0.hasPrefix("CARILLON_\(name): ") })
        }
    }

    @Test func unknownVariablesAreReported() throws {
        let found = try problems(
            Self.threeNodes,
            [
                "CARILLON_TIMING_HARTBEAT": "50ms", "CARILLON_TOKEN": "x",
                "CARILLON_SERVICE_HOST": "10.0.0.1", "CARILLON_PORT": "tcp://10.0.0.1:7201",
                "CARILLON_PORT_7201_TCP_ADDR": "10.0.0.1",
            ])
        #expect(
            found == [
                "CARILLON_TIMING_HARTBEAT: this environment variable names no setting; "
                    + "did you mean CARILLON_TIMING_HEARTBEAT?"
            ])
    }

    @Test func loadingTellsWhatIsWrongWithTheFile() throws {
        let missing = "/nonexistent/cluster.json"
        #expect {
            try ClusterConfiguration.load(path: missing, environment: [:])
        } throws: { error in
            "\(error)" == "\(missing): there is no such file"
        }
        #expect {
            try ClusterConfiguration.load(path: "/", environment: [:])
        } throws: { error in
            "\(error)".hasPrefix("/: can't be ")
        }
    }

    @Test func placesInTheFileAreCountedFromOne() {
        let bytes = Array("{\n  x\n".utf8)
        #expect(ClusterConfiguration.position(of: 0, in: bytes) == (1, 1))
        #expect(ClusterConfiguration.position(of: 4, in: bytes) == (2, 3))
        #expect(ClusterConfiguration.position(of: 6, in: bytes) == (3, 1))
    }
}
