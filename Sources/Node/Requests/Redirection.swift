import Foundation

/// Where a server's answer sends a request instead (RFC 9110 15.4).
enum Redirection {
    /// Not for the eyes of a server that a redirection leads to: whoever gave them meant the first one.
    private static let secretHeaders = ["authorization", "cookie", "proxy-authorization"]
    /// They tell of a body.
    private static let bodyHeaders = [
        "content-type", "content-length", "content-encoding", "content-language",
        "content-location", "transfer-encoding",
    ]

    /// nil: the answer is no redirection, and is what the owner gets.
    static func request(
        after request: OutgoingRequest, _ head: HTTPReplyHead
    ) -> OutgoingRequest? {
        guard [301, 302, 303, 307, 308].contains(head.status), let location = head.location,
            let old = URL(string: request.url),
            let new = URL(string: location, relativeTo: old)?.absoluteURL
        else { return nil }
        var redirected = request
        redirected.url = new.absoluteString
        redirected.method = method(after: request.method, head.status)
        if redirected.method != request.method {
            redirected.body = nil
            redirected.headers.removeAll { bodyHeaders.contains($0.name.lowercased()) }
        }
        if origin(of: old) != origin(of: new) {
            redirected.headers.removeAll {
                let name = $0.name.lowercased()
                return name == "host" || secretHeaders.contains(name)
            }
        }
        return redirected
    }

    static func isFollowed(_ url: String) -> Bool {
        RequestAddress.isHTTP(url) || url.lowercased().hasPrefix("https://")
    }

    /// 303 asks for a GET. After 301 and 302 of a POST all clients send one, and servers expect it (RFC 9110 15.4.2).
    private static func method(after method: String, _ status: Int) -> String {
        switch status {
        case 303: method == "HEAD" ? "HEAD" : "GET"
        case 301, 302: method == "POST" ? "GET" : method
        default: method
        }
    }

    /// Scheme, host and port.
    private static func origin(of url: URL) -> [String] {
        let scheme = url.scheme?.lowercased() ?? ""
        let usualPort = scheme == "https" ? 443 : 80
        return [scheme, url.host?.lowercased() ?? "", "\(url.port ?? usualPort)"]
    }
}
