import Glibc

/// Waiting because a node asked for it.
enum Pause {
    static func take(milliseconds: Int64) {
        let end = SystemClock.monotonicMilliseconds() + milliseconds
        while true {
            let rest = end - SystemClock.monotonicMilliseconds()
            guard rest > 0 else { return }
            poll(nil, 0, Int32(clamping: rest))
        }
    }
}
