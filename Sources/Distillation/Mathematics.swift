// Functions that the standard library leaves to the C library.
import Glibc

/// The decadic logarithm.
func logarithm(_ x: Double) -> Double { log10(x) }
