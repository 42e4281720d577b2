import Scheduler

/// An attempt that a worker runs.
final class Run {
    let assignment: Assignment
    let timeoutMilliseconds: Int64
    let job: Job
    var timeout: TimerID?
    /// Set when it has to end before it is done.
    var ending: Ending?

    enum Ending: Equatable {
        case timedOut
        case stopped(LocalWorker.StopReason)
    }

    init(_ assignment: Assignment, timeoutMilliseconds: Int64, job: Job) {
        self.assignment = assignment
        self.timeoutMilliseconds = timeoutMilliseconds
        self.job = job
    }

    var name: AttemptName { AttemptName(assignment.task, assignment.attempt) }
}

/// What is run at a time: one attempt, or a batch of them. Its runs own it.
final class Job {
    enum Work {
        /// To be launched, or between two states.
        case waiting
        /// Not to be stopped before it is there.
        case launching
        case timer(TimerID)
        case process(ChildProcess)
        case request(Int)
        case embedded(EmbeddedAttempt)
    }

    /// What attempts have in common that may run together. One process sees the payloads of all that it runs, and what it
    /// writes becomes the log of all: so they are of one namespace.
    struct Kind: Hashable {
        let handler: String
        let namespace: Namespace

        init(_ assignment: Assignment) {
            handler = assignment.handler
            namespace = assignment.namespace
        }
    }

    let kind: Kind
    /// nil: of one attempt.
    let batch: BatchSpec?
    /// In the order in which they came.
    var members: [AttemptName] = []
    var work = Work.waiting
    /// While it waits for others to join.
    var linger: TimerID?
    /// Its handler has begun, or may have. What is handed back before is surely not done twice.
    var hasBegun = false
    /// Of the members' payloads.
    var payloadBytes = 0

    init(_ kind: Kind, batch: BatchSpec?) {
        self.kind = kind
        self.batch = batch
    }

    var handler: String { kind.handler }
}
