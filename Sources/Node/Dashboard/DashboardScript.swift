/// What the dashboard does. The parts make one module; each stands in a file of its own.
enum DashboardScript {
    static let text = [elements, client, parts, overview, tasks, lists, main].joined(
        separator: "\n")
}
