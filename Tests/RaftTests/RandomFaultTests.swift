import Testing

@testable import Raft

/// Short lives of small clusters under a bad network, bad disks and crashes. The oracle checks every step;
/// afterwards everything is mended and the cluster has to agree and go on.
@Suite struct RandomFaultTests {
    static let seedsPerCase = 20

    @Test(arguments: 0..<12)
    func safetyAndConvergence(block: Int) {
        for offset in 0..<Self.seedsPerCase {
            let seed = UInt64(block * Self.seedsPerCase + offset + 1)
            let life = RandomLife(seed: seed)
            life.runFaults()
            #expect(life.cluster.oracle.faults == [], "seed \(seed)")
            guard life.cluster.oracle.faults.isEmpty else { return }
            #expect(life.converges(), "seed \(seed) does not converge: \(life.summary)")
            #expect(life.cluster.oracle.faults == [], "seed \(seed), after the faults")
        }
    }
}
