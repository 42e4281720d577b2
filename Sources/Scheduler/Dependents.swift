/// Who waits for a task, derived from the blocked tasks' own records. In shards, because a single large
/// dictionary would hold up the loop when it grows.
///
/// Entries of tasks that wait no more stay until they come up, or until most are like it; whether anybody is
/// left is known exactly, because it decides what is told to whom.
struct Dependents: Sendable {
    struct Key: Hashable, Sendable {
        var predecessor: TaskID
        /// Of those who wait for its success alone; the others are told of any end.
        var isHeld: Bool
    }

    private struct Group: Sendable {
        /// By successor.
        var entries = Heap()
        var waiting = 0
    }

    private var shards = [[Key: Group]](repeating: [:], count: 1_024)

    private func shard(of key: Key) -> Int { Int(key.predecessor.number & 1_023) }

    func isEmpty(_ key: Key) -> Bool { shards[shard(of: key)][key] == nil }

    mutating func add(_ successor: TaskID, to key: Key) {
        let shard = shard(of: key)
        shards[shard][key, default: Group()].entries.push(key: successor.number, id: 0)
        shards[shard][key, default: Group()].waiting += 1
    }

    /// The next entry in the order of successors, whether it still holds or not.
    mutating func popFirst(_ key: Key) -> TaskID? {
        let shard = shard(of: key)
        guard let first = shards[shard][key]?.entries.top else { return nil }
        shards[shard][key]?.entries.pop()
        return TaskID(first.key)
    }

    /// One of them waits no more. `holds` tells whether an entry still does.
    mutating func leave(_ key: Key, holds: (TaskID) -> Bool) {
        let shard = shard(of: key)
        guard var group = shards[shard].removeValue(forKey: key) else {
            preconditionFailure("nobody waits for \(key.predecessor)")
        }
        group.waiting -= 1
        guard group.waiting > 0 else { return }
        group.entries.tidy(live: group.waiting, looks: 16) { holds(TaskID($0.key)) }
        shards[shard][key] = group
    }
}
