import Raft
import Scheduler

extension Oracle.TaskAccount {
    mutating func close(_ attempt: UInt32, at index: Index) {
        guard let place = attempts.firstIndex(where: { $0.number == attempt }),
            attempts[place].closedIndex == nil
        else { return }
        attempts[place].closedIndex = index
    }
}
