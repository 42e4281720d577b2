import Glibc
import Synchronization

/// Launches processes in a thread of its own: the launching thread stands still until the new process
/// has begun to execute, which takes half a millisecond on an idle machine and many on a busy one. The
/// loop's heartbeats must not wait for that.
final class ProcessLauncher {
    typealias Completion = (LaunchedProcess) -> Void

    private struct Order: Sendable {
        let number: UInt64
        let arguments: [String]
        let environment: [String]
    }

    private struct Answer: Sendable {
        let number: UInt64
        let process: LaunchedProcess
    }

    private let loop: Loop
    private let orders = BlockingQueue<Order>()
    private var registration: Registration?
    private var waiting: [UInt64: Completion] = [:]
    private var nextNumber: UInt64 = 1

    init(loop: Loop) throws(IOError) {
        self.loop = loop
        let answers = try Mailbox<Answer>()
        let orders = self.orders
        try SystemThread.detached(name: "launcher") {
            while let order = orders.take() {
                let process = LaunchedProcess.launch(
                    arguments: order.arguments, environment: order.environment)
                answers.post(Answer(number: order.number, process: process))
            }
        }
        registration = try loop.attach(answers) { [unowned self] answer in
            waiting.removeValue(forKey: answer.number)?(answer.process)
        }
    }

    deinit {
        orders.close()
        if let registration { loop.deregister(registration) }
    }

    /// Launched or not, `completion` is called once on the loop, never from within this call.
    func launch(
        arguments: [String], environment: [String], completion: @escaping Completion
    ) {
        waiting[nextNumber] = completion
        orders.put(
            Order(number: nextNumber, arguments: arguments, environment: environment))
        nextNumber += 1
    }
}

/// A process on its way from the thread that launched it to its owner, or why it is none. If nobody
/// takes it over, it is ended.
final class LaunchedProcess: Sendable {
    private let process: Mutex<SpawnedProcess?>
    private let failure: IOError?

    private init(_ process: consuming SpawnedProcess?, failure: IOError?) {
        self.process = Mutex(process)
        self.failure = failure
    }

    static func launch(arguments: [String], environment: [String]) -> LaunchedProcess {
        do {
            let process = try SpawnedProcess.launch(
                arguments: arguments, environment: environment)
            return LaunchedProcess(process, failure: nil)
        } catch {
            return LaunchedProcess(nil, failure: error)
        }
    }

    /// The process, for one owner.
    func take() throws(IOError) -> SpawnedProcess {
        if let failure { throw failure }
        guard let process = process.withLock({ $0.take() }) else {
            preconditionFailure("a process has one owner")
        }
        return process
    }

    deinit {
        process.withLock { process in
            if let process = process.take() { process.end() }
        }
    }
}
