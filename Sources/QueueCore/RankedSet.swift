// An ordered set with ranks and running sums: the one container behind every queue and timer here.
//
// A treap (Seidel and Aragon 1996) in an array. The heap order comes from a fixed mixing of the
// key, so the same operations build the same tree: no randomness, no iteration over hash order.

/// What a `RankedSet` orders by: a time, tag or owner first, then a counter that breaks ties.
struct RankedKey: Hashable, Comparable, Sendable {
    var major: Int64
    var minor: UInt64

    static func < (left: RankedKey, right: RankedKey) -> Bool {
        left.major != right.major ? left.major < right.major : left.minor < right.minor
    }

    init(_ major: Int64, _ minor: UInt64) {
        self.major = major
        self.minor = minor
    }

    init(_ moment: Instant, _ job: JobID) { self.init(moment.microseconds, job.number) }

    /// SplitMix64's finalizer over both halves: the node's place in heap order.
    fileprivate var heapOrder: UInt64 {
        var z = minor &+ UInt64(bitPattern: major) &* 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Keys in order, each with a weight. Insert, remove, first, next and rank take O(log n).
struct RankedSet: Sendable {
    private struct Node: Sendable {
        var key: RankedKey
        var weight: Int64
        var sum: Int64
        var count: Int32
        var left: Int32
        var right: Int32
    }

    private static let none: Int32 = -1
    private var nodes: ContiguousArray<Node> = []
    private var free: ContiguousArray<Int32> = []
    private var root = none

    /// How many keys there are.
    var count: Int { root == Self.none ? 0 : Int(nodes[Int(root)].count) }
    /// Whether there is none.
    var isEmpty: Bool { root == Self.none }
    /// The weights of all keys together.
    var totalWeight: Int64 { root == Self.none ? 0 : nodes[Int(root)].sum }

    /// The smallest key.
    var first: RankedKey? {
        var at = root
        guard at != Self.none else { return nil }
        while nodes[Int(at)].left != Self.none { at = nodes[Int(at)].left }
        return nodes[Int(at)].key
    }

    /// The smallest key that is greater than `key`.
    func next(after key: RankedKey) -> RankedKey? {
        var at = root
        var best: RankedKey?
        while at != Self.none {
            let node = nodes[Int(at)]
            if key < node.key {
                best = node.key
                at = node.left
            } else {
                at = node.right
            }
        }
        return best
    }

    /// How many keys are smaller than `key`, and their weights together.
    func rank(of key: RankedKey) -> (count: Int, weight: Int64) {
        var at = root
        var result = (count: 0, weight: Int64(0))
        while at != Self.none {
            let node = nodes[Int(at)]
            if node.key < key {
                let left = totals(node.left)
                result.count += left.count + 1
                result.weight += left.sum + node.weight
                at = node.right
            } else {
                at = node.left
            }
        }
        return result
    }

    /// The key with so many smaller ones.
    func key(at position: Int) -> RankedKey? {
        var at = root
        var left = position
        while at != Self.none {
            let node = nodes[Int(at)]
            let before = totals(node.left).count
            if left == before { return node.key }
            if left < before {
                at = node.left
            } else {
                left -= before + 1
                at = node.right
            }
        }
        return nil
    }

    /// The weight of `key`, or nil where it is absent.
    func weight(of key: RankedKey) -> Int64? {
        var at = root
        while at != Self.none {
            let node = nodes[Int(at)]
            if node.key == key { return node.weight }
            at = key < node.key ? node.left : node.right
        }
        return nil
    }

    /// Adds `key`, which must be absent.
    mutating func insert(_ key: RankedKey, weight: Int64 = 0) {
        let new = makeNode(key, weight)
        let order = key.heapOrder
        var parent = Self.none
        var isLeft = false
        var at = root
        while at != Self.none, nodes[Int(at)].key.heapOrder >= order {
            nodes[Int(at)].count += 1
            nodes[Int(at)].sum += weight
            parent = at
            precondition(nodes[Int(at)].key != key, "a ranked set holds a key once")
            isLeft = key < nodes[Int(at)].key
            at = isLeft ? nodes[Int(at)].left : nodes[Int(at)].right
        }
        let (left, right) = split(at, by: key)
        nodes[Int(new)].left = left
        nodes[Int(new)].right = right
        refresh(new)
        replaceChild(of: parent, isLeft: isLeft, with: new)
    }

    /// Removes `key`; returns whether it was there.
    @discardableResult
    mutating func remove(_ key: RankedKey) -> Bool {
        guard let weight = weight(of: key) else { return false }
        var parent = Self.none
        var isLeft = false
        var at = root
        while nodes[Int(at)].key != key {
            nodes[Int(at)].count -= 1
            nodes[Int(at)].sum -= weight
            parent = at
            isLeft = key < nodes[Int(at)].key
            at = isLeft ? nodes[Int(at)].left : nodes[Int(at)].right
        }
        let merged = merge(nodes[Int(at)].left, nodes[Int(at)].right)
        replaceChild(of: parent, isLeft: isLeft, with: merged)
        free.append(at)
        if root == Self.none {
            nodes.removeAll(keepingCapacity: nodes.count < 1024)
            free.removeAll(keepingCapacity: false)
        }
        return true
    }

    private func totals(_ at: Int32) -> (count: Int, sum: Int64) {
        at == Self.none ? (0, 0) : (Int(nodes[Int(at)].count), nodes[Int(at)].sum)
    }

    private mutating func makeNode(_ key: RankedKey, _ weight: Int64) -> Int32 {
        let node = Node(
            key: key, weight: weight, sum: weight, count: 1, left: Self.none, right: Self.none)
        if let slot = free.popLast() {
            nodes[Int(slot)] = node
            return slot
        }
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    private mutating func replaceChild(of parent: Int32, isLeft: Bool, with child: Int32) {
        if parent == Self.none {
            root = child
        } else if isLeft {
            nodes[Int(parent)].left = child
        } else {
            nodes[Int(parent)].right = child
        }
    }

    private mutating func refresh(_ at: Int32) {
        let left = totals(nodes[Int(at)].left)
        let right = totals(nodes[Int(at)].right)
        nodes[Int(at)].count = Int32(left.count + right.count + 1)
        nodes[Int(at)].sum = left.sum + right.sum + nodes[Int(at)].weight
    }

    private mutating func split(_ at: Int32, by key: RankedKey) -> (Int32, Int32) {
        guard at != Self.none else { return (Self.none, Self.none) }
        precondition(nodes[Int(at)].key != key, "a ranked set holds a key once")
        if nodes[Int(at)].key < key {
            let (left, right) = split(nodes[Int(at)].right, by: key)
            nodes[Int(at)].right = left
            refresh(at)
            return (at, right)
        }
        let (left, right) = split(nodes[Int(at)].left, by: key)
        nodes[Int(at)].left = right
        refresh(at)
        return (left, at)
    }

    private mutating func merge(_ left: Int32, _ right: Int32) -> Int32 {
        guard left != Self.none else { return right }
        guard right != Self.none else { return left }
        if nodes[Int(left)].key.heapOrder >= nodes[Int(right)].key.heapOrder {
            let merged = merge(nodes[Int(left)].right, right)
            nodes[Int(left)].right = merged
            refresh(left)
            return left
        }
        let merged = merge(left, nodes[Int(right)].left)
        nodes[Int(right)].left = merged
        refresh(right)
        return right
    }
}
