// A client that tells all that it hears of one job.
import Foundation
import TestSupport

/// `Scripts/follow.py` at work.
final class Follower {
    /// One thing that a client hears.
    struct Event: Decodable {
        struct Result: Decodable {
            let attempts: Int
            let worker: String
            let sha256: [String]
            let files: [String]
        }

        let kind: String
        let job: Int?
        let step, steps, image, attempt: Int?
        let result: Result?
        let message: String?
    }

    private let client: Running

    /// Submits a job: the arguments of the Python client's `generate`.
    init(_ service: Service, _ arguments: [String: Any]) throws {
        let json = try JSONSerialization.data(withJSONObject: arguments)
        client = try service.startPython(
            "follow.py", [String(decoding: json, as: UTF8.self), "image-\(UUID().uuidString)"])
    }

    /// What was heard so far.
    func events() throws -> [Event] {
        let lines = client.output.split(separator: "\n", omittingEmptySubsequences: false)
        return try lines.dropLast().map {
            try JSONDecoder().decode(Event.self, from: Data($0.utf8))
        }
    }

    /// Waits until the job has done so many steps of its image `image`.
    func waitForStep(_ step: Int, image: Int = 0) throws {
        try waitUntil("step \(step) of image \(image)", context: { self.client.errors }) {
            guard client.isRunning else {
                throw Impatience(description: "the client ended: \(client.errors)")
            }
            return try events().contains {
                $0.kind == "progress" && ($0.image ?? 0, $0.step ?? 0) >= (image, step)
            }
        }
    }

    /// The job's end.
    func wait() throws -> Event {
        let outcome = try client.wait(seconds: 180)
        guard let last = try events().last, outcome.succeeded else {
            throw Impatience(description: "the client ended: \(outcome)")
        }
        return last
    }

    /// The steps of all images that an attempt has reported, in order.
    func steps(ofAttempt attempt: Int, stepsAnImage: Int) throws -> [Int] {
        try events().filter { $0.kind == "progress" && $0.attempt == attempt && $0.step != 0 }
            .map { ($0.image ?? 0) * stepsAnImage + ($0.step ?? 0) }
    }
}
