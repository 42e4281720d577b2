/// What a disk does wrong when it is told to.
enum DiskFault: Int, CaseIterable, Sendable {
    /// A write fails; whole sectors from its beginning may be there.
    case writeError
    /// A sync fails. The kernel takes the pages for clean from then on, so that the next sync succeeds
    /// without writing them.
    case syncError
    /// Nothing can be created, and no file can grow.
    case noSpace
    /// Synced data never reached the platter, and nobody was told: what was there before is there.
    case lostWrite
    /// Synced data stands in another place, too, or instead.
    case misdirectedWrite
    /// A bit that was durable is another one now.
    case bitRot
    /// An empty disk.
    case wipe

    /// What was synced is another thing now, in one place.
    static let damages: [DiskFault] = [.lostWrite, .misdirectedWrite, .bitRot]

    var name: String {
        switch self {
        case .writeError: "write errors"
        case .syncError: "sync errors"
        case .noSpace: "full disks"
        case .lostWrite: "lost writes"
        case .misdirectedWrite: "misdirected writes"
        case .bitRot: "rotten sectors"
        case .wipe: "wiped disks"
        }
    }

    /// As the report counts it.
    var counted: Fault {
        switch self {
        case .writeError: .writeError
        case .syncError: .syncError
        case .noSpace: .diskFull
        case .lostWrite: .lostWrite
        case .misdirectedWrite: .misdirectedWrite
        case .bitRot: .bitRot
        case .wipe: .wipe
        }
    }
}
