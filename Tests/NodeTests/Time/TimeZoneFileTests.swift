import Testing

@testable import Node

@Suite struct TimeZoneFileTests {
    /// A file with one block, or with two and a footer.
    private func file(
        version: Character? = "2", changes: [(Int64, UInt8)] = [], offsets: [Int32] = [0],
        footer: String = "", leaps: Int = 0
    ) -> [UInt8] {
        func integer(_ value: Int64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> Int64(8 * (count - 1 - $0))) }
        }
        func header() -> [UInt8] {
            var bytes = Array("TZif".utf8) + [version?.asciiValue ?? 0]
            bytes += [UInt8](repeating: 0, count: 15)
            for count in [0, 0, leaps, changes.count, offsets.count, 4] {
                bytes += integer(Int64(count), 4)
            }
            return bytes
        }
        func block(_ instantBytes: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            for change in changes { bytes += integer(change.0, instantBytes) }
            for change in changes { bytes.append(change.1) }
            for offset in offsets { bytes += integer(Int64(offset), 4) + [0, 0] }
            bytes += Array("AAA\0".utf8)
            for _ in 0..<leaps { bytes += integer(0, instantBytes) + integer(0, 4) }
            return bytes
        }
        guard version != nil else { return header() + block(4) }
        return header() + block(4) + header() + block(8) + Array("\n\(footer)\n".utf8)
    }

    @Test func readsVersionOne() throws {
        let bytes = file(version: nil, changes: [(-100, 1), (50, 0)], offsets: [3600, -7200])
        let zone = try TimeZoneFile.zone(name: "test", bytes)
        #expect(zone.offset(at: -101) == 3600)
        #expect(zone.offset(at: -100) == -7200)
        #expect(zone.offset(at: 50) == 3600)
        #expect(zone.offset(at: 9_000_000_000) == 3600)
    }

    @Test(arguments: ["2", "3", "4"] as [Character]) func readsLaterVersionsAndTheirFooter(
        version: Character
    ) throws {
        let bytes = file(
            version: version, changes: [(-9_000_000_000, 1), (0, 0)], offsets: [3600, 0],
            footer: "CET-1CEST,M3.5.0,M10.5.0/3")
        let zone = try TimeZoneFile.zone(name: "test", bytes)
        #expect(zone.offset(at: -9_000_000_001) == 3600)
        #expect(zone.offset(at: -1) == 0)
        #expect(zone.offset(at: 1) == 3600)
        #expect(zone.offset(at: try second("2026-07-01T00:00:00Z")) == 7200)
        #expect(zone.offset(at: try second("9999-07-01T00:00:00Z")) == 7200)
        #expect(zone.offset(at: try second("9999-12-01T00:00:00Z")) == 3600)
    }

    @Test func refusesEveryPartOfAFile() throws {
        let bytes = file(changes: [(0, 1), (9, 0)], offsets: [3600, 0], footer: "AAA0")
        for count in 0..<bytes.count {
            #expect(throws: ZoneError.self) {
                try TimeZoneFile.zone(name: "test", Array(bytes[..<count]))
            }
        }
    }

    @Test func refusesContradictions() {
        let wrong = [
            file(changes: [(5, 0), (5, 0)]), file(changes: [(5, 0), (4, 0)]),
            file(changes: [(5, 1)]),
            file(offsets: []), file(offsets: [100_000]), file(footer: "nonsense"), file(leaps: 1),
            [UInt8](repeating: 0, count: 100), file(version: "1"),
        ]
        for bytes in wrong {
            #expect(throws: ZoneError.self) { try TimeZoneFile.zone(name: "test", bytes) }
        }
    }

    @Test func damagedFilesNeverTrap() {
        let bytes = file(
            changes: [(-9, 1), (0, 0), (77, 1)], offsets: [3600, 0],
            footer: "CET-1CEST,M3.5.0,M10.5.0/3")
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4) {
                damaged[Int.random(in: 0..<damaged.count)] = UInt8.random(in: 0...255)
            }
            if let zone = try? TimeZoneFile.zone(name: "test", damaged) {
                _ = zone.reading(local: Int64.random(in: -10_000_000_000...10_000_000_000))
            }
        }
    }

    @Test func tableReadsOncePerNameAndNeverOutsideItsDirectory() throws {
        final class Reads { var paths: [String] = [] }
        let reads = Reads()
        let bytes = file(footer: "<+03>-3")
        var table = ZoneTable(directories: ["/none", "/zones"]) { path in
            reads.paths.append(path)
            return path == "/zones/Europe/Istanbul" ? bytes : nil
        }
        #expect(try table.zone("Europe/Istanbul").offset(at: 0) == 10_800)
        #expect(try table.zone("Europe/Istanbul").name == "Europe/Istanbul")
        #expect(reads.paths == ["/none/Europe/Istanbul", "/zones/Europe/Istanbul"])
        reads.paths = []
        #expect(try table.zone("UTC") == .utc)
        for name in [
            "", "../etc/passwd", "/etc/passwd", "Europe/../../x", "Europe//Berlin", "a/./b",
            "Europe/", "a b",
            "localtime", "\0", String(repeating: "a", count: 65), "é",
        ] {
            #expect(throws: ZoneError.self) { try table.zone(name) }
        }
        #expect(reads.paths == [])
        let error = #expect(throws: ZoneError.self) { try table.zone("Mars/Olympus") }
        #expect(error?.description.contains("Mars/Olympus") == true)
    }

    @Test func namesTheReleaseOfItsDatabase() {
        let table = ZoneTable(directories: ["/zones"]) { path in
            path == "/zones/tzdata.zi" ? Array("# version 2026a\n# This\n".utf8) : nil
        }
        #expect(table.release() == "2026a")
        #expect(ZoneTable(directories: []) { _ in nil }.release() == nil)
    }

    @Test func readsTheZonesOfThisMachineIfItHasAny() throws {
        var table = ZoneTable.system(environment: [:])
        guard let berlin = try? table.zone("Europe/Berlin") else { return }
        #expect(berlin.offset(at: try second("2026-07-01T00:00:00Z")) == 7200)
        #expect(berlin.offset(at: try second("1945-06-01T00:00:00Z")) == 10_800)
        for year in 1997...2600 {
            let probe = CivilTime(year: year, month: 6, day: 15).seconds
            #expect(berlin.segment(at: probe) == SampleZone.berlin.segment(at: probe))
        }
    }
}
