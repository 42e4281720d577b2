import Testing

@testable import Node

/// Where results and logs are kept, as a configuration says it.
@Suite struct ResultSettingsTests {
    private static func text(_ results: String) -> String {
        """
        {"cluster": "demo", "nodes": [{"id": "n1", "peer": "127.0.0.1:7101", "api": "127.0.0.1:7201"}]\(results)}
        """
    }

    private func read(
        _ results: String, _ environment: [String: String] = [:]
    ) throws -> ClusterConfiguration.Results {
        try ConfigurationReader.read(
            try JSONDocument(Self.text(results)), environment: environment
        ).results
    }

    private func problems(
        _ results: String, _ environment: [String: String] = [:]
    ) throws -> [String] {
        do {
            _ = try read(results, environment)
            return []
        } catch let found as ConfigurationProblems {
            return found.all.map(\.description)
        }
    }

    @Test func `nothing need be said`() throws {
        let results = try read("")
        #expect(results == ClusterConfiguration.Results())
        #expect(results.place == .directory(nil))
        #expect(results.retentionMilliseconds == 7 * 86_400_000)
    }

    @Test func `a directory`() throws {
        let results = try read(
            #", "results": {"directory": "/srv/r", "retention": "2d", "maxMegabytes": 5}"#)
        #expect(results.place == .directory("/srv/r"))
        #expect(results.retentionMilliseconds == 2 * 86_400_000)
        #expect(results.maxMegabytes == 5)
    }

    @Test func `a bucket, with its keys from the environment`() throws {
        let results = try read(
            #", "results": {"s3": {"endpoint": "https://s3.example.com", "bucket": "our-tasks"}}"#,
            [
                "CARILLON_RESULTS_S3_ACCESS_KEY": "a", "CARILLON_RESULTS_S3_SECRET_KEY": "s",
                "CARILLON_RESULTS_RETENTION": "30d",
            ])
        let server = try #require(BucketSettings.Server("https://s3.example.com"))
        #expect(
            results.place
                == .bucket(
                    BucketSettings(
                        server: server, bucket: "our-tasks", region: "us-east-1",
                        prefix: "carillon/demo/", accessKey: "a", secretKey: "s")))
        #expect(results.retentionMilliseconds == 30 * 86_400_000)
    }

    @Test func `what is wrong is told with its place`() throws {
        #expect(
            try problems(#", "results": {"s3": {"endpoint": "https://h", "accessKey": "a"}}"#) == [
                "/results/s3/bucket: is required", "/results/s3/secretKey: is required",
            ])
        let keys = #""accessKey": "a", "secretKey": "s""#
        #expect(
            try problems(
                #", "results": {"s3": {"endpoint": "h:1", "bucket": "our-tasks", \#(keys)}}"#) == [
                    "/results/s3/endpoint: \"h:1\" is not http:// or https:// and a host"
                ])
        #expect(
            try problems(
                #", "results": {"s3": {"endpoint": "http://h", "bucket": "A", \#(keys)}}"#) == [
                    "/results/s3/bucket: \"A\" is not a bucket's name"
                ])
        #expect(
            try problems(
                #", "results": {"directory": "d", "s3": {"endpoint": "http://h", "bucket": "abc", \#(keys)}}"#
            ) == [
                "/results/directory: can't stand beside /results/s3: results have one place"
            ])
        #expect(try problems(#", "results": {"dir": "d"}"#).count == 1)
        #expect(try problems("", ["CARILLON_RESULTS_S3_SECRET_KEY": "s"]).count == 3)
    }
}
