import Testing

@testable import Node

@Suite struct RetentionSettingsTests {
    private func read(
        _ retention: String, _ environment: [String: String] = [:]
    ) throws -> ClusterConfiguration {
        let text = """
            {"cluster": "c", "nodes": [{"id": "n1", "peer": "127.0.0.1:1", "api": "127.0.0.1:2"}],
             "retention": \(retention)}
            """
        return try ConfigurationReader.read(try JSONDocument(text), environment: environment)
    }

    @Test func tasksAreExportedIfADirectoryIsNamed() throws {
        let plain = try read(#"{"succeeded": "1h", "maxDead": 7}"#)
        #expect(plain.history == nil && !plain.retention.isExported)
        #expect(plain.retention.succeededMilliseconds == 3_600_000)
        #expect(plain.retention.maxDead == 7)
        let named = try read(#"{"export": {"directory": "/srv/history"}}"#)
        #expect(named.history == ClusterConfiguration.History(directory: "/srv/history"))
        #expect(named.retention.isExported)
        let frequent = try read(
            "{}",
            [
                "CARILLON_RETENTION_EXPORT_DIRECTORY": "history",
                "CARILLON_RETENTION_EXPORT_INTERVAL": "2s",
            ])
        #expect(
            frequent.history
                == ClusterConfiguration.History(directory: "history", intervalMilliseconds: 2_000))
    }

    @Test(arguments: [
        (#"{"export": {}}"#, "/retention/export/directory"),
        (#"{"export": {"interval": "2s"}}"#, "/retention/export/directory"),
        (#"{"export": {"directory": "d", "interval": "1ms"}}"#, "/retention/export/interval"),
        (#"{"export": {"directory": ""}}"#, "/retention/export/directory"),
        (#"{"export": {"directory": "d", "bucket": "b"}}"#, "/retention/export/bucket"),
    ])
    func whatIsWrongIsNamed(retention: String, pointer: String) throws {
        let error = try #require(throws: ConfigurationProblems.self) { try read(retention) }
        #expect(error.all.map(\.pointer) == [pointer])
    }
}
