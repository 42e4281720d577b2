import Glibc

/// Measures steps, each done so often that the clock's own cost does not count, in rounds of which the median is taken.
struct PartMeter {
    let rounds: Int
    private(set) var figures: [PartFigure] = []
    private let allocations: () -> UInt64
    /// What two readings in a row differ by.
    private var reading = PartSample()
    /// Adds up what steps return, so that nothing can be left out because nobody wants it.
    private var sum = 0

    private static let roundNanoseconds: UInt64 = 20_000_000

    /// - Parameter allocations: how often the process has asked for memory so far.
    init(rounds: Int, allocations: @escaping () -> UInt64) {
        self.rounds = rounds
        self.allocations = allocations
        let pairs = (0..<100).map { _ in
            let first = read()
            return read() - first
        }
        reading =
            pairs.min { $0.processorNanoseconds < $1.processorNanoseconds } ?? PartSample()
    }

    /// - Parameters:
    ///   - bytes: of each operation.
    ///   - operations: that `step` does in one call.
    ///   - step: returns anything that depends on what was done.
    mutating func measure(
        _ name: String, bytes: Int = 0, operations: Int = 1, _ step: () -> Int
    ) {
        var repeats = 1
        while sample(repeats, step).processorNanoseconds < Self.roundNanoseconds { repeats *= 2 }
        let samples = (0..<rounds).map { _ in sample(repeats, step) }
        add(PartFigure(name, samples, operations: operations * repeats, bytes: bytes))
    }

    /// For steps that need something else between them: who calls has taken the samples, one for each round.
    mutating func add(_ figure: PartFigure) { figures.append(figure) }

    func read() -> PartSample {
        PartSample(
            processorNanoseconds: Self.nanoseconds(CLOCK_THREAD_CPUTIME_ID),
            elapsedNanoseconds: Self.nanoseconds(CLOCK_MONOTONIC), allocations: allocations())
    }

    /// What was spent since then, but for the reading itself.
    func since(_ begun: PartSample) -> PartSample { read() - begun - reading }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    @inline(never)
    private mutating func sample(_ repeats: Int, _ step: () -> Int) -> PartSample {
        let begun = read()
        for _ in 0..<repeats { sum &+= step() }
        return since(begun)
    }

    /// What a part has made itself can be read.
    static func sound<Value, Failure: Error>(_ read: () throws(Failure) -> Value) -> Value {
        do throws(Failure) {
            return try read()
        } catch {
            preconditionFailure("what the benchmark has made can't be read: \(error)")
        }
    }
}
