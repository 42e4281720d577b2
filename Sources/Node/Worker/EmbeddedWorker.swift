import Scheduler

/// A worker inside of another program: attached to a cluster over HTTP, it runs that program's own code. It has a thread of its
/// own with a loop; the program hears of attempts, and of the end, from that thread.
package final class EmbeddedWorker: Sendable {
    package struct Settings: Sendable {
        package var id: String
        /// URLs of nodes, asked in turn.
        package var servers: [String]
        package var token: String?
        package var slots: Int
        package var tags: [String]
        package var handlers: [String]

        package init(
            id: String, servers: [String], token: String?, slots: Int, tags: [String],
            handlers: [String]
        ) {
            self.id = id
            self.servers = servers
            self.token = token
            self.slots = slots
            self.tags = tags
            self.handlers = handlers
        }
    }

    /// Why it can't run, or does not any more.
    package struct Failure: Error {
        package let reason: String
    }

    private struct Order: Sendable {}

    private let settings: Settings
    private let servers: [Endpoint]
    /// Each lets the worker end: the first one lets what runs end as well, the second one does not.
    private let terminations: Mailbox<Order>

    package init(_ settings: Settings) throws(Failure) {
        guard NameRule.isID(settings.id) else {
            throw Failure(reason: "\"\(settings.id)\" is no id: \(NameRule.id)")
        }
        for name in settings.handlers where !NameRule.isName(name) {
            throw Failure(reason: "\"\(name)\" is no name of a handler: \(NameRule.name)")
        }
        guard !settings.handlers.isEmpty else { throw Failure(reason: "there are no handlers") }
        guard (1...Int(Limits.maxSlotsPerWorker)).contains(settings.slots) else {
            throw Failure(
                reason: "\(settings.slots) slots: 1 to \(Limits.maxSlotsPerWorker) are possible")
        }
        do throws(CommandFailure) {
            servers = try ServerList.parse(settings.servers.joined(separator: ","))
        } catch {
            throw Failure(reason: error.message)
        }
        do throws(IOError) {
            terminations = try Mailbox()
        } catch {
            throw Failure(reason: error.description)
        }
        self.settings = settings
    }

    /// `run` is told of each attempt. `onEnd` is called once: when the worker has left the cluster, or, with the reason, when it
    /// can't go on. Attempts may still be running then.
    package func start(
        run: @escaping @Sendable (EmbeddedAttempt) -> Void,
        onEnd: @escaping @Sendable (Failure?) -> Void
    ) throws(Failure) {
        do throws(IOError) {
            try SystemThread.detached(name: "carillon-worker") { [self] in
                do throws(IOError) {
                    onEnd(try serve(EmbeddedHandler(run: run)).map(Failure.init(reason:)))
                } catch {
                    onEnd(Failure(reason: error.description))
                }
            }
        } catch {
            throw Failure(reason: error.description)
        }
    }

    /// Takes nothing new, and leaves when what runs has ended. Called again: hands back what runs.
    package func terminate() { terminations.post(Order()) }

    /// Returns what went wrong, if anything did.
    private func serve(_ handler: EmbeddedHandler) throws(IOError) -> String? {
        let loop = try Loop()
        var handlers: [String: HandlerDefinition] = [:]
        for name in settings.handlers { handlers[name] = .embedded(handler) }
        let worker = AttachedWorker(
            loop: loop, worker: LocalWorker(loop: loop, handlers: handlers),
            channels: try ClusterChannels(loop: loop, servers: servers, token: settings.token),
            settings: .init(
                id: settings.id, slots: settings.slots, tags: settings.tags,
                handlers: settings.handlers.sorted()),
            log: Log(format: .text))
        try loop.attach(terminations) { _ in worker.terminate() }
        loop.run()
        return worker.failure
    }
}
