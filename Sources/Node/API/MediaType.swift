/// What a body is said to be.
enum MediaType: Equatable {
    case json
    /// A value a line.
    case lines
    case other

    /// Clients that say nothing, and `curl -d`, which calls everything a form, mean JSON. That a form of a
    /// foreign web page can't use this is seen to by `CrossSite`.
    init(_ header: String?) {
        // As nearly all clients write it.
        guard let header, header != "application/json" else {
            self = .json
            return
        }
        let essence = header.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        switch essence {
        case "application/json", "text/json", "application/x-www-form-urlencoded", "":
            self = .json
        case "application/x-ndjson", "application/ndjson", "application/jsonl":
            self = .lines
        default:
            self = essence.hasPrefix("application/") && essence.hasSuffix("+json") ? .json : .other
        }
    }
}

/// Keeps web pages of other sites from using the API through a visitor's browser.
enum CrossSite {
    /// Browsers name the page's origin in every request that may change something; what is not a browser
    /// does not. A page of this node itself has the node's own host.
    static func isForeign(origin: String?, host: String?) -> Bool {
        guard let origin else { return false }
        guard let host, let scheme = origin.range(ofFirst: "://") else { return true }
        return origin[scheme...].lowercased() != host.lowercased()
    }
}

extension String {
    /// Where the text after the first occurrence begins.
    fileprivate func range(ofFirst separator: String) -> String.Index? {
        firstRange(of: separator)?.upperBound
    }
}
