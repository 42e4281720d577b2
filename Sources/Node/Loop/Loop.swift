import CLinux
import Glibc
import Raft

/// The one thread that owns a node's state: it waits for descriptors and timers, and runs what they
/// wake. Not `Sendable`: other threads get in through a `Mailbox` only.
///
/// A turn goes: wait · what `later` put off · ready descriptors · due timers · `onTurnEnd` · flush · `onFlushed`.
/// - Descriptors come before timers: after a stall of the machine, the heartbeats that wait in sockets
///   must be seen before the election timer that they refute.
/// - Everything written to connections in a turn leaves at its end, in one write a socket.
/// - Flushing calls nobody back; its failures are told in the next turn. So no owner sees a call-back
///   from inside its own call, and `onTurnEnd` always comes after all call-backs of the turn.
///
/// Sockets are watched level-triggered: one bounded read a turn is fair to the others, and the rest is
/// reported again. Timer and mailbox wake-ups are edge-triggered, so they need not be read empty.
/// Each registration's id travels with its descriptor in epoll's 64 bits of user data: an event that
/// was fetched before a descriptor was closed and its number reused is recognised and dropped.
final class Loop {
    struct Statistics {
        var events: UInt64 = 0
        /// How long turns held the loop, waiting excluded.
        var turns = Histogram()
    }

    static let maxEventsPerTurn = 256
    /// One read takes at most this much.
    static let scratchBytes = 128 * 1024

    /// `clock()` when the current turn began.
    private(set) var now: Nanoseconds
    /// Runs after all events and timers of a turn, before what they wrote is flushed.
    var onTurnEnd: () -> Void = {}
    /// What can wait until everything is sent.
    var onFlushed: () -> Void = {}
    private(set) var statistics = Statistics()
    /// Where connections read into, one after the other: only bytes that have to wait are copied out.
    let scratch: UnsafeMutableRawBufferPointer

    private struct Slot {
        /// 0 while the descriptor is not registered.
        var id: UInt32 = 0
        var handler: ((Readiness) -> Void)?
    }

    private let epoll: Descriptor
    private let timer: Descriptor
    private let events: UnsafeMutablePointer<epoll_event>
    /// Indexed by descriptor: the system hands out the smallest free number, so it stays dense.
    private var slots: [Slot] = []
    private var nextRegistration: UInt32 = 1
    private var timers = TimerHeap()
    /// When the timer descriptor will fire. An earlier deadline re-arms it; a later one does not: the
    /// spurious wake-up is cheaper than a system call whenever a time-out is pushed back.
    private var armedDeadline: Nanoseconds?
    private var postponed: [() -> Void] = []
    private var postponedSpare: [() -> Void] = []
    private var dirty: [Connection] = []
    private var isStopping = false
    private var isInTurn = false

