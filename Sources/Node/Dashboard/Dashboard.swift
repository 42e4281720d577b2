/// The dashboard: one page, one style sheet and one script, all in the executable, which ask nobody but this node for
/// anything. It uses the HTTP interface as any other client does.
enum Dashboard {
    static let page = StaticContent(
        type: "text/html; charset=utf-8", bytes: Array(DashboardPage.html.utf8), headers: headers)
    static let style = StaticContent(
        type: "text/css; charset=utf-8", bytes: Array(DashboardStyle.css.utf8), headers: headers)
    static let script = StaticContent(
        type: "text/javascript; charset=utf-8", bytes: Array(DashboardScript.text.utf8),
        headers: headers)

    /// Nothing but the node's own script runs, whatever stands in a task: that is the second line of defence behind a
    /// script that never makes markup of what it shows.
    static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
        "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ].joined(separator: "; ")

    private static let headers = [
        (name: "content-security-policy", value: contentSecurityPolicy),
        (name: "referrer-policy", value: "same-origin"),
    ]
}
