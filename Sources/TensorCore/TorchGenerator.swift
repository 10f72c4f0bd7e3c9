// PyTorch's CPU random numbers, so that a seed gives the noise that it gives there.
import Glibc

/// The Mersenne Twister mt19937 with PyTorch's seeding and its way of making normal numbers.
///
/// Sources: Matsumoto & Nishimura 1998; ATen `MT19937RNGEngine.h`, `DistributionTemplates.h`
/// (`normal_fill`), `core/DistributionsHelper.h`. PyTorch computes the logarithm and sine with its
/// own vector routines: values agree within 2 units in the last place.
public struct TorchGenerator: Sendable {
    private var state: [UInt32]
    private var position: Int

    /// Only the low 32 bits of a seed matter, as in PyTorch.
    public init(seed: UInt64) {
        state = [UInt32](repeating: 0, count: 624)
        state[0] = UInt32(truncatingIfNeeded: seed)
        for i in 1..<624 {
            state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i)
        }
        position = 624
    }

    /// The next 32 random bits.
    public mutating func next() -> UInt32 {
        if position == 624 { refill() }
        var y = state[position]
        position += 1
        y ^= y >> 11
        y ^= (y << 7) & 0x9d2c_5680
        y ^= (y << 15) & 0xefc6_0000
        return y ^ (y >> 18)
    }

    private mutating func refill() {
        for i in 0..<624 {
            let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7fff_ffff)
            state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_b0df)
        }
        position = 0
    }

    /// A uniform float in [0, 1) with 24 random bits.
    public mutating func nextUniform() -> Float {
        Float(next() & 0xff_ffff) * 0x1p-24
    }

    /// A uniform double in [0, 1) with 53 random bits, high word first.
    private mutating func nextUniformDouble() -> Double {
        let high = UInt64(next())
        let bits = high << 32 | UInt64(next())
        return Double(bits & ((1 << 53) - 1)) * 0x1p-53
    }

    /// `torch.randn(count)` with a fresh generator: standard normal numbers.
    ///
    /// From 16 values on, blocks of 16 uniform numbers become normal ones by Box and Muller's
    /// method, the first 8 giving radii and the last 8 angles; the last 16 values are drawn anew
    /// when the count is no multiple of 16. Fewer values go through a double-precision pair each.
    public mutating func normals(_ count: Int) -> [Float] {
        if count < 16 { return smallNormals(count) }
        var values = (0..<count).map { _ in nextUniform() }
        for start in stride(from: 0, through: count - 16, by: 16) {
            Self.boxMuller(&values, start)
        }
        if count % 16 != 0 {
            for i in count - 16..<count { values[i] = nextUniform() }
            Self.boxMuller(&values, count - 16)
        }
        return values
    }

    private static func boxMuller(_ values: inout [Float], _ start: Int) {
        for i in start..<start + 8 {
            let radius = (-2 * log(Double(1 - values[i]))).squareRoot()
            let angle = Double(2 * Float.pi * values[i + 8])
            values[i] = Float(radius * cos(angle))
            values[i + 8] = Float(radius * sin(angle))
        }
    }

    private mutating func smallNormals(_ count: Int) -> [Float] {
        var values: [Float] = []
        while values.count < count {
            let first = nextUniformDouble()
            let radius = (-2 * log1p(-nextUniformDouble())).squareRoot()
            let angle = 2 * Double.pi * first
            values.append(Float(radius * cos(angle)))
            if values.count < count { values.append(Float(radius * sin(angle))) }
        }
        return values
    }
}
