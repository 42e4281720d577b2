import Raft

/// Carries messages between nodes: bytes in, bytes out. A message arrives once or not at all, and those of one
/// connection in order; nothing is sent again, since consensus repairs what is lost.
///
/// Of two nodes, each calls the other for what it has to say itself (`PeerLink`), and listens on the
/// connection that the other opened (`PeerCaller`). So neither has to agree with the other on which of two
/// connections opened at once should live.
final class PeerTransport {
    let loop: Loop
    let limits: PeerLimits
    let resolver: NameResolver
    /// A peer's message; the bytes are the receiver's own.
    let onFrame: (_ peer: String, _ payload: [UInt8]) -> Void
    let onState: (_ peer: String, PeerState) -> Void
    let log: (String) -> Void

    private let cluster: String
    private let id: String
    private let incarnation: UInt64
    private var listener: Listener?
    private var links: [String: PeerLink] = [:]
    private var callers: [ObjectIdentifier: PeerCaller] = [:]
    /// The one connection of each peer that counts.
    private var callerByPeer: [String: PeerCaller] = [:]
    private var refusalLogTime: Nanoseconds?
    private var unloggedRefusals = 0

    /// Listens and begins to call. Call-backs come on the loop, in later turns. `peers` may contain
    /// this node itself, which is ignored.
    init(
        loop: Loop, cluster: String, id: String, incarnation: UInt64, listen: Endpoint,
        peers: [(id: String, endpoint: Endpoint)], limits: PeerLimits = PeerLimits(),
        onFrame: @escaping (_ peer: String, _ payload: [UInt8]) -> Void,
        onState: @escaping (_ peer: String, PeerState) -> Void, log: @escaping (String) -> Void
    ) throws(IOError) {
        self.loop = loop
        self.cluster = cluster
        self.id = id
        self.incarnation = incarnation
        self.limits = limits
        self.onFrame = onFrame
        self.onState = onState
        self.log = log
        resolver = try NameResolver(loop: loop)
        let trouble: (IOError) -> Void = { log("peer connections: \($0)") }
        listener = try Listener(loop: loop, endpoint: listen, onTrouble: trouble) {
            [unowned self] descriptor, remote in
            accept(descriptor, from: remote)
        }
        update(peers: peers)
    }

    /// Where this node listens, with the real port if it was configured as 0. Nil after `close`.
    var address: SocketAddress? { listener?.address }

    /// Queues a message; it leaves at the end of the turn. False if it was dropped, because there is no
    /// connection or too much is waiting.
    func send(_ payload: [UInt8], to peer: String) -> Bool {
        links[peer]?.send(payload) ?? false
    }

    /// Peers that are new are called, those that changed address are called there, and those that are
    /// missing are cut off, in both directions.
    func update(peers: [(id: String, endpoint: Endpoint)]) {
        var wanted: [String: Endpoint] = [:]
        for peer in peers where peer.id != id { wanted[peer.id] = peer.endpoint }
        for (id, link) in links where wanted[id] != link.endpoint {
            link.close()
            links.removeValue(forKey: id)
            if wanted[id] == nil { callerByPeer[id]?.close() }
        }
        for (id, endpoint) in wanted where links[id] == nil {
            let link = PeerLink(transport: self, id: id, endpoint: endpoint)
            links[id] = link
            link.start()
        }
    }

    func status(of peer: String) -> PeerStatus? {
        guard var status = links[peer]?.status else { return nil }
        if let caller = callerByPeer[peer] {
            status.isCalling = true
            status.receivedFrames = caller.receivedFrames
            status.receivedBytes = caller.receivedBytes
            status.incarnation = caller.hello?.incarnation ?? status.incarnation
        }
        return status
    }

    /// All peers, by id.
    var statuses: [PeerStatus] {
        links.keys.sorted().compactMap { status(of: $0) }
    }

    /// Ends everything now, without call-backs.
    func close() {
        listener?.close()
        listener = nil
        for link in links.values { link.close() }
        links.removeAll()
        for caller in Array(callers.values) { caller.close() }
    }

    // MARK: For links and callers

    func hello(to peer: String) -> PeerHello {
        PeerHello(incarnation: incarnation, cluster: cluster, sender: id, receiver: peer)
    }

    /// Nil if we talk to the sender. `expecting`: whom we called.
    func refusal(of hello: PeerHello, expecting peer: String?) -> PeerRefusal? {
        guard hello.sharesVersion else {
            return PeerRefusal(
                .version,
                "\(hello.sender) speaks protocol versions \(hello.lowestVersion) to "
                    + "\(hello.highestVersion), \(id) speaks \(PeerHello.lowestVersion) to "
                    + "\(PeerHello.highestVersion)")
        }
        guard hello.cluster == cluster else {
            return PeerRefusal(
                .cluster,
                "\(hello.sender) belongs to cluster '\(hello.cluster)', \(id) to '\(cluster)'")
        }
        guard hello.receiver == id else {
            return PeerRefusal(
                .wrongReceiver, "\(hello.sender) means '\(hello.receiver)', but this is '\(id)'")
        }
        if let peer {
            guard hello.sender == peer else {
                return PeerRefusal(
                    .wrongReceiver, "'\(hello.sender)' answers at the address of '\(peer)'")
            }
            return nil
        }
        guard links[hello.sender] != nil else {
            return PeerRefusal(.unknownSender, "\(id) knows no node '\(hello.sender)'")
        }
        if let older = callerByPeer[hello.sender]?.hello, older.incarnation > hello.incarnation {
            // Its successor called already: this call waited here from before the restart.
            return PeerRefusal(
                .olderIncarnation, "a later start of \(hello.sender) is connected already")
        }
        return nil
    }

    /// What holds for all connections between nodes.
    func prepare(_ connection: Connection) {
        // Back-pressure is `maxQueuedBytes`: a link that stopped reading would miss its pongs.
        connection.limits.highWaterBytes = .max
        connection.limits.maxFlushBytesPerTurn = 4 * 1024 * 1024
        connection.detectDeadPeer(afterMilliseconds: limits.silenceMilliseconds)
    }

    /// A caller said who it is. It takes the place of an older connection of the same peer, which may
    /// be dead without our knowing.
    func identified(_ caller: PeerCaller, _ hello: PeerHello) {
        let older = callerByPeer.updateValue(caller, forKey: hello.sender)
        older?.close()
        links[hello.sender]?.nudge()
    }

    func remove(_ caller: PeerCaller) {
        callers.removeValue(forKey: ObjectIdentifier(caller))
        if let sender = caller.hello?.sender, callerByPeer[sender] === caller {
            callerByPeer.removeValue(forKey: sender)
        }
    }

    /// At most once a second: anybody who can reach the port can cause these.
    func logRefusal(_ text: String) {
        if let last = refusalLogTime, loop.now - last < 1_000_000_000 {
            unloggedRefusals += 1
            return
        }
        let suffix = unloggedRefusals > 0 ? " (and \(unloggedRefusals) more like this)" : ""
        refusalLogTime = loop.now
        unloggedRefusals = 0
        log(text + suffix)
    }

    private func accept(_ descriptor: consuming Descriptor, from remote: SocketAddress) {
        guard callers.count - callerByPeer.count < limits.maxUnidentifiedConnections else {
            logRefusal("\(remote): too many connections that do not say who they are")
            return
        }
        do throws(IOError) {
            let connection = try Connection(loop: loop, adopting: descriptor, remote: remote)
            let caller = PeerCaller(transport: self, connection: connection)
            callers[ObjectIdentifier(caller)] = caller
        } catch {
            log("peer connections: \(error)")
        }
    }
}
