// Which kind of worker made the parts of a job.

/// A kind of worker: those of one kind make the same bytes of the same request.
///
/// Once a job has a resume point or a finished image, only workers of the kind that made it go on
/// with it, so that all of a result's bytes come from one kind.
public struct WorkOrigin: Hashable, Sendable, Codable {
    /// The model: the first that the worker announces; nil for a worker that announces none.
    public var model: ModelID?
    /// The numerics class.
    public var numericsClass: NumericsClass

    /// Names a kind.
    public init(model: ModelID?, numericsClass: NumericsClass) {
        self.model = model
        self.numericsClass = numericsClass
    }

    /// The kind of a worker.
    public init(_ worker: WorkerDescription) {
        self.init(model: worker.models.first, numericsClass: worker.numericsClass)
    }
}
