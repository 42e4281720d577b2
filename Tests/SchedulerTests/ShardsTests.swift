import Testing

@testable import Scheduler

struct ShardsTests {
    @Test(arguments: 0..<5)
    func behavesLikeADictionary(seed: UInt64) {
        var random = Seeded(seed)
        var shards = Shards<UInt64, Int>()
        var model: [UInt64: Int] = [:]
        for step in 0..<20_000 {
            let key = random.next() % 9_000
            switch random.next() % 5 {
            case 0:
                shards[key] = nil
                model[key] = nil
            case 1:
                shards[key, default: 0] += 1
                model[key, default: 0] += 1
            default:
                shards[key] = step
                model[key] = step
            }
        }
        #expect(shards.count == model.count)
        #expect(shards.keys.sorted() == model.keys.sorted())
        for key in UInt64(0)..<9_000 { #expect(shards[key] == model[key]) }
        for key in model.keys { shards[key] = nil }
        #expect(shards.isEmpty && shards.keys.isEmpty)
    }
}
