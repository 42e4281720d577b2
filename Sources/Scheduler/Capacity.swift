/// The limits on numbers of things, as one value, so that tests can reach them. Every replica of a cluster has
/// the same: those of `Limits`.
struct Capacity: Sendable {
    var tasks = Limits.maxTasks
    var finishedTasks = Limits.maxFinishedTasks
    var deadTasks = Limits.maxDeadTasks
    var keys = Limits.maxRememberedKeys
    var workers = Limits.maxWorkers
    var members = Limits.maxMembers
    var schedules = Limits.maxSchedules
    var queues = Limits.maxQueues
    var origins = Limits.maxOrigins
    var outcomesPerOrigin = Limits.maxOutcomesPerOrigin
    var wakesPerAdvance = Limits.maxWakesPerAdvance
    var settlementsPerEntry = Limits.maxSettlementsPerEntry
    var bulkLooksPerEntry = Limits.maxBulkLooksPerEntry
    var bulkActionsPerEntry = Limits.maxBulkActionsPerEntry
}
