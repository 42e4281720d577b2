/// The answer to one command. Remembered under the request's identity, so it stays small.
public enum Outcome: Equatable, Sendable {
    case done
    /// `existed`: the key named an earlier task, which is the answer; nothing was created.
    case task(TaskID, existed: Bool)
    /// A schedule was put; `existed`: it replaced an older one.
    case schedule(revision: UInt64, existed: Bool)
    /// An attached worker's session began.
    case session(UInt64)
    /// A bulk job began; `existed`: one with that key had begun before, and is the answer.
    case bulkJob(BulkJobID, existed: Bool)
    case rejected(Rejection)
    /// A template or a namespace was put; `existed`: it replaced an older one.
    case put(existed: Bool)
}

public enum Rejection: UInt8, Sendable, CaseIterable {
    case notFound = 1
    /// The task's or schedule's state does not allow it.
    case wrongState = 2
    /// The attempt is no longer current: its result is refused.
    case staleAttempt = 3
    /// The worker's or the origin's incarnation is not the current one.
    case staleIncarnation = 4
    /// A limit of the state machine is reached (`Limits`).
    case full = 5
    /// The command's bytes or values are not acceptable.
    case malformed = 6
    /// The key is remembered, with another handler or payload.
    case keyConflict = 7
    /// A member of that name, with another data directory, has to be removed first.
    case memberExists = 8
    /// Not every member runs a program that knows the command.
    case notSupportedYet = 9
    /// A cluster without members would have nobody left to take one in.
    case lastMember = 10
    /// The node's program does not know the rules in force: it could apply nothing.
    case tooOld = 11
    /// As many tasks wait in the queue as may.
    case queueFull = 30
    /// A task to wait for does not exist, or is not kept any more.
    case missingDependency = 40
    /// A worker can't be attached under the name of a node.
    case nodeName = 50
    /// As many bulk jobs go on as may.
    case tooManyBulkJobs = 61
    /// As many tasks of the namespace wait as may.
    case namespaceFull = 75
    /// As many tasks were submitted to the namespace as its rate allows.
    case namespaceRate = 76
}
