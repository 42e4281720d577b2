import Raft

/// What the disks of a run suffer.
struct DiskTroubles {
    /// Mean time between two errors of a disk; nil: none.
    var errorEvery: Nanoseconds?
    var errors: [DiskFault] = []
    /// Share of the crashes in which the machine loses power; else only the process ends.
    var powerLossPermille = 1_000
    /// Share of the crashes that come between two changes of the disk.
    var cutPermille = 0
    var segmentBytes = 64 << 10
    /// Share of the starts that find the disk damaged in one place.
    var damagePermille = 0
    /// Mean time between two damages to a snapshot of a running node; nil: none.
    var snapshotDamageEvery: Nanoseconds?
    /// Not empty.
    var damages = DiskFault.damages

    /// Any number of nodes may suffer them: the process ends and starts again, and nothing that was
    /// synced is lost.
    static let survivable: [DiskFault] = [.writeError, .syncError, .noSpace]

    static func draw(_ random: inout RandomSource) -> DiskTroubles {
        var troubles = DiskTroubles()
        troubles.powerLossPermille = random.pick([0, 500, 1_000, 1_000])
        troubles.cutPermille = random.pick([0, 300, 800])
        troubles.segmentBytes = random.pick([16 << 10, 64 << 10])
        if random.chance(permille: 400) {
            troubles.errorEvery = Nanoseconds(random.within(500...15_000)) * 1_000_000
            troubles.errors = survivable.filter { _ in random.chance(permille: 600) }
            if troubles.errors.isEmpty { troubles.errors = [random.pick(survivable)] }
        }
        return troubles
    }

    /// What was synced changes. From a source of its own: runs without it stay as they are.
    mutating func drawDamage(_ random: inout RandomSource) {
        guard random.chance(permille: 400) else { return }
        damagePermille = random.pick([200, 500, 1_000])
        let drawn = damages.filter { _ in random.chance(permille: 600) }
        if !drawn.isEmpty { damages = drawn }
        if random.chance(permille: 400) {
            snapshotDamageEvery = Nanoseconds(random.within(1_000...15_000)) * 1_000_000
        }
    }
}
