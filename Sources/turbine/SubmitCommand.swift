// `turbine submit`: a job for a broker.
import ArgumentParser
import Foundation
import ImagePipeline
import TurbineClient
import WireProtocol

struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Have a broker's workers generate images.")

    @OptionGroup var connection: ClientConnection
    @OptionGroup var options: RequestOptions
    @Option(help: "How urgent it is; waiting raises it.")
    var priority = PriorityOption.normal
    @Option(help: "Seconds from now within which the images have to be there.")
    var deadline: Double?
    @Option(help: "Your name for the job: the same id again is the same job.")
    var requestId: String?
    @Flag(help: "Print the job's id once it is accepted, and leave; see `turbine attach`.")
    var detach = false
    @Option(help: "The PNG file; with several images FILE-0.png, FILE-1.png …")
    var output: String?
    @Option(help: "Write a preview PNG here as the job proceeds.")
    var previewOut: String?
    @Option(help: "Steps from one preview to the next.")
    var previewEvery: UInt32 = 1
    @Option(help: "Only a worker with the model of this hash.")
    var modelHash: String?
    @Option(help: "Only a worker with the model of this name.")
    var modelName: String?
    @Flag(inversion: .prefixedNo, help: "Write the parameters into the PNG.")
    var metadata = true

    func validate() throws {
        guard detach || output != nil else {
            throw ValidationError("An output file is missing; give --output FILE.png or --detach.")
        }
        guard modelHash == nil || modelName == nil else {
            throw ValidationError("--model-hash and --model-name exclude each other.")
        }
        guard deadline.map({ $0 > 0 && $0 < 1e9 }) ?? true else {
            throw ValidationError("--deadline takes seconds above 0.")
        }
    }

    func run() throws {
        if let output { try AtomicFile.checkWritable(output) }
        if let previewOut { try AtomicFile.checkWritable(previewOut) }
        var request = GenerateRequest(
            requestID: requestId ?? UUID().uuidString.lowercased(),
            request: try options.wireRequest(model: modelHash ?? modelName),
            priority: priority.wire,
            deadlineMilliseconds: deadline.map { UInt64($0 * 1000) },
            detachOnDisconnect: detach, replies: detach ? .accepted : .all)
        request.request.output = OutputOptions(metadata: metadata)
        if previewOut != nil { request.preview = PreviewWish(everySteps: max(previewEvery, 1)) }
        let client = try connection.client()
        Interruption.install()
        if detach {
            let submitted = request
            let reply = try waitFor { try await Self.accepted(client.generate(submitted)) }
            print(reply.jobID)
        } else {
            let follower = JobFollower(
                output: output, previewOutput: previewOut, isQuiet: false)
            try followUntilInterrupted(client, request, follower)
        }
    }

    private static func accepted(
        _ events: TurbineClient.JobEvents
    ) async throws -> JobAccepted {
        for try await event in events {
            switch event {
            case .accepted(let reply): return reply
            case .failed(let failure): throw ClientError(failure.error)
            default: continue
            }
        }
        throw ClientError(.closed, "the connection was closed before the job was accepted")
    }

    /// Ctrl-C cancels the job before the program leaves.
    private func followUntilInterrupted(
        _ client: TurbineClient, _ request: GenerateRequest, _ follower: JobFollower
    ) throws {
        _ = try waitFor {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await follower.follow(client.generate(request)) }
                group.addTask {
                    while !Interruption.isRequested {
                        try await Task.sleep(for: .milliseconds(100))
                    }
                    _ = try await client.cancel(.requestID(request.requestID))
                    throw ClientError(.cancelled, "the job was cancelled")
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }
}

/// A priority as people write it.
enum PriorityOption: String, CaseIterable, ExpressibleByArgument {
    case low, normal, high

    var wire: JobPriority {
        switch self {
        case .low: .low
        case .normal: .normal
        case .high: .high
        }
    }
}
