import Scheduler

struct RingPart {
    static func measure(_ meter: inout PartMeter) {
        for count in [3, 100, 1_000] {
            let members = (0..<count).map { member($0) }
            var ring = Ring(members)
            var hash: UInt64 = 0
            meter.measure("a key's place among \(count) workers") {
                hash &+= 0x9E37_79B9_7F4A_7C15
                return ring.firstPoint(from: hash)
            }
            let newcomer = member(count)
            meter.measure("a worker comes to \(count), and goes") {
                ring.insert(newcomer)
                ring.remove(UInt32(count))
                return ring.firstPoint(from: 0)
            }
        }
    }

    private static func member(_ number: Int) -> Ring.Member {
        Ring.Member(
            worker: UInt32(number), nameHash: UInt64(number + 1) &* 0x9FB2_1C65_1E98_DF25,
            slots: 8)
    }
}
