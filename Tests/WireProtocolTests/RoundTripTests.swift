// Every message survives the wire, and equal messages have equal bytes.

import Testing

@testable import WireProtocol

@Suite struct RoundTripTests {
    @Test func `every client message survives`() throws {
        try checkRoundTrips(ClientMessage.eachKind)
    }

    @Test func `every server message survives`() throws {
        try checkRoundTrips(ServerMessage.eachKind)
    }

    @Test func `every worker message survives`() throws {
        try checkRoundTrips(WorkerMessage.eachKind)
    }

    @Test func `every broker message survives`() throws {
        try checkRoundTrips(BrokerMessage.eachKind)
    }

    private func checkRoundTrips<Message: WireEnvelope>(
        _ make: (inout RandomSource) -> [Message]
    ) throws {
        var random = RandomSource(seed: 1)
        for _ in 0..<200 {
            for message in make(&random) {
                let frame = try message.encoded()
                #expect(try Message(frame: frame) == message)
                #expect(try message.encoded() == frame)
            }
        }
    }

    @Test func `absent and zero differ`() throws {
        let absent = GenerationRequest(text: .prompt(""))
        var zero = absent
        zero.seed = 0
        zero.guidance = 0
        zero.negativePrompt = ""
        for request in [absent, zero] {
            let message = ClientMessage(.generate(GenerateRequest(request: request)))
            #expect(try ClientMessage(frame: message.encoded()) == message)
        }
    }

    @Test func `large payloads survive`() throws {
        let latents = [UInt8](repeating: 7, count: 4 << 20)
        let message = WorkerMessage.stepReport(
            StepReport(
                lease: LeaseReference(jobID: 1, attempt: 2), resume: ResumeState(latents: latents)))
        #expect(try WorkerMessage(frame: message.encoded()) == message)
    }

    @Test func `values over their limits are not encoded`() {
        let prompt = String(repeating: "x", count: WireLimits.promptBytes + 1)
        #expect {
            try generate(prompt).encoded()
        } throws: {
            let error = $0 as? WireError
            return error?.code == .limitExceeded && error?.location == "generate.request.prompt"
        }
        #expect(throws: WireError.self) { try generate("a\0b").encoded() }
    }

    private func generate(_ prompt: String) -> ClientMessage {
        ClientMessage(.generate(GenerateRequest(request: GenerationRequest(text: .prompt(prompt)))))
    }
}
