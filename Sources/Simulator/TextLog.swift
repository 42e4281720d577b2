import Glibc
import Raft

/// What happens in a run, for whoever replays one seed; silent unless somebody listens.
struct TextLog {
    enum Listener {
        case nobody
        /// Somebody reads along: all but single steps.
        case terminal
        /// The parent process, which keeps what is worth telling. Each line is written at once, so that none
        /// is lost when the code under test traps.
        case parent
    }

    let listener: Listener

    var tellsSteps: Bool { listener == .parent }

    func write(
        _ time: Nanoseconds, _ kind: StoryEvent.Kind = .phase, _ text: @autoclosure () -> String
    ) {
        switch listener {
        case .nobody: return
        case .terminal:
            guard kind != .step else { return }
            StandardOutput.write(
                StoryEvent(time: time, kind: kind, text: text()).line + "\n")
        case .parent:
            StandardOutput.write(
                ShardReply.event(StoryEvent(time: time, kind: kind, text: text())).line + "\n")
        }
    }
}
