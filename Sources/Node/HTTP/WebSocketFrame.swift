/// One frame of a WebSocket (RFC 6455, section 5.2).
///
/// ```
/// frame   final 1 bit · reserved 3 bits = 0 · opcode 4 bits · masked 1 bit · length 7 bits
///         · length 16 bits if that is 126, 64 bits if it is 127 · mask 4 bytes if masked · payload
/// ```
/// A server's frames are not masked, a client's have to be.
struct WebSocketFrame: Equatable {
    enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    /// Why a connection is closed (section 7.4.1).
    enum CloseCode: UInt16 {
        case normal = 1000
        case goingAway = 1001
        case protocolError = 1002
        case policyViolation = 1008
        case tooLarge = 1009
    }

    var opcode: Opcode
    var isFinal = true
    var payload: [UInt8]

    static let maxControlBytes = 125

    /// As a server sends it.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + 10)
        bytes.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        switch payload.count {
        case ..<126: bytes.append(UInt8(payload.count))
        case ...0xFFFF:
            bytes.append(126)
            for shift in [8, 0] { bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        default:
            bytes.append(127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift))
            }
        }
        return bytes + payload
    }

    /// `reason` is cut to what a control frame may hold, between characters.
    static func close(_ code: CloseCode, reason: String) -> WebSocketFrame {
        var payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
        for character in reason {
            let next = Array(character.utf8)
            guard payload.count + next.count <= maxControlBytes else { break }
            payload += next
        }
        return WebSocketFrame(opcode: .close, payload: payload)
    }

    struct Failure: Error {
        let code: CloseCode
        let reason: String
    }

    /// A client's frame at the beginning of `bytes`, and how many of them it takes; nil if it is not all there.
    static func parse(
        _ bytes: Span<UInt8>, maxPayloadBytes: Int
    ) throws(Failure) -> (frame: WebSocketFrame, byteCount: Int)? {
        guard bytes.count >= 2 else { return nil }
        guard bytes[0] & 0x70 == 0, let opcode = Opcode(rawValue: bytes[0] & 0x0F) else {
            throw Failure(code: .protocolError, reason: "no frame of RFC 6455")
        }
        guard bytes[1] & 0x80 != 0 else {
            throw Failure(code: .protocolError, reason: "a client's frame has to be masked")
        }
        let isFinal = bytes[0] & 0x80 != 0
        var length = UInt64(bytes[1] & 0x7F)
        guard !opcode.isControl || isFinal && length <= UInt64(maxControlBytes) else {
            throw Failure(code: .protocolError, reason: "a control frame that is too large")
        }
        let lengthBytes = length == 126 ? 2 : length == 127 ? 8 : 0
        let headBytes = 2 + lengthBytes + 4
        guard bytes.count >= headBytes else { return nil }
        if lengthBytes > 0 {
            length = 0
            for place in 2..<2 + lengthBytes { length = length << 8 | UInt64(bytes[place]) }
        }
        guard length <= UInt64(maxPayloadBytes) else {
            throw Failure(
                code: .tooLarge, reason: "more than \(maxPayloadBytes) bytes in a message")
        }
        let byteCount = headBytes + Int(length)
        guard bytes.count >= byteCount else { return nil }
        var payload: [UInt8] = []
        payload.reserveCapacity(Int(length))
        for place in 0..<Int(length) {
            payload.append(bytes[headBytes + place] ^ bytes[headBytes - 4 + place % 4])
        }
        return (WebSocketFrame(opcode: opcode, isFinal: isFinal, payload: payload), byteCount)
    }
}
