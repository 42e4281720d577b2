/// A submission whose bytes are made once. From one request to the next only the digits change that number its tasks.
struct RequestTemplate {
    /// How the tasks of one request stand in it.
    enum Form: Equatable {
        case single
        case array(Int)
        case lines(Int)

        var tasks: Int {
            switch self {
            case .single: 1
            case .array(let count), .lines(let count): count
            }
        }
    }

    static let digits = 12
    static let minPayloadBytes = digits + 2

    let form: Form
    private var bytes: [UInt8]
    /// Where each task's number stands: in its payload, and in its key if it has one.
    private var places: [[Int]] = []

    /// - Parameters:
    ///   - head: method, target and fields, each line with its end, without those of the body.
    ///   - fields: of each task, as they stand in JSON, without payload and key: `"handler":"echo"`.
    ///   - payloadBytes: of each task, quotes included.
    ///   - keyPrefix: nil: the tasks have no keys.
    init(
        head: [UInt8], form: Form, fields: String, payloadBytes: Int, keyPrefix: String?
    ) {
        precondition(form.tasks > 0 && payloadBytes >= Self.minPayloadBytes)
        self.form = form
        let start = Array("{\(fields),\"payload\":\"".utf8)
        let digits = [UInt8](repeating: 0x30, count: Self.digits)
        let filler = Self.filler(payloadBytes - Self.minPayloadBytes) + Array("\"".utf8)
        let key = keyPrefix.map { Array(",\"key\":\"\($0)-".utf8) }
        var body: [UInt8] = []
        if case .array = form { body.append(UInt8(ascii: "[")) }
        for number in 0..<form.tasks {
            if case .array = form, number > 0 { body.append(UInt8(ascii: ",")) }
            body += start
            var own = [body.count]
            body += digits + filler
            if let key {
                body += key
                own.append(body.count)
                body += digits + [UInt8(ascii: "\"")]
            }
            body.append(UInt8(ascii: "}"))
            if case .lines = form { body.append(0x0A) }
            places.append(own)
        }
        if case .array = form { body.append(UInt8(ascii: "]")) }
        var type = "application/json"
        if case .lines = form { type = "application/x-ndjson" }
        bytes =
            head
            + Array("Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
        let offset = bytes.count
        bytes += body
        places = places.map { $0.map { $0 + offset } }
    }

    /// Letters without an order that a compressor would find, always the same.
    private static func filler(_ count: Int) -> [UInt8] {
        var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(ascii: "a") + UInt8((seed >> 33) % 26)
        }
    }

    /// The request's bytes, with its tasks numbered from `first` on.
    mutating func request(numberedFrom first: UInt64) -> [UInt8] {
        for index in places.indices {
            for place in places[index] {
                var rest = first &+ UInt64(index)
                for digit in 1...Self.digits {
                    bytes[place + Self.digits - digit] = 0x30 + UInt8(rest % 10)
                    rest /= 10
                }
            }
        }
        return bytes
    }
}
