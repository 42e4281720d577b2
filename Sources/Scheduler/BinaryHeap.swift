/// A binary min-heap in one array.
struct BinaryHeap<Element: Comparable & Sendable>: Sendable {
    private(set) var elements: [Element] = []

    var count: Int { elements.count }
    var isEmpty: Bool { elements.isEmpty }
    var top: Element? { elements.first }

    mutating func push(_ element: Element) {
        elements.append(element)
        siftUp(from: elements.count - 1)
    }

    mutating func pop() { _ = remove(at: 0) }

    /// Takes out the element at a place in `elements`.
    mutating func remove(at place: Int) -> Element {
        let removed = elements[place]
        let last = elements.removeLast()
        if place < elements.count {
            elements[place] = last
            siftDown(from: place)
            siftUp(from: place)
        }
        return removed
    }

    /// `change` lets the top go up, if anything.
    mutating func changeTop(_ change: (inout Element) -> Void) {
        change(&elements[0])
        siftDown(from: 0)
    }

    mutating func removeAll(where isUnwanted: (Element) -> Bool) {
        elements.removeAll(where: isUnwanted)
        if elements.capacity > 4 * elements.count + 1_024 {
            var smaller: [Element] = []
            smaller.reserveCapacity(elements.count)
            smaller.append(contentsOf: elements)
            elements = smaller
        }
        guard elements.count > 1 else { return }
        for place in stride(from: elements.count / 2 - 1, through: 0, by: -1) {
            siftDown(from: place)
        }
    }

    mutating func removeAll() { elements.removeAll(keepingCapacity: true) }

    private mutating func siftUp(from start: Int) {
        elements.withUnsafeMutableBufferPointer { heap in
            let element = heap[start]
            var child = start
            while child > 0 {
                let parent = (child - 1) / 2
                guard element < heap[parent] else { break }
                heap[child] = heap[parent]
                child = parent
            }
            if child != start { heap[child] = element }
        }
    }

    private mutating func siftDown(from start: Int) {
        elements.withUnsafeMutableBufferPointer { heap in
            let element = heap[start]
            var parent = start
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                guard heap[child] < element else { break }
                heap[parent] = heap[child]
                parent = child
            }
            if parent != start { heap[parent] = element }
        }
    }
}
