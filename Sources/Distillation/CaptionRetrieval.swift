// Which image of the data set is a picture nearest to, and how far down its own concept comes.

/// The images of a data set as descriptors, to be searched.
public struct CaptionRetrieval: Sendable {
    private let descriptors: [ImageDescriptor]
    /// For each image the number of its concept.
    private let concepts: [Int]
    private let numberOfConcept: [String: Int]

    /// Describes the images of a data set: all, or those at some places.
    public init(data: ImageFolder, indices: [Int]? = nil) {
        let chosen = indices ?? Array(data.entries.indices)
        self.init(
            descriptors: chosen.map { .init(bytes: data.bytes(at: $0), size: data.size) },
            concepts: chosen.map { data.entries[$0].concept })
    }

    /// Takes descriptors and, for each, the id that images share which show the same.
    public init(descriptors: [ImageDescriptor], concepts: [String]) {
        precondition(descriptors.count == concepts.count && !descriptors.isEmpty)
        self.descriptors = descriptors
        var numbers: [String: Int] = [:]
        self.concepts = concepts.map { concept in
            let number = numbers[concept] ?? numbers.count
            numbers[concept] = number
            return number
        }
        numberOfConcept = numbers
    }

    /// The number of images that are searched.
    public var count: Int { descriptors.count }

    /// How near a concept is to a picture: 1 if no other concept is as near, and so on.
    ///
    /// Images of one concept count once, by the nearest of them. Another concept that is exactly as
    /// near counts as nearer: a picture that says nothing is right about nothing.
    /// - Returns: from 1 to the number of concepts; nil for a concept that no image has.
    public func rank(of concept: String, for query: ImageDescriptor) -> Int? {
        guard let own = numberOfConcept[concept] else { return nil }
        var nearest = [Float](repeating: .infinity, count: numberOfConcept.count)
        for (descriptor, number) in zip(descriptors, concepts) {
            nearest[number] = min(nearest[number], descriptor.squaredDistance(to: query))
        }
        // The concept itself is the first that is no farther than itself.
        return nearest.count { $0 <= nearest[own] }
    }
}

/// Counts of right answers.
public struct RetrievalScore: Sendable, Equatable {
    /// Pictures judged.
    public private(set) var count = 0
    /// Those nearest to their own concept, and those whose own is among the five nearest.
    public private(set) var topOneCount = 0
    public private(set) var topFiveCount = 0

    public init() {}

    /// Takes the rank of a picture's own concept.
    public mutating func add(rank: Int) {
        count += 1
        if rank <= 1 { topOneCount += 1 }
        if rank <= 5 { topFiveCount += 1 }
    }

    /// Shares, 0…1; 0 without pictures.
    public var topOne: Double { count == 0 ? 0 : Double(topOneCount) / Double(count) }
    public var topFive: Double { count == 0 ? 0 : Double(topFiveCount) / Double(count) }
}
