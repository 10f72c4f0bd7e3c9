// What comes of fields that requests leave open. A request without a preset gets what suits the
// worker's model, so its size and steps, and with them all estimates, are known once a worker has
// told them. Jobs that were accepted before that, under an assumption, are corrected.

import QueueCore
import WireProtocol

extension BrokerLoop {
    /// Waiting jobs that one turn looks at.
    private static let jobsReshapedPerTurn = 500
    /// For requests that name no model.
    private static let anyModel = ""

    /// What a request without a preset gets for what it leaves open.
    func openShape(of request: GenerationRequest) -> BrokerConfiguration.Shape {
        openShapes[request.model ?? Self.anyModel] ?? configuration.defaultShape
    }

    /// Remembers what a worker tells of itself, by its model's names.
    func learnShape(_ register: RegisterWorker, of peer: Peer) {
        let known = openShapes
        peer.worker?.openShape = register.defaultShape.flatMap(allowed)
        if let shape = peer.worker?.openShape {
            if openShapes.count > 2 * WireLimits.workers { openShapes = [:] }
            for name in [register.model.name, register.model.hash] where !name.isEmpty {
                openShapes[name] = shape
            }
        }
        chooseUsualShape()
        if openShapes != known { reviewShapes() }
    }

    /// A worker's connection is gone.
    func unlearnShape() {
        let usual = openShapes[Self.anyModel]
        chooseUsualShape()
        if openShapes[Self.anyModel] != usual { reviewShapes() }
    }

    /// Where no model is asked for, the word of the worker holds that is connected for longest; the
    /// last one's if there is none any more.
    private func chooseUsualShape() {
        let told = workerPeers.values.compactMap(\.worker).filter { $0.openShape != nil }
        if let first = told.min(by: { $0.id.number < $1.id.number }) {
            openShapes[Self.anyModel] = first.openShape
        }
    }

    /// Nil for what no request could ask for.
    private func allowed(_ told: DefaultShape) -> BrokerConfiguration.Shape? {
        let limits = configuration.requestLimits
        let (width, height) = (UInt64(told.width), UInt64(told.height))
        guard width > 0, height > 0, width * height <= limits.maximumPixels,
            (1...limits.maximumSteps).contains(told.steps),
            (1...limits.maximumImageCount).contains(told.imageCount)
        else { return nil }
        return BrokerConfiguration.Shape(
            width: told.width, height: told.height, steps: told.steps, images: told.imageCount)
    }

    /// Looks at all waiting jobs again, the oldest first, some in each turn.
    func reviewShapes() {
        jobsToReshape = queue.unbegunJobs.reversed()
        reshapeJobs()
    }

    func reshapeJobs() {
        for _ in 0..<Self.jobsReshapedPerTurn {
            guard let id = jobsToReshape.popLast() else { return }
            guard let payload = queue.row(of: id)?.submission.payload,
                let request = Submission.request(in: payload),
                let shape = try? configuration.shape(of: request, open: openShape(of: request))
            else { continue }
            apply(.shapeLearned(id, shape))
        }
    }
}
