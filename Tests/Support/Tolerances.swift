// Every tolerance of the tests, with its reason.

/// Bounds on the largest difference, relative to the largest expected magnitude.
public enum Tolerance {
    /// One operation: float32 sums in another order, and an exponential of 2e-7 relative error.
    public static let operation: Float = 3e-6
    /// A network's stage: dozens of operations in a row. Measured: at most 4e-6; the reference in
    /// float32 itself differs from float64 by up to 6e-7.
    public static let stage: Float = 2e-5
    /// Latents after several steps, where guidance multiplies the error of each. Measured: at most
    /// 2e-5; the reference's own error here is up to 9e-6.
    public static let latents: Float = 1e-4
    /// PyTorch's vectorised logarithm, sine and cosine against the C library's.
    public static let noise: Float = 1e-6
    /// Schedules are a few float32 operations; the exponential of a dynamic shift differs in the
    /// last place.
    public static let schedule: Float = 3e-7
    /// Kernels compiled for different instruction sets: fused against separate multiply-adds.
    public static let instructionSets: Float = 1e-6
    /// Elements of a parameter's gradient, relative to the gradient's norm: sums over all rows in
    /// another order, after a pass forward and one back.
    public static let gradient: Double = 1e-4
    /// The loss over ten steps of AdamW.
    public static let lossCurve: Double = 1e-4
}

/// Bounds on images, in levels of 255.
public enum ImageTolerance {
    /// A value on the border between two levels may round either way.
    public static let maximum = 1
    public static let mean = 0.01
}
