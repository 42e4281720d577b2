/// A thread for work that would hold the loop: jobs run there one after the other, and what each comes to is told on the
/// loop, in the same order. Whoever submits bounds how much.
final class BackgroundThread<Output: Sendable> {
    private struct Job: Sendable {
        let number: UInt64
        let body: @Sendable () -> Output
    }

    private struct Done: Sendable {
        let number: UInt64
        let output: Output
    }

    private let loop: Loop
    private let queue = BlockingQueue<Job>()
    private var registration: Registration?
    private var waiting: [UInt64: (Output) -> Void] = [:]
    private var lastNumber: UInt64 = 0

    /// `name` is what `ps -L` shows; at most 15 bytes.
    init(loop: Loop, name: String) throws(IOError) {
        self.loop = loop
        let mailbox = try Mailbox<Done>()
        // Detached: at the end of the process nobody waits for what may be a slow disk.
        try SystemThread.detached(name: name) { [queue] in
            while let job = queue.take() {
                mailbox.post(Done(number: job.number, output: job.body()))
            }
        }
        registration = try loop.attach(mailbox) { [unowned self] done in
            waiting.removeValue(forKey: done.number)?(done.output)
        }
    }

    deinit {
        if let registration { loop.deregister(registration) }
        queue.close()
    }

    func run(_ body: @escaping @Sendable () -> Output, then: @escaping (Output) -> Void) {
        lastNumber += 1
        waiting[lastNumber] = then
        queue.put(Job(number: lastNumber, body: body))
    }
}
