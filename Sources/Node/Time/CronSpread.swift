/// Where `H` and `~` put an occurrence: by a hash of the schedule's name, so that many schedules of one expression do
/// not all run at once, and each at the same times on every node and for ever.
struct CronSpread: Equatable, Sendable {
    let name: String

    /// Less than `count`; another one for each field.
    func offset(_ unit: CronField.Unit, below count: Int) -> Int {
        // FNV-1a, and a last mixing (of MurmurHash3) because its low bits depend on little.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "\(unit.rawValue) \(name)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return Int((hash ^ (hash >> 33)) % UInt64(count))
    }
}
