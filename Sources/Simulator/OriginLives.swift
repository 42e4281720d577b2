/// The lives of one origin, as the log has seen them: starts with one data directory after the other. A directory whose
/// place another has taken never comes back.
struct OriginLives {
    enum Verdict { case present, newcomerRefused, formerRefused, formerServed }

    private var newest: UInt64 = 0
    private var formerDirectories: Set<UInt64> = []

    /// Called for every outcome.
    mutating func note(_ incarnation: UInt64, isRefused: Bool) -> Verdict {
        let directory = incarnation >> 32
        let isOfNewest = directory == newest >> 32
        let isFormer =
            isOfNewest ? incarnation < newest : formerDirectories.contains(directory)
        if isFormer { return isRefused ? .formerRefused : .formerServed }
        if isRefused, !isOfNewest { return .newcomerRefused }
        if newest > 0, !isOfNewest { formerDirectories.insert(newest >> 32) }
        newest = incarnation
        return .present
    }
}
