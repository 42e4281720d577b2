import Raft
import Testing

@testable import Simulator

struct FaultAtlasTests {
    private func atlas(
        _ voters: [NodeID], outgoing: [NodeID] = [], staying: [NodeID]? = nil,
        whole: Set<NodeID>, complete: Set<NodeID>
    ) -> FaultAtlas {
        FaultAtlas(
            configuration: Configuration(voters: voters, outgoing: outgoing),
            staying: staying ?? voters, whole: whole, complete: complete)
    }

    @Test func aMinorityMayBeLost() {
        let three = atlas(["a", "b", "c"], whole: ["a", "b", "c"], complete: ["a", "b"])
        #expect(three.mayLose("a") && three.mayLose("b") && three.mayLose("c"))
        let one = atlas(["a", "b", "c"], whole: ["b", "c"], complete: ["b"])
        #expect(one.mayLose("a"), "what is damaged already may be damaged more")
        #expect(!one.mayLose("b") && !one.mayLose("c"))
        let five = atlas(
            ["a", "b", "c", "d", "e"], whole: ["b", "c", "d", "e"], complete: ["b", "c"])
        #expect(five.mayLose("b") && five.mayLose("e"))
    }

    @Test func twoCanSpareNobody() {
        let two = atlas(["a", "b"], whole: ["a", "b"], complete: ["a", "b"])
        #expect(!two.mayLose("a") && !two.mayLose("b"))
    }

    @Test func somebodyElseHasEverything() {
        let atlas = atlas(["a", "b", "c"], whole: ["a", "b", "c"], complete: ["a", "x"])
        #expect(!atlas.mayLose("a"), "the only other one is no voter")
        #expect(atlas.mayLose("b"))
        #expect(!atlas.mayLose("x"))
    }

    /// Before the configuration without the third is in any log.
    @Test func whoIsToLeaveDoesNotCount() {
        let atlas = atlas(
            ["a", "b", "c"], staying: ["a", "b"], whole: ["a", "b", "c"], complete: ["a", "b"])
        #expect(!atlas.mayLose("a") && !atlas.mayLose("b"))
    }

    @Test func bothHalvesOfAJointConfigurationCount() {
        let atlas = atlas(
            ["c", "d", "e"], outgoing: ["a", "b"], whole: ["a", "b", "c", "d", "e"],
            complete: ["c", "d"])
        #expect(!atlas.mayLose("a"))
        #expect(atlas.mayLose("c"))
    }
}
