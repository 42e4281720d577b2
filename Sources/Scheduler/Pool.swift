/// Elements under numbers that are used again once they are free. Only for what is derived from the state: the
/// numbers differ between replicas and must not decide anything.
struct Pool<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var free: [Int] = []

    var range: Range<Int> { elements.indices }

    mutating func insert(_ element: Element) -> Int {
        if let number = free.popLast() {
            elements[number] = element
            return number
        }
        elements.append(element)
        return elements.count - 1
    }

    mutating func remove(_ number: Int) {
        elements[number] = nil
        free.append(number)
    }

    func holds(_ number: Int) -> Bool { elements[number] != nil }

    subscript(number: Int) -> Element {
        _read { yield elements[number]! }
        _modify { yield &elements[number]! }
    }
}
