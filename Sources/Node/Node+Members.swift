import Raft
import Scheduler

/// The node among its peers: whom it calls, what it hears of them, and what it tells its operator about where it
/// belongs.
extension Node {
    static func addressBook(
        _ configuration: ClusterConfiguration, own: String, directory: DataDirectory
    ) -> AddressBook {
        AddressBook(
            own: own,
            configured: configuration.nodes.map {
                ($0.id, AddressBook.Address(peer: $0.peer.description, api: $0.api.description))
            },
            remembered: remembered(in: directory))
    }

    /// What the last run wrote down; nothing if there is nothing to be read.
    private static func remembered(in directory: DataDirectory) -> [String: AddressBook.Address] {
        guard
            let names = try? directory.folder.names(), names.contains(AddressBook.fileName),
            let file = try? directory.folder.open(AddressBook.fileName, mode: .read),
            let bytes = try? file.read(count: AddressBook.maxFileBytes, at: 0)
        else { return [:] }
        return AddressBook.remembered(bytes)
    }

    // MARK: Peers

    func receive(_ payload: [UInt8], from peer: NodeID) {
        do {
            gateway.step(.peer(from: peer, try PeerMessage(decoding: payload)))
        } catch {
            transport?.logRefusal("a message of \(peer) is dropped: \(error.reason)")
        }
    }

    func peerChanged(_ peer: String, _ state: PeerState) {
        switch state {
        case .connected(let id, _):
            gateway.step(.peerConnected(id))
            api?.membersChanged()
        case .disconnected:
            // The transport has logged it; consensus notices by itself.
            break
        case .refused(let reason):
            log.error("peer refused", ["peer": .text(peer), "reason": .text(reason)])
        case .gone(let id):
            gateway.step(.peerGone(id))
        }
    }

    func met(_ hello: PeerHello) {
        if addressBook.hear(hello) { callPeers() }
        // Whoever waits for this node may go on.
        loop.later { [weak self] in self?.api?.membersChanged() }
    }

    /// An operator says where a node is that nobody knows yet.
    func invite(_ name: String, at peer: Endpoint?) {
        if let peer {
            addressBook.invite(
                name, at: AddressBook.Address(peer: peer.description, api: ""))
        } else {
            addressBook.disinvite(name)
        }
        callPeers()
    }

    /// Looks again after every turn.
    func checkMembers() {
        guard gateway.replica.membersRevision != seenMembersRevision else { return }
        let replica = gateway.replica
        seenMembersRevision = replica.membersRevision
        if let version = replica.unsupportedStateVersion {
            halt(
                "the cluster's state went on to version \(version), and this program knows only versions up to "
                    + "\(replica.settings.highestStateVersion): update it, and start the node again"
            )
        }
        transport?.own.stateVersion = replica.scheduler.stateVersion
        var members: [String: AddressBook.Address] = [:]
        for member in replica.scheduler.members where !member.peer.isEmpty {
            members[member.name] = AddressBook.Address(peer: member.peer, api: member.api)
        }
        for node in replica.scheduler.nodes {
            members[node.name] = AddressBook.Address(peer: node.peer, api: node.api)
        }
        // Who is about to leave has to hear of it.
        for member in replica.raft.configuration.members where members[member.name] == nil {
            members[member.name] = addressBook[member.name]
        }
        addressBook.replace(replicated: members)
        callPeers()
        noteStanding()
        api?.membersChanged()
    }

    private func callPeers() {
        let peers = addressBook.peers()
        transport?.update(
            peers: peers.compactMap { name, address in
                (try? Endpoint(address.peer)).map { (id: name, endpoint: $0) }
            })
        saveAddresses()
    }

    /// On a thread of its own, as a disk may take its time; one at a time.
    private func saveAddresses() {
        let bytes = addressBook.encoded()
        guard bytes != savedAddresses, !isSavingAddresses else { return }
        savedAddresses = bytes
        isSavingAddresses = true
        let folder = storage.directory.folder
        do throws(IOError) {
            try SystemThread.detached(name: "addresses") { [mailbox] in
                do throws(StorageError) {
                    try folder.replace(AddressBook.fileName, with: bytes)
                    mailbox.post(.addressesSaved(nil))
                } catch {
                    mailbox.post(.addressesSaved(error.description))
                }
            }
        } catch {
            addressesSaved(error.description)
        }
    }

    func addressesSaved(_ problem: String?) {
        isSavingAddresses = false
        // Only a hint for the next start is lost.
        if let problem { log.warning("addresses of peers", ["reason": .text(problem)]) }
        saveAddresses()
    }

    // MARK: Where this node belongs

    /// Said once for each change; `/readyz` says it at any time.
    func noteStanding() {
        let standing = gateway.replica.standing
        guard standing != loggedStanding else { return }
        loggedStanding = standing
        guard let text = StandingText(gateway.replica).problem else {
            log.info("member of the cluster", ["directory": .text(id.description)])
            return
        }
        log.warning("no member", ["reason": .text(text)])
    }
}
