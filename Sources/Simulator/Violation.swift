/// A rule was broken: the run ends here.
struct Violation: Error {
    /// Short and stable, so that runs that break the same rule can be counted together.
    let rule: String
    let detail: String

    init(_ rule: String, _ detail: String) {
        self.rule = rule
        self.detail = detail
    }
}
