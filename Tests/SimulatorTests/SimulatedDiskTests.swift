import Glibc
import Node
import Testing

@testable import Simulator

struct SimulatedDiskTests {
    private func disk(seed: UInt64 = 1) throws -> SimulatedDisk {
        let disk = SimulatedDisk(random: RandomSource(seed: seed))
        try disk.createDirectory("d")
        try disk.syncDirectory("")
        return disk
    }

    /// Four sectors of ones, durable.
    private func file(on disk: SimulatedDisk) throws -> any OpenFile {
        let file = try disk.open("d/f", mode: .create)
        try file.write([UInt8](repeating: 1, count: 2_048), range: 0..<2_048, at: 0)
        try file.sync()
        try disk.syncDirectory("d")
        return file
    }

    private func read(_ path: String = "d/f", on disk: SimulatedDisk) throws -> [UInt8] {
        try disk.open(path, mode: .read).read(count: 100_000, at: 0)
    }

    @Test func whatWasSyncedOutlastsALossOfPower() throws {
        for seed in 1...50 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            _ = try file(on: disk)
            disk.losePower()
            #expect(try read(on: disk) == [UInt8](repeating: 1, count: 2_048))
        }
    }

    /// Of a write of four sectors each may be there or not, in every combination, none in part.
    @Test func anySubsetOfUnsyncedSectorsSurvives() throws {
        var seen: Set<[UInt8]> = []
        for seed in 1...400 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            let file = try file(on: disk)
            try file.write([UInt8](repeating: 2, count: 2_048), range: 0..<2_048, at: 0)
            disk.losePower()
            let bytes = try read(on: disk)
            let sectors = (0..<4).map { Array(bytes[$0 * 512..<$0 * 512 + 512]) }
            for sector in sectors {
                let first = sector[0]
                #expect(sector.allSatisfy { $0 == first } && (1...2).contains(first))
            }
            seen.insert(sectors.map { $0[0] })
        }
        #expect(seen.count == 16)
    }

    @Test func aFileThatGrewMayHaveAnySizeInBetween() throws {
        var sizes: Set<Int> = []
        for seed in 1...200 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            let file = try file(on: disk)
            try file.write([UInt8](repeating: 2, count: 1_000), range: 0..<1_000, at: 2_048)
            disk.losePower()
            let bytes = try read(on: disk)
            sizes.insert(bytes.count)
            #expect(bytes.prefix(2_048).allSatisfy { $0 == 1 })
            #expect(bytes.dropFirst(2_048).allSatisfy { $0 == 0 || $0 == 2 })
        }
        #expect(sizes.contains(2_048) && sizes.contains(3_048) && sizes.count > 4)
    }

    @Test func theEndOfAProcessLosesNothing() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            let file = try file(on: disk)
            try file.write([7], range: 0..<1, at: 600)
            disk.endProcess()
            #expect(try read(on: disk)[600] == 7)
        }
    }

    @Test func namesThatWereNotSyncedMayBeThereOrNot() throws {
        var seen: Set<[String]> = []
        for seed in 1...200 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            _ = try file(on: disk)
            _ = try disk.open("d/g", mode: .create)
            try disk.rename("d/f", to: "d/h")
            disk.losePower()
            let names = try disk.names(in: "d")
            seen.insert(names)
            // A renamed file has one of its two names, never none.
            #expect(names.contains("f") != names.contains("h"))
        }
        #expect(seen == [["f"], ["f", "g"], ["h"], ["g", "h"]])
    }

    @Test func aRemovedFileMayComeBackUntilItsDirectoryIsSynced() throws {
        var returned = 0
        for seed in 1...50 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            _ = try file(on: disk)
            try disk.remove("d/f")
            disk.losePower()
            if disk.exists("d/f") {
                returned += 1
                #expect(try read(on: disk) == [UInt8](repeating: 1, count: 2_048))
                try disk.remove("d/f")
            }
            try disk.syncDirectory("d")
            disk.losePower()
            #expect(!disk.exists("d/f"))
        }
        #expect((1..<50).contains(returned))
    }

    @Test func aSyncAfterAFailedOneSucceedsAndWritesNothing() throws {
        let disk = try disk()
        let file = try file(on: disk)
        try file.write([9], range: 0..<1, at: 0)
        disk.arm(.syncError)
        #expect(throws: StorageError.system(operation: "sync", path: "d/f", errno: EIO)) {
            try file.sync()
        }
        try file.sync()
        #expect(try read(on: disk)[0] == 9)
        disk.losePower()
        #expect(try read(on: disk)[0] == 1)
        #expect(disk.strikes == [.syncError: 1])
    }

    /// Only writing it again brings it to the platter.
    @Test func whatIsWrittenAgainAfterAFailedSyncIsSynced() throws {
        let disk = try disk()
        let file = try file(on: disk)
        try file.write([9], range: 0..<1, at: 0)
        disk.arm(.syncError)
        #expect(throws: StorageError.self) { try file.sync() }
        try file.write([9], range: 0..<1, at: 0)
        try file.sync()
        disk.losePower()
        #expect(try read(on: disk)[0] == 9)
    }

    @Test func aFailedWriteLeavesAPartOfIt() throws {
        let disk = try disk()
        let file = try file(on: disk)
        disk.arm(.writeError)
        #expect(throws: StorageError.self) {
            try file.write([UInt8](repeating: 2, count: 2_048), range: 0..<2_048, at: 0)
        }
        let bytes = try read(on: disk)
        let written = bytes.prefix { $0 == 2 }.count
        #expect(bytes[written...].allSatisfy { $0 == 1 } && written % 512 == 0)
    }

    @Test func aFullDiskTakesOnlyWhatIsInPlace() throws {
        let disk = try disk()
        let file = try file(on: disk)
        disk.arm(.noSpace)
        try file.write([3], range: 0..<1, at: 2_047)
        try file.sync()
        #expect(throws: StorageError.system(operation: "write", path: "d/f", errno: ENOSPC)) {
            try file.write([3], range: 0..<1, at: 2_048)
        }
        disk.arm(.noSpace)
        #expect(throws: StorageError.system(operation: "open", path: "d/g", errno: ENOSPC)) {
            _ = try disk.open("d/g", mode: .create)
        }
    }

    /// Not of a log's last write: that one nobody could tell from one the crash prevented.
    @Test func aLostWriteBringsBackWhatWasThereBefore() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            let file = try file(on: disk)
            try disk.rename("d/f", to: "d/segment-1")
            let early = disk.damage(.lostWrite) { $0 == "d/segment-1" }
            #expect(early == nil)
            try file.write([UInt8](repeating: 2, count: 1_024), range: 0..<1_024, at: 0)
            try file.sync()
            try file.write([3], range: 0..<1, at: 2_047)
            try file.sync()
            let place = disk.damage(.lostWrite) { $0 == "d/segment-1" }
            #expect(place != nil)
            let bytes = try read("d/segment-1", on: disk)
            // Before it was written last, each of the first two held ones, and the third one nothing.
            let written: [UInt8] = [2, 2, 1]
            let former: [UInt8] = [1, 1, 0]
            let lost = (0..<3).filter { bytes[$0 * 512] != written[$0] }
            #expect(lost.count == 1 && lost.allSatisfy { bytes[$0 * 512] == former[$0] })
            #expect(bytes[2_047] == 3)
            #expect(disk.strikes == [.lostWrite: 1] && disk.errorCount == 0)
        }
    }

    @Test func aMisdirectedWriteStandsInAnotherPlace() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            let file = try file(on: disk)
            try file.write([UInt8](repeating: 5, count: 512), range: 0..<512, at: 0)
            try file.sync()
            try disk.rename("d/f", to: "d/segment-1")
            _ = disk.damage(.misdirectedWrite) { $0 == "d/segment-1" }
            let bytes = try read("d/segment-1", on: disk)
            // The first sector was written last; all others may be hit.
            #expect(bytes[..<512].allSatisfy { $0 == 5 })
            let sectors = (1..<4).map { Array(bytes[$0 * 512..<$0 * 512 + 512]) }
            #expect(sectors.count { $0.allSatisfy { $0 == 5 } } == (disk.strikes.isEmpty ? 0 : 1))
        }
    }

    @Test func rottenBitsLieInOneSectorOfATarget() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let disk = try disk(seed: seed)
            _ = try file(on: disk)
            let place = disk.damage(.bitRot) { $0 == "d/f" }
            #expect(place != nil)
            let bytes = try read(on: disk)
            let hit = Set(bytes.indices.filter { bytes[$0] != 1 }.map { $0 / 512 })
            #expect(hit.count == 1)
            let elsewhere = disk.damage(.bitRot) { $0 == "d/none" }
            #expect(elsewhere == nil)
        }
    }

    @Test func afterACutNothingWorksUntilPowerIsBack() throws {
        let disk = try disk()
        let file = try file(on: disk)
        disk.cutPower(afterChanges: 2)
        try file.write([2], range: 0..<1, at: 0)
        try file.sync()
        #expect(!disk.isPowerCut)
        #expect(throws: StorageError.self) { try disk.remove("d/f") }
        #expect(disk.isPowerCut)
        #expect(throws: StorageError.self) { try file.read(count: 1, at: 0) }
        #expect(throws: StorageError.self) { try disk.names(in: "d") }
        disk.losePower()
        #expect(try read(on: disk)[0] == 2)
    }

    @Test func aLockIsHeldUntilItsFileIsClosed() throws {
        let disk = try disk()
        do {
            let first = try file(on: disk)
            #expect(try first.lock())
            #expect(try disk.open("d/f", mode: .readWrite).lock() == false)
            withExtendedLifetime(first) {}
        }
        #expect(try disk.open("d/f", mode: .readWrite).lock())
    }

    @Test func modesSayWhatMayExist() throws {
        let disk = try disk()
        for mode in [StorageFile.Mode.read, .readWrite] {
            #expect(throws: StorageError.system(operation: "open", path: "d/f", errno: ENOENT)) {
                _ = try disk.open("d/f", mode: mode)
            }
        }
        _ = try file(on: disk)
        #expect(throws: StorageError.system(operation: "open", path: "d/f", errno: EEXIST)) {
            _ = try disk.open("d/f", mode: .create)
        }
        #expect(try disk.open("d/f", mode: .openOrCreate).sizeBytes() == 2_048)
        #expect(try disk.open("d/f", mode: .replace).sizeBytes() == 0)
    }

    @Test func aWipedDiskIsEmpty() throws {
        let disk = try disk()
        let file = try file(on: disk)
        disk.wipe()
        #expect(!disk.exists("d"))
        #expect(throws: StorageError.self) { try file.write([1], range: 0..<1, at: 0) }
    }

    @Test func theSameSeedIsTheSameDisk() throws {
        func run() throws -> [UInt8] {
            let disk = try disk(seed: 77)
            let file = try file(on: disk)
            for round in 2..<30 as Range<UInt8> {
                try file.write(
                    [UInt8](repeating: round, count: 3_000), range: 0..<3_000, at: Int(round) * 90)
                disk.losePower()
            }
            return try read(on: disk)
        }
        #expect(try run() == run())
    }
}
