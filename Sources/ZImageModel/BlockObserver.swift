// A hook between the blocks of a network.
import TensorCore

/// Called with the name and the output of each block as soon as it is computed.
///
/// One hook serves three needs: it throws to cancel a computation within one block's time, it lets
/// a test compare every stage, and it lets the trainer match intermediate features.
public typealias BlockObserver = (_ name: String, _ output: Tensor) throws -> Void
