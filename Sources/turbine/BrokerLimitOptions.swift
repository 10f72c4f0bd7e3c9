// What a broker takes and keeps, for the commands that run one.
import ArgumentParser
import BrokerService

/// The limits of a broker: of requests, of its queue, of its results and of its journal.
struct BrokerLimitOptions: ParsableArguments {
    @Option(help: "Largest image in pixels.")
    var maximumPixels: UInt64?
    @Option(help: "Longest side in pixels.")
    var maximumSide: UInt32?
    @Option(help: "Most steps an image.")
    var maximumSteps: UInt32?
    @Option(help: "Most images a job.")
    var maximumImages: UInt32?
    @Option(help: "Most jobs in the queue.")
    var maximumJobs: Int?
    @Option(
        help: """
            Seconds that a begun job waits for a worker of its model and numerics class when none \
            is left, before it begins again on another kind.
            """)
    var originGrace: Int64?
    @Option(help: "Hours for which results are kept.")
    var resultHours: Int64?
    @Option(help: "Bytes of results that are kept.")
    var resultBytes: Int64?
    @Option(help: "Largest size of the journal in bytes; without it, as the disk allows.")
    var maximumStoreBytes: Int64?

    /// Sets in a configuration what is given.
    /// - Throws: `ValidationError` for a number that is too small.
    func apply(to configuration: inout BrokerConfiguration) throws {
        configuration.maximumStoreBytes = maximumStoreBytes
        func set<Value: Comparable>(
            _ option: Value?, _ name: String, from least: Value, _ body: (Value) -> Void
        ) throws {
            guard let option else { return }
            guard option >= least else {
                throw ValidationError("--\(name) is \(option); use at least \(least).")
            }
            body(option)
        }
        try set(maximumPixels, "maximum-pixels", from: 256) {
            configuration.requestLimits.maximumPixels = $0
        }
        try set(maximumSide, "maximum-side", from: 16) {
            configuration.requestLimits.maximumSide = $0
        }
        try set(maximumSteps, "maximum-steps", from: 1) {
            configuration.requestLimits.maximumSteps = $0
        }
        try set(maximumImages, "maximum-images", from: 1) {
            configuration.requestLimits.maximumImageCount = $0
        }
        try set(maximumJobs, "maximum-jobs", from: 1) { configuration.queueLimits.jobs = $0 }
        try set(originGrace, "origin-grace", from: 0) {
            configuration.queueLimits.originGrace = .seconds($0)
        }
        try set(resultHours, "result-hours", from: 1) {
            configuration.queueLimits.resultLifetime = .seconds($0.multipliedClamped(by: 3600))
        }
        try set(resultBytes, "result-bytes", from: 0) {
            configuration.queueLimits.resultBytes = $0
        }
    }

    /// The options again, for a command line of `turbine broker`.
    var arguments: [String] {
        let values: [(String, (any FixedWidthInteger)?)] = [
            ("maximum-pixels", maximumPixels), ("maximum-side", maximumSide),
            ("maximum-steps", maximumSteps), ("maximum-images", maximumImages),
            ("maximum-jobs", maximumJobs), ("origin-grace", originGrace),
            ("result-hours", resultHours), ("result-bytes", resultBytes),
            ("maximum-store-bytes", maximumStoreBytes),
        ]
        return values.flatMap { name, value in value.map { ["--\(name)=\($0)"] } ?? [] }
    }
}

extension Int64 {
    fileprivate func multipliedClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
