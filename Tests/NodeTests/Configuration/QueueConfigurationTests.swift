import Scheduler
import Testing

@testable import Node

@Suite struct QueueConfigurationTests {
    private func read(
        _ queues: String, _ environment: [String: String] = [:]
    ) throws -> ClusterConfiguration {
        let text = ClusterConfigurationTests.threeNodes.replacing(
            "\"nodes\"", with: "\"queues\": \(queues), \"nodes\"")
        return try ConfigurationReader.read(try JSONDocument(text), environment: environment)
    }

    private func problems(
        _ queues: String, _ environment: [String: String] = [:]
    ) throws -> [String] {
        do {
            _ = try read(queues, environment)
            return []
        } catch let found as ConfigurationProblems {
            return found.all.map(\.description)
        }
    }

    @Test func queuesStandInTheFile() throws {
        let found = try read(
            #"{"sms": {"paused": true}, "mail": {"concurrency": 20, "rate": "100/s", "priority": 7}}"#
        )
        var mail = QueueSpec()
        mail.concurrency = 20
        mail.priority = 7
        mail.rate = RateLimit(count: 100, perMilliseconds: 1_000)
        #expect(
            found.queues == [
                InitialQueue(name: "mail", spec: mail),
                InitialQueue(name: "sms", spec: QueueSpec(), isPaused: true),
            ])
        #expect(found.replicaSettings(for: found.nodes[0], joins: false).initialQueues.count == 2)
    }

    @Test func everyMistakeHasItsPlace() throws {
        let found = try problems(
            #"{"a b": {}, "mail": {"concurrency": 0, "rate": "fast", "colour": 1}}"#)
        #expect(found.count == 4)
        #expect(found.contains { $0.hasPrefix("/queues/a b: \"a b\" is not a queue's name") })
        for field in ["concurrency", "rate", "colour"] {
            #expect(found.contains { $0.hasPrefix("/queues/mail/\(field): ") }, "\(field)")
        }
    }

    @Test func environmentTakesThePlaceOfValues() throws {
        let found = try read(
            #"{"mail": {"rate": "1/s", "breaker": {"failures": 3}}}"#,
            [
                "CARILLON_QUEUES_MAIL_RATE": "5/m", "CARILLON_QUEUES_MAIL_CONCURRENCY": "7",
                "CARILLON_QUEUES_MAIL_BREAKER_OPEN": "1s", "CARILLON_QUEUES_MAIL_PAUSED": "true",
                "CARILLON_QUEUES_MAIL_ERROR_WEBHOOK": "http://127.0.0.1:1/dead",
            ])
        let mail = try #require(found.queues.first)
        #expect(mail.isPaused)
        #expect(mail.spec.rate?.perMilliseconds == 60_000)
        #expect(mail.spec.concurrency == 7)
        #expect(mail.spec.breaker?.openMilliseconds == 1_000)
        #expect(mail.spec.errorWebhook == "http://127.0.0.1:1/dead")
        let wrong = try problems(
            #"{"mail": {}}"#, ["CARILLON_QUEUES_MAIL_CONCURRENCY": "many"])
        #expect(wrong.count == 1)
        #expect(wrong.first?.hasPrefix("CARILLON_QUEUES_MAIL_CONCURRENCY: ") == true)
    }

    @Test func retentionStandsInTheFile() throws {
        let text = ClusterConfigurationTests.threeNodes.replacing(
            "\"nodes\"",
            with: #""retention": {"succeeded": "7d", "dead": "1h", "maxDead": 10}, "nodes""#)
        let found = try ConfigurationReader.read(
            try JSONDocument(text), environment: ["CARILLON_RETENTION_EXPIRED": "5m"])
        var retention = Retention()
        retention.succeededMilliseconds = 7 * 86_400_000
        retention.deadMilliseconds = 3_600_000
        retention.expiredMilliseconds = 300_000
        retention.maxDead = 10
        #expect(found.retention == retention)
    }
}
