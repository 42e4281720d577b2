/// An answer. Length, date and connection fields are the server's business.
struct HTTPResponse: Sendable {
    var status: Int
    /// Apart from `headers`, so that the usual answer needs no array for them.
    var contentType: String?
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []

    init(
        status: Int, contentType: String? = nil, headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    static func json(_ bytes: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: bytes)
    }

    static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// RFC 9457, of a request that no resource has seen. `detail` is for people. A body beyond all bounds is of the same type
    /// as one that a resource finds too large.
    static func problem(status: Int, detail: String) -> HTTPResponse {
        let type = status == 413 ? Problem.Kind.tooLarge.uri : "about:blank"
        var body = Array("{\"type\":\"\(type)\",\"title\":\"".utf8)
        body.append(literal: reason(status))
        body.append(contentsOf: "\",\"status\":\(status),\"detail\":\"".utf8)
        for byte in detail.utf8 {
            switch byte {
            case 0x22, 0x5C: body.append(contentsOf: [0x5C, byte])
            case 0..<0x20: body.append(0x20)
            default: body.append(byte)
            }
        }
        body.append(contentsOf: "\"}".utf8)
        return HTTPResponse(status: status, contentType: "application/problem+json", body: body)
    }

    static func reason(_ status: Int) -> StaticString {
        switch status {
        case 100: return "Continue"
        case 101: return "Switching Protocols"
        case 200: return "OK"
        case 201: return "Created"
        case 202: return "Accepted"
        case 204: return "No Content"
        case 303: return "See Other"
        case 304: return "Not Modified"
        case 307: return "Temporary Redirect"
        case 400: return "Bad Request"
        case 401: return "Unauthorized"
        case 403: return "Forbidden"
        case 404: return "Not Found"
        case 405: return "Method Not Allowed"
        case 406: return "Not Acceptable"
        case 408: return "Request Timeout"
        case 409: return "Conflict"
        case 410: return "Gone"
        case 412: return "Precondition Failed"
        case 413: return "Content Too Large"
        case 414: return "URI Too Long"
        case 415: return "Unsupported Media Type"
        case 417: return "Expectation Failed"
        case 421: return "Misdirected Request"
        case 422: return "Unprocessable Content"
        case 426: return "Upgrade Required"
        case 428: return "Precondition Required"
        case 429: return "Too Many Requests"
        case 431: return "Request Header Fields Too Large"
        case 500: return "Internal Server Error"
        case 501: return "Not Implemented"
        case 502: return "Bad Gateway"
        case 503: return "Service Unavailable"
        case 504: return "Gateway Timeout"
        case 505: return "HTTP Version Not Supported"
        default: return "Status"
        }
    }
}
