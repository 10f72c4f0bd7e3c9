// `turbine cancel`: ends a job.
import ArgumentParser
import TurbineClient
import WireProtocol

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a queued or running job.")

    @OptionGroup var connection: ClientConnection
    @Argument(help: "The job's id, or the request id it was submitted with.")
    var job: String

    func run() throws {
        let client = try connection.client()
        let reference = JobReference(argument: job)
        let reply = try waitFor { try await client.cancel(reference) }
        print("job \(reply.jobID) is cancelled after \(reply.stepsDone) steps")
    }
}
