import Raft
import Testing

@testable import Node

@Suite struct AddressBookTests {
    private typealias Address = AddressBook.Address

    private func address(_ port: Int) -> Address {
        Address(peer: "h:\(port)", api: "h:\(port + 100)")
    }

    private func hello(_ node: NodeID, _ port: Int, incarnation: UInt64 = 1) -> PeerHello {
        PeerHello(
            cluster: "demo", sender: node, incarnation: incarnation,
            highestStateVersion: 2, peer: "h:\(port)", api: "h:\(port + 100)")
    }

    private func book() -> AddressBook {
        AddressBook(
            own: "a", configured: [("a", address(1)), ("b", address(2)), ("c", address(3))],
            remembered: ["b": address(20), "d": address(40)])
    }

    @Test func theFileCountsMoreThanMemory() {
        let book = book()
        #expect(book.peers().map(\.name) == ["b", "c", "d"])
        #expect(book["b"] == address(2))
        #expect(book["d"] == address(40))
        #expect(book["x"] == nil)
    }

    @Test func whatANodeSaysOfItselfCountsMost() {
        var book = book()
        let isNews = book.hear(hello("b", 22, incarnation: 5))
        #expect(isNews)
        #expect(book["b"] == address(22))
        let again = book.hear(hello("b", 22, incarnation: 5))
        #expect(!again)
        let older = book.hear(hello("b", 9, incarnation: 4))
        #expect(!older)
        #expect(book["b"] == address(22))
        let unknown = book.hear(hello("x", 9))
        #expect(!unknown, "a guest is not in the book")
    }

    @Test func anotherDirectoryIsAnotherNodeWhateverItHasCounted() {
        var book = book()
        _ = book.hear(hello(NodeID("b", directory: 1), 22, incarnation: 5))
        let isNews = book.hear(hello(NodeID("b", directory: 2), 23, incarnation: 1))
        #expect(isNews && book["b"] == address(23))
    }

    @Test func whoIsNoMemberAnyMoreIsForgottenUnlessTheFileNamesIt() {
        var book = book()
        book.replace(replicated: ["a": address(1), "b": address(21), "e": address(50)])
        #expect(book.peers().map(\.name) == ["b", "c", "e"])
        #expect(book["b"] == address(2), "the file counts more than the log")
        _ = book.hear(hello("e", 51))
        #expect(book["e"] == address(51))
        book.replace(replicated: ["a": address(1), "b": address(21)])
        #expect(book.peers().map(\.name) == ["b", "c"])
        #expect(book["e"] == nil)
    }

    @Test func aGuestMayBeInvited() {
        var book = book()
        book.invite("x", at: address(9))
        #expect(book.peers().map(\.name) == ["b", "c", "d", "x"])
        book.disinvite("x")
        #expect(book["x"] == nil)
    }

    @Test func itComesBackFromItsFile() {
        let book = book()
        let found = AddressBook.remembered(book.encoded())
        #expect(found == ["b": address(2), "c": address(3), "d": address(40)])
        let damaged = AddressBook.remembered(
            Array("b h:1\nNO h:1 h:2\nc nowhere h:2\n\nd h:4 h:5\n".utf8) + [0xFF])
        #expect(damaged == ["d": Address(peer: "h:4", api: "h:5")])
    }
}
