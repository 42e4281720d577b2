import Scheduler

/// Where results and logs are kept.
extension SettingReader {
    private static let retentionRange: ClosedRange<Milliseconds> = 60_000...(3_650 * 86_400_000)

    mutating func results(
        _ reader: inout JSONReader, cluster: String,
        into results: inout ClusterConfiguration.Results
    ) {
        let directory = text(["results", "directory"], of: &reader)
        if let directory { results.place = .directory(directory.text) }
        if let retention = durationMilliseconds(
            ["results", "retention"], of: &reader, in: Self.retentionRange)
        {
            results.retentionMilliseconds = retention
        }
        if let megabytes = integer(
            ["results", "maxMegabytes"], of: &reader, in: 1...1_000_000_000)
        {
            results.maxMegabytes = UInt64(megabytes)
        }
        let isWanted = reader.has("s3")
        let pointer = JSONPointer.appending("s3", to: reader.pointer)
        var bucket: BucketSettings?
        section("s3", of: &reader) { settings, reader in
            bucket = settings.bucket(&reader, isWanted: isWanted, cluster: cluster)
        }
        guard let bucket else { return }
        if let directory {
            problem(directory.place, "can't stand beside \(pointer): results have one place")
        }
        results.place = .bucket(bucket)
    }

    /// nil if there is none, or if it is wrong.
    private mutating func bucket(
        _ reader: inout JSONReader, isWanted: Bool, cluster: String
    ) -> BucketSettings? {
        func path(_ name: String) -> [String] { ["results", "s3", name] }
        let endpoint = text(path("endpoint"), of: &reader)
        let bucket = text(path("bucket"), of: &reader)
        let region = text(path("region"), of: &reader)
        let prefix = text(path("prefix"), of: &reader)
        let accessKey = text(path("accessKey"), of: &reader)
        let secretKey = text(path("secretKey"), of: &reader)
        let given = [endpoint, bucket, region, prefix, accessKey, secretKey]
        guard isWanted || given.contains(where: { $0 != nil }) else { return nil }
        for (name, value) in [
            ("endpoint", endpoint), ("bucket", bucket), ("accessKey", accessKey),
            ("secretKey", secretKey),
        ] where value == nil {
            problem(JSONPointer.appending(name, to: reader.pointer), "is required")
        }
        guard let endpoint, let bucket, let accessKey, let secretKey else { return nil }
        guard let server = BucketSettings.Server(endpoint.text) else {
            problem(endpoint.place, "\"\(endpoint.text)\" is not http:// or https:// and a host")
            return nil
        }
        guard BucketSettings.isName(bucket.text) else {
            problem(bucket.place, "\"\(bucket.text)\" is not a bucket's name")
            return nil
        }
        return BucketSettings(
            server: server, bucket: bucket.text, region: region?.text ?? "us-east-1",
            prefix: prefix?.text ?? "carillon/\(cluster)/", accessKey: accessKey.text,
            secretKey: secretKey.text)
    }
}
