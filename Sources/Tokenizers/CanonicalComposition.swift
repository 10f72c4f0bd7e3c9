// Unicode normalization form C of UTF-8 text, equal to the reference's normalizer: decompose, put
// marks into canonical order, compose (Unicode Standard Annex 15).
//
// Hangul syllables need not be decomposed: a syllable is what its parts would compose to again, and
// `HangulSyllable.compose` adds a trailing consonant to a syllable that has none.

/// Normalizes text to NFC.
struct CanonicalComposition {
    private let data = NormalizationData.shared
    private var scalars: [UInt32] = []
    /// The combining class of each of `scalars`.
    private var classes: [UInt8] = []

    /// The text in NFC; nil if it is so already.
    mutating func normalized(_ bytes: [UInt8], in range: Range<Int>) -> [UInt8]? {
        guard Self.mayChange(bytes, in: range) else { return nil }
        scalars.removeAll(keepingCapacity: true)
        classes.removeAll(keepingCapacity: true)
        var index = range.lowerBound
        while index < range.upperBound {
            let scalar = UTF8Scalar(in: bytes, at: index)
            decompose(scalar.value)
            index += scalar.byteCount
        }
        reorderMarks()
        compose()
        var output: [UInt8] = []
        output.reserveCapacity(range.count)
        for scalar in scalars { UTF8Scalar.append(scalar, to: &output) }
        return output
    }

    private static func mayChange(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            // Nothing below U+0300 changes by itself: lead bytes under 0xCC.
            if bytes[index] < 0xCC {
                index += 1
                continue
            }
            let scalar = UTF8Scalar(in: bytes, at: index)
            if CharacterClasses.of(scalar.value).contains(.unstable) { return true }
            index += scalar.byteCount
        }
        return false
    }

    private mutating func decompose(_ scalar: UInt32) {
        let kind = CharacterClasses.of(scalar)
        if kind.contains(.decomposable), let parts = data.decompositions[scalar] {
            decompose(parts.first)
            if parts.second != 0 { decompose(parts.second) }
            return
        }
        scalars.append(scalar)
        classes.append(kind.contains(.mark) ? data.combiningClasses[scalar] ?? 0 : 0)
    }

    /// Sorts each run of marks by combining class, keeping the order of equals.
    private mutating func reorderMarks() {
        var start = 0
        while start < scalars.count {
            guard classes[start] != 0 else {
                start += 1
                continue
            }
            var end = start + 1
            var sorted = true
            while end < scalars.count, classes[end] != 0 {
                if classes[end] < classes[end - 1] { sorted = false }
                end += 1
            }
            if !sorted {
                let order = (start..<end).sorted { (classes[$0], $0) < (classes[$1], $1) }
                let moved = order.map { (scalars[$0], classes[$0]) }
                for (place, pair) in zip(start..<end, moved) {
                    (scalars[place], classes[place]) = pair
                }
            }
            start = end
        }
    }

    /// Joins each scalar with the starter before it where nothing in between blocks it.
    private mutating func compose() {
        var starter: Int?
        var lastClass: UInt8 = 0
        var kept = 0
        for index in 0..<scalars.count {
            let scalar = scalars[index]
            let ownClass = classes[index]
            if let place = starter {
                let adjacent = kept == place + 1
                if adjacent || (lastClass != 0 && lastClass < ownClass),
                    let composed = composition(scalars[place], scalar)
                {
                    scalars[place] = composed
                    continue
                }
            }
            if ownClass == 0 { starter = kept }
            lastClass = ownClass
            scalars[kept] = scalar
            classes[kept] = ownClass
            kept += 1
        }
        scalars.removeSubrange(kept...)
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        guard CharacterClasses.of(second).contains(.unstable) else { return nil }
        return HangulSyllable.compose(first, second)
            ?? data.compositions[NormalizationData.pair(first, second)]
    }
}
