/// Colours of a terminal, by what they mean.
enum Style: String, Sendable {
    case plain = ""
    case strong = "1"
    case faint = "2"
    case good = "32"
    case bad = "31"
    case busy = "36"
    case waiting = "33"
    case later = "35"

    func applied(to text: String, on console: Console) -> String {
        guard console.hasColour, self != .plain else { return text }
        return "\u{1B}[\(rawValue)m\(text)\u{1B}[0m"
    }

    /// Of a task, a worker or a member.
    static func of(state: String) -> Style {
        switch state {
        case "succeeded", "live", "leader", "active": .good
        case "dead", "lost", "unreachable": .bad
        case "running": .busy
        case "ready", "draining", "paused": .waiting
        case "scheduled", "blocked": .later
        case "cancelled", "expired": .faint
        default: .plain
        }
    }
}