    init() throws(IOError) {
        let epollNumber = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epollNumber >= 0 else { throw IOError("epoll_create1", code: errno) }
        epoll = Descriptor(adopting: epollNumber)
        let timerNumber = timerfd_create(
            CLOCK_BOOTTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        guard timerNumber >= 0 else { throw IOError("timerfd_create", code: errno) }
        timer = Descriptor(adopting: timerNumber)
        events = .allocate(capacity: Loop.maxEventsPerTurn)
        scratch = .allocate(byteCount: Loop.scratchBytes, alignment: 64)
        now = Loop.clock()
        _ = try register(timerNumber, for: [.readable, .edge]) { [unowned self] _ in
            armedDeadline = nil
        }
    }

    deinit {
        events.deallocate()
        scratch.deallocate()
    }

    /// CLOCK_BOOTTIME in nanoseconds: unlike CLOCK_MONOTONIC it goes on while the machine sleeps, so that one
    /// that wakes knows at once that whatever it was promised has run out.
    static func clock() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Turns until `stop`.
    func run() {
        while !isStopping { turn() }
        isStopping = false
    }

    /// Ends `run` after the current turn.
    func stop() {
        isStopping = true
    }

    /// One turn. Waits for an event or a timer, at most `milliseconds` if it is not negative.
    func turn(maxWaitMilliseconds milliseconds: Int32 = -1) {
        precondition(!isInTurn, "a turn inside a turn would reuse its buffers")
        isInTurn = true
        let count = wait(maxMilliseconds: milliseconds)
        now = Loop.clock()
        runPostponed()
        dispatch(count)
        runTimers()
        onTurnEnd()
        flush()
        onFlushed()
        statistics.turns.record(nanoseconds: Loop.clock() - now)
        isInTurn = false
    }

    // MARK: Timers

    /// Runs `body` in the first turn that begins at or after `deadline`: never early.
    @discardableResult
    func schedule(at deadline: Nanoseconds, _ body: @escaping () -> Void) -> TimerID {
        timers.insert(at: deadline, body)
    }

    /// False if it fired or was cancelled before.
    @discardableResult
    func cancel(_ timer: TimerID) -> Bool {
        timers.cancel(timer)
    }

    /// Runs `body` at the beginning of the next turn, which then does not wait.
    func later(_ body: @escaping () -> Void) {
        postponed.append(body)
    }

    // MARK: Descriptors

    /// Calls `handler` in each turn in which the descriptor is ready, until `deregister`.
    /// The descriptor must stay open until then.
    func register(
        _ descriptor: Int32, for interest: Readiness, handler: @escaping (Readiness) -> Void
    ) throws(IOError) -> Registration {
        let index = Int(descriptor)
        while slots.count <= index { slots.append(Slot()) }
        precondition(slots[index].id == 0, "a descriptor is registered once")
        let registration = Registration(descriptor: descriptor, id: nextRegistration)
        nextRegistration = nextRegistration == .max ? 1 : nextRegistration + 1
        let code = control(EPOLL_CTL_ADD, registration, interest)
        guard code == 0 else { throw IOError("epoll_ctl", code: code) }
        slots[index] = Slot(id: registration.id, handler: handler)
        return registration
    }

    func change(_ registration: Registration, to interest: Readiness) {
        precondition(isCurrent(registration))
        let code = control(EPOLL_CTL_MOD, registration, interest)
        precondition(code == 0, "a registered descriptor can be changed")
    }

    /// Ends the watch. To be called before the descriptor is closed.
    func deregister(_ registration: Registration) {
        precondition(isCurrent(registration))
        let code = control(EPOLL_CTL_DEL, registration, [])
        precondition(code == 0, "a registered descriptor can be removed")
        slots[Int(registration.descriptor)] = Slot()
    }

    /// Has the connection flushed at the end of this turn.
    func markDirty(_ connection: Connection) {
        dirty.append(connection)
    }

    private func isCurrent(_ registration: Registration) -> Bool {
        slots[Int(registration.descriptor)].id == registration.id
    }

    private func control(
        _ operation: Int32, _ registration: Registration, _ interest: Readiness
    ) -> Int32 {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 =
            UInt64(registration.id) << 32 | UInt64(UInt32(bitPattern: registration.descriptor))
        return epoll_ctl(epoll.number, operation, registration.descriptor, &event) == 0 ? 0 : errno
    }

    // MARK: A turn's parts

    private func wait(maxMilliseconds: Int32) -> Int {
        var timeout = maxMilliseconds
        if !postponed.isEmpty || !dirty.isEmpty {
            timeout = 0
        } else if let earliest = timers.earliest {
            if earliest <= Loop.clock() {
                timeout = 0
            } else if armedDeadline == nil || earliest < armedDeadline! {
                arm(earliest)
            }
        }
        let count = epoll_wait(epoll.number, events, Int32(Loop.maxEventsPerTurn), timeout)
        if count < 0 {
            precondition(errno == EINTR, "epoll_wait fails for no other reason on a live loop")
            return 0
        }
        return Int(count)
    }

    /// A timer descriptor has the clock's own resolution; epoll_wait's time-out has milliseconds, and a
    /// thread's sleep is lengthened by its timer slack.
    private func arm(_ deadline: Nanoseconds) {
        var value = itimerspec()
        value.it_value.tv_sec = Int(deadline / 1_000_000_000)
        value.it_value.tv_nsec = Int(deadline % 1_000_000_000)
        let status = timerfd_settime(
            timer.number, Int32(TFD_TIMER_ABSTIME), &value, nil)
        precondition(status == 0, "an absolute deadline can be armed")
        armedDeadline = deadline
    }

    private func runPostponed() {
        guard !postponed.isEmpty else { return }
        // What these put off in turn belongs to the next turn, so that a turn ends.
        swap(&postponed, &postponedSpare)
        for body in postponedSpare { body() }
        postponedSpare.removeAll(keepingCapacity: true)
    }

    private func dispatch(_ count: Int) {
        statistics.events += UInt64(count)
        for index in 0..<count {
            let event = events[index]
            let descriptor = Int(event.data.u64 & 0xFFFF_FFFF)
            let id = UInt32(event.data.u64 >> 32)
            // Stale: the registration ended in an earlier event of this turn, and perhaps another
            // descriptor has the number now.
            guard slots[descriptor].id == id, let handler = slots[descriptor].handler else {
                continue
            }
            handler(Readiness(rawValue: event.events))
        }
    }

    private func runTimers() {
        let bound = timers.nextSequence
        while let body = timers.popDue(at: now, scheduledBefore: bound) { body() }
    }

    private func flush() {
        guard !dirty.isEmpty else { return }
        for connection in dirty { connection.flush() }
        dirty.removeAll(keepingCapacity: true)
    }
}
