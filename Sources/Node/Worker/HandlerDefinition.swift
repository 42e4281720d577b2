/// What runs a task: built in, or from the configuration's `handlers`.
enum HandlerDefinition: Equatable, Sendable {
    case builtin(BuiltinHandler)
    case command(CommandHandler)
    case http(HTTPHandler)
    case webhook(WebhookHandler)
    /// Of no configuration: the program around the worker brings it.
    case embedded(EmbeddedHandler)

    /// The longest run that the handler itself allows; a task may ask for less.
    var timeoutMilliseconds: Int64? {
        switch self {
        case .builtin, .webhook, .embedded: return nil
        case .command(let command): return command.timeoutMilliseconds
        case .http(let http): return http.timeoutMilliseconds
        }
    }

    /// nil: each attempt is run alone.
    var batch: BatchSpec? {
        switch self {
        case .builtin, .webhook, .embedded: return nil
        case .command(let command): return command.batch
        case .http(let http): return http.batch
        }
    }

    /// The handlers that every worker has, for trying and testing.
    static let builtins: [String: HandlerDefinition] = {
        var result: [String: HandlerDefinition] = [:]
        for handler in BuiltinHandler.allCases { result[handler.rawValue] = .builtin(handler) }
        return result
    }()
}

/// An executable with its arguments, run without a shell.
struct CommandHandler: Equatable, Sendable {
    /// The first is the executable: a path, or a name looked up in `PATH`.
    let arguments: [String]
    let timeoutMilliseconds: Int64?
    var batch: BatchSpec?
}

/// A request to a server.
struct HTTPHandler: Equatable, Sendable {
    let method: String
    let url: Template
    let headers: [Header]
    /// nil: the payload as it is, for methods that have a body.
    let body: Template?
    let timeoutMilliseconds: Int64?
    var batch: BatchSpec?

    struct Header: Equatable, Sendable {
        let name: String
        let value: Template
    }

    static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]

    var hasBody: Bool { body != nil || method == "POST" || method == "PUT" || method == "PATCH" }
}
