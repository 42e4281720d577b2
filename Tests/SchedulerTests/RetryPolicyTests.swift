import Testing

@testable import Scheduler

struct RetryPolicyTests {
    private func policy(
        _ backoff: RetryPolicy.Backoff, _ initial: Milliseconds, max: Milliseconds
    ) -> RetryPolicy {
        var policy = RetryPolicy()
        policy.backoff = backoff
        policy.initialMilliseconds = initial
        policy.maxMilliseconds = max
        policy.jitter = false
        return policy
    }

    private func delays(_ policy: RetryPolicy, _ attempts: [Int]) -> [Milliseconds] {
        attempts.map { policy.delayMilliseconds(spent: $0, task: TaskID(1), attempt: UInt32($0)) }
    }

    @Test
    func delaysFollowThePolicy() {
        let spent = [1, 2, 3, 4, 1_000]
        #expect(
            delays(policy(.exponential, 100, max: 750), spent) == [100, 200, 400, 750, 750])
        #expect(delays(policy(.linear, 100, max: 350), spent) == [100, 200, 300, 350, 350])
        #expect(delays(policy(.fixed, 100, max: 900), spent) == [100, 100, 100, 100, 100])
        #expect(delays(policy(.exponential, 0, max: 900), spent) == [0, 0, 0, 0, 0])
    }

    @Test
    func largestDelaysDoNotOverflow() {
        let longest = Limits.maxDelayMilliseconds
        for backoff in [RetryPolicy.Backoff.exponential, .linear, .fixed] {
            let policy = policy(backoff, longest, max: longest)
            #expect(delays(policy, [1, 2, 39, 40, 41, 63, 64, 1_000]).allSatisfy { $0 == longest })
        }
    }

    @Test
    func jitterStaysInTheUpperHalfAndFillsIt() {
        var policy = policy(.fixed, 1_000, max: 1_000)
        policy.jitter = true
        let delays = (UInt64(1)...2_000).map {
            policy.delayMilliseconds(spent: 1, task: TaskID($0), attempt: 1)
        }
        #expect(delays.allSatisfy { (500...1_000).contains($0) })
        #expect(delays.contains { $0 < 520 } && delays.contains { $0 > 980 })
        #expect(
            policy.delayMilliseconds(spent: 1, task: TaskID(5), attempt: 1)
                != policy.delayMilliseconds(spent: 1, task: TaskID(5), attempt: 2))
        policy.initialMilliseconds = 1
        #expect(policy.delayMilliseconds(spent: 1, task: TaskID(5), attempt: 1) == 1)
    }
}
