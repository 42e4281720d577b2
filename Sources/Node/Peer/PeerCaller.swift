import Raft

/// A connection that another node opened to us: it says who it is, and then what it has to say.
final class PeerCaller {
    /// Nil until the hello.
    private(set) var hello: PeerHello?
    private(set) var receivedFrames: UInt64 = 0
    private(set) var receivedBytes: UInt64 = 0

    private let transport: PeerTransport
    private let connection: Connection
    private var limits: PeerLimits { transport.limits }
    private var reader = PeerFrame.Reader(maxPayloadBytes: PeerHello.maxBytes)

    init(transport: PeerTransport, connection: Connection) {
        self.transport = transport
        self.connection = connection
        transport.prepare(connection)
        connection.onBytes = { [unowned self] bytes in consume(bytes) }
        connection.onEnd = { [unowned self] in close() }
        connection.onClose = { [unowned self] _ in transport.remove(self) }
        connection.onDeadline = { [unowned self] in
            let who = hello?.sender ?? "\(connection.remote)"
            transport.log("\(who) is silent; its connection to us is closed")
            close()
        }
        setDeadline(limits.helloMilliseconds)
    }

    func close() {
        connection.close()
        transport.remove(self)
    }

    private func consume(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        do throws(PeerFrame.Malformed) {
            while connection.isOpen, var frame = try reader.next(bytes, offset: &offset) {
                if let hello {
                    handle(frame, from: hello.id)
                } else {
                    greet(frame)
                }
                reader.reuse(&frame.payload)
            }
        } catch {
            transport.logRefusal("\(name): \(error.reason); the connection is closed")
            close()
        }
        guard connection.isOpen else { return bytes.count }
        if hello != nil { setDeadline(limits.callerSilenceMilliseconds) }
        return offset
    }

    private func handle(_ frame: PeerFrame, from sender: NodeID) {
        receivedFrames += 1
        receivedBytes += UInt64(frame.payload.count + PeerFrame.headerBytes)
        switch frame.kind {
        case .message:
            transport.onFrame(sender, frame.payload)
        case .ping where frame.payload.count == 8:
            PeerFrame.write(.pong, frame.payload, to: connection)
        case .ping, .hello, .refusal, .pong:
            transport.logRefusal("\(name): an unexpected frame; the connection is closed")
            close()
        }
    }

    private func greet(_ frame: PeerFrame) {
        guard frame.kind == .hello, let hello = PeerHello(frame.payload) else {
            transport.logRefusal("\(name): its first frame is no hello")
            close()
            return
        }
        if let refusal = transport.refusal(ofCaller: hello) {
            refuse(refusal, sender: hello.sender)
            return
        }
        self.hello = hello
        reader.maxPayloadBytes = limits.maxFrameBytes
        PeerFrame.write(.hello, transport.hello(to: hello.sender).bytes, to: connection)
        transport.identified(self, hello)
    }

    private func refuse(_ refusal: PeerRefusal, sender: String) {
        transport.logRefusal("\(name), which says it is '\(sender)', is refused: \(refusal.reason)")
        PeerFrame.write(.refusal, refusal.bytes, to: connection)
        connection.clearDeadline()
        // The hello was read to its end, but the caller may have sent more.
        connection.finish(lingering: true)
    }

    private var name: String { hello?.sender ?? "\(connection.remote)" }

    private func setDeadline(_ milliseconds: Int) {
        connection.setDeadline(transport.loop.now + UInt64(milliseconds) * 1_000_000)
    }
}
