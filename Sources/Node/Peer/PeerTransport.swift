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
    let onFrame: (_ peer: NodeID, _ payload: [UInt8]) -> Void
    /// Who was met, in either direction: its addresses may be news.
    let onHello: (PeerHello) -> Void
    let onState: (_ peer: String, PeerState) -> Void
    let log: (String) -> Void

    /// What this node says of itself; the state's version may rise.
    var own: PeerHello
    private var listener: Listener?
    private var links: [String: PeerLink] = [:]
    /// Those of the links that are there because their node called us: they end with the call.
    private var guests: Set<String> = []
    private var callers: [ObjectIdentifier: PeerCaller] = [:]
    /// Who keeps a name that two nodes claim.
    var isMember: (NodeID) -> Bool = { _ in false }
    /// The one connection of each peer that counts.
    private var callerByPeer: [String: PeerCaller] = [:]
    private var refusalLogTime: Nanoseconds?
    private var unloggedRefusals = 0

    /// Listens and begins to call. Call-backs come on the loop, in later turns. `peers` may contain
    /// this node itself, which is ignored.
    init(
        loop: Loop, own: PeerHello, listen: Endpoint, peers: [(id: String, endpoint: Endpoint)],
        limits: PeerLimits = PeerLimits(),
        onFrame: @escaping (_ peer: NodeID, _ payload: [UInt8]) -> Void,
        onHello: @escaping (PeerHello) -> Void,
        onState: @escaping (_ peer: String, PeerState) -> Void, log: @escaping (String) -> Void
    ) throws(IOError) {
        self.loop = loop
        self.own = own
        self.limits = limits
        self.onFrame = onFrame
        self.onHello = onHello
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
    /// connection or too much is waiting, or because the node of that name has another directory by now.
    func send(_ pieces: [[UInt8]], to peer: NodeID) -> Bool {
        links[peer.name]?.send(pieces, to: peer) ?? false
    }

    /// Peers that are new are called, those that changed address are called there, and those that are
    /// missing are cut off, in both directions. They may come again as guests.
    func update(peers: [(id: String, endpoint: Endpoint)]) {
        var wanted: [String: Endpoint] = [:]
        for peer in peers where peer.id != own.sender { wanted[peer.id] = peer.endpoint }
        guests.subtract(wanted.keys)
        for (id, link) in links where wanted[id] != link.endpoint && !guests.contains(id) {
            link.close()
            links.removeValue(forKey: id)
            if wanted[id] == nil { callerByPeer[id]?.close() }
        }
        for (id, endpoint) in wanted where links[id] == nil { call(id, at: endpoint) }
    }

    private func call(_ id: String, at endpoint: Endpoint) {
        let link = PeerLink(transport: self, id: id, endpoint: endpoint)
        links[id] = link
        link.start()
    }

    func probe(_ peer: String) { links[peer]?.probe() }

    func status(of peer: String) -> PeerStatus? {
        guard var status = links[peer]?.status else { return nil }
        if let caller = callerByPeer[peer] {
            status.isCalling = true
            status.receivedFrames = caller.receivedFrames
            status.receivedBytes = caller.receivedBytes
            // Of two hellos that of the later start counts: one connection may be older than a restart.
            if let hello = caller.hello,
                hello.id != status.hello?.id || hello.incarnation >= status.incarnation ?? 0
            {
                status.hello = hello
            }
        }
        status.isGuest = guests.contains(peer)
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
        var hello = own
        hello.receiver = peer
        return hello
    }

    /// Nil if we talk to this caller.
    func refusal(ofCaller hello: PeerHello) -> PeerRefusal? {
        if let refusal = hello.refusal(by: self.hello(to: hello.sender), expecting: nil) {
            return refusal
        }
        guard hello.sender != own.sender else {
            return PeerRefusal(.unknownSender, "there is a '\(own.sender)' already: it was called")
        }
        if links[hello.sender] == nil {
            guard guests.count < limits.maxGuests else {
                return PeerRefusal(
                    .unknownSender,
                    "\(own.sender) knows no node '\(hello.sender)', and has too many such callers")
            }
            guard endpoint(of: hello) != nil else {
                return PeerRefusal(
                    .unknownSender,
                    "\(own.sender) knows no node '\(hello.sender)', and it names no address to call it at"
                )
            }
        }
        guard let older = callerByPeer[hello.sender]?.hello else { return nil }
        if older.id == hello.id, older.incarnation > hello.incarnation {
            // Its successor called already: this call waited here from before the restart.
            return PeerRefusal(
                .olderIncarnation, "a later start of \(hello.sender) is connected already")
        }
        if older.id != hello.id, isMember(older.id), !isMember(hello.id) {
            // Two nodes of one name would take turns, and the member would lose its connection each time.
            return PeerRefusal(
                .olderIncarnation, "\(older.id) is a member and connected: \(hello.id) is another")
        }
        return nil
    }

    private func endpoint(of hello: PeerHello) -> Endpoint? { try? Endpoint(hello.peer) }

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
        // A guest that comes again from elsewhere is called there.
        let isGuest = links[hello.sender] == nil || guests.contains(hello.sender)
        if isGuest, let endpoint = endpoint(of: hello), links[hello.sender]?.endpoint != endpoint {
            links[hello.sender]?.close()
            guests.insert(hello.sender)
            log(
                "\(hello.id), which nobody told \(own.sender) of, calls; it is called at \(endpoint)"
            )
            call(hello.sender, at: endpoint)
        }
        links[hello.sender]?.nudge()
        onHello(hello)
    }

    func remove(_ caller: PeerCaller) {
        callers.removeValue(forKey: ObjectIdentifier(caller))
        if let sender = caller.hello?.sender, callerByPeer[sender] === caller {
            callerByPeer.removeValue(forKey: sender)
            if guests.remove(sender) != nil { links.removeValue(forKey: sender)?.close() }
        }
    }

    /// At most once a second: anybody who can reach the port can cause these, and a newer node as many as it sends.
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
