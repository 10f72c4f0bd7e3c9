// `turbine attach`: the progress and the images of a job that was submitted before.
import ArgumentParser
import ImagePipeline
import TurbineClient
import WireProtocol

struct AttachCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Follow a job again, and get its images.")

    @OptionGroup var connection: ClientConnection
    @Argument(help: "The job's id, or the request id it was submitted with.")
    var job: String
    @Option(help: "The PNG file; with several images FILE-0.png, FILE-1.png …")
    var output: String
    @Option(help: "Write a preview PNG here as the job proceeds.")
    var previewOut: String?

    func run() throws {
        try AtomicFile.checkWritable(output)
        let client = try connection.client()
        let follower = JobFollower(output: output, previewOutput: previewOut, isQuiet: false)
        let reference = JobReference(argument: job)
        let preview = previewOut.map { _ in PreviewWish(everySteps: 1) }
        _ = try waitFor {
            try await follower.follow(client.attach(reference, preview: preview))
        }
    }
}
