import Foundation
import Scheduler
import Testing

@testable import Node

/// Against a real server: `CARILLON_TEST_S3=http://127.0.0.1:5555` names one that takes any keys, such as `moto_server`.
@Suite struct BucketStoreTests {
    private static let server = ProcessInfo.processInfo.environment["CARILLON_TEST_S3"]

    private let name = StoredName(task: TaskID(17), attempt: 2, fence: 4_711, kind: .result)

    @Test(
        .enabled(
            if: server != nil,
            "CARILLON_TEST_S3 names no server: scripts/s3-test starts one and runs this"))
    func `a real server takes, gives, lists and removes`() throws {
        let server = try #require(Self.server.flatMap { BucketSettings.Server($0) })
        let settings = BucketSettings(
            server: server, bucket: "carillon-\(UInt32.random(in: 0 ... .max))",
            region: "us-east-1", prefix: "some where/é+", accessKey: "key", secretKey: "secret")
        let loop = try Loop()
        let store = try BucketStore(settings, loop: loop)
        var missing: Result<[UInt8], StoreFailure>?
        store.get(name, checksum: nil) { missing = $0 }
        turn(loop) { missing != nil }
        guard case .failure(.failed(let problem)) = missing else {
            Issue.record("there is no bucket, and \(String(describing: missing))")
            return
        }
        #expect(problem.contains("NoSuchBucket"))
        try makeBucket(settings, loop)

        let large = [UInt8](repeating: 7, count: 3 << 20)
        var put: Result<[UInt8], StoreFailure>?
        store.put(name, large, isDurable: true) { put = $0 }
        turn(loop) { put != nil }
        #expect(put == .success(SHA256.hash(large)))
        var got: Result<[UInt8], StoreFailure>?
        store.get(name, checksum: SHA256.hash(large)) { got = $0 }
        turn(loop) { got != nil }
        #expect(got == .success(large))
        var wrong: Result<[UInt8], StoreFailure>?
        store.get(name, checksum: SHA256.hash([1])) { wrong = $0 }
        turn(loop) { wrong != nil }
        guard case .failure(.damaged) = wrong else {
            Issue.record("damage was not found: \(String(describing: wrong))")
            return
        }
        var files: Result<[StoredFile], StoreFailure>?
        store.list { files = $0 }
        turn(loop) { files != nil }
        #expect(try files?.get().map(\.name) == [name])
        var removed: StoreFailure??
        store.remove([name, name]) { removed = .some($0) }
        turn(loop) { removed != nil }
        #expect(removed == .some(nil))
        var gone: Result<[UInt8], StoreFailure>?
        store.get(name, checksum: nil) { gone = $0 }
        turn(loop) { gone != nil }
        #expect(gone == .failure(.missing))
    }

    @Test func `nobody there is a failure, in the end`() throws {
        let server = try #require(BucketSettings.Server("http://127.0.0.1:1"))
        let settings = BucketSettings(
            server: server, bucket: "bucket", region: "us-east-1", prefix: "", accessKey: "key",
            secretKey: "secret")
        let loop = try Loop()
        let store = try BucketStore(settings, loop: loop)
        var put: Result<[UInt8], StoreFailure>?
        store.put(name, [1], isDurable: true) { put = $0 }
        turn(loop) { put != nil }
        guard case .failure(.failed) = put else {
            Issue.record("\(String(describing: put))")
            return
        }
    }

    @Test func `a page of a list is read`() throws {
        let xml = """
            <?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\
            <Name>b</Name><IsTruncated>true</IsTruncated>\
            <Contents><Key>p/t17-2-4711.result</Key><LastModified>2026-11-21T08:04:20.000Z</LastModified><Size>3</Size></Contents>\
            <Contents><Key>p/other</Key><LastModified>2026-11-21T08:04:20.000Z</LastModified></Contents>\
            <NextContinuationToken>abc=</NextContinuationToken></ListBucketResult>
            """
        let page = try #require(BucketListing(Array(xml.utf8), prefix: "p/"))
        #expect(page.files == [StoredFile(name: name, modifiedAt: 1_795_248_260_000)])
        #expect(page.continuation == "abc=")
        #expect(BucketListing(Array("<Error/>".utf8), prefix: "p/") == nil)
    }

    @Test(arguments: [
        ("http://127.0.0.1:9000", "127.0.0.1:9000"), ("https://s3.example.com/", "s3.example.com"),
        ("https://s3.example.com:443", "s3.example.com"), ("http://host:80", "host"),
        ("http://host:443", "host:443"), ("ftp://host", nil), ("host:9000", nil),
        ("http://", nil), ("http://host/path", nil), ("http://user@host", nil),
    ])
    func `a server is named by scheme and host`(text: String, authority: String?) {
        #expect(BucketSettings.Server(text)?.authority == authority)
    }

    private func makeBucket(_ settings: BucketSettings, _ loop: Loop) throws {
        let client = try HTTPClient(loop: loop)
        let request = BucketRequest(method: "PUT", key: "").signed(
            for: settings, at: SystemClock.wallMilliseconds())
        var reply: OutgoingReply?
        _ = client.send(request.request) { reply = $0 }
        turn(loop) { reply != nil }
        guard case .response(200, _, _, _) = reply else {
            Issue.record("no bucket was made: \(String(describing: reply))")
            return
        }
    }

    private func turn(_ loop: Loop, until condition: () -> Bool) {
        let end = SystemClock.monotonicMilliseconds() + 60_000
        while !condition() {
            guard SystemClock.monotonicMilliseconds() < end else {
                Issue.record("nothing more happens")
                return
            }
            loop.turn(maxWaitMilliseconds: 50)
        }
    }
}
