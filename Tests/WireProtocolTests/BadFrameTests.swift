// Frames that are wrong in one place each are refused with the code and the field.

import Testing

@testable import WireProtocol

struct BadFrame: Sendable, CustomTestStringConvertible {
    let name: String
    let frame: [UInt8]
    let code: WireError.Code
    let field: String

    init(_ name: String, _ frame: [UInt8], _ code: WireError.Code, _ field: String = "") {
        self.name = name
        self.frame = frame
        self.code = code
        self.field = field
    }

    var testDescription: String { name }

    private static let prompt = RawFrame.text(1, "fox")
    private static let request = "generate.request"

    static let all: [BadFrame] = [
        BadFrame("empty", [], .unsupportedVersion, "protocol_version"),
        BadFrame("version 2", RawFrame.number(1, 2), .unsupportedVersion, "protocol_version"),
        BadFrame("no request", RawFrame.client([]), .missingField, "request"),
        BadFrame(
            "unknown request", RawFrame.client(RawFrame.bytes(99, [])), .missingField, "request"),
        BadFrame("no prompt", RawFrame.generate([]), .missingField, "\(request).prompt"),
        BadFrame("no generation", RawFrame.client(RawFrame.bytes(10, [])), .missingField, request),
        BadFrame(
            "no job", RawFrame.client(RawFrame.bytes(11, RawFrame.bytes(1, []))), .missingField,
            "cancel.job.job"),
        BadFrame("cut tag", [0x80], .malformed),
        BadFrame("cut length", RawFrame.client([0x52, 0x05, 0x01]), .malformed, ""),
        BadFrame("length of 2^64", RawFrame.client([0x52] + RawFrame.varint(.max)), .malformed),
        BadFrame("group", RawFrame.client([0x53, 0x54]), .malformed),
        BadFrame("field 0", RawFrame.client([0x02, 0x00]), .malformed),
        BadFrame("wire type 7", RawFrame.client([0x57]), .malformed),
        BadFrame("overlong number", [0x08] + [UInt8](repeating: 0xff, count: 11), .malformed),
        BadFrame("number as text", RawFrame.bytes(1, [1]), .malformed, "protocol_version"),
        BadFrame(
            "two requests", RawFrame.client(RawFrame.bytes(13, []) + RawFrame.bytes(14, [])),
            .malformed, "list_jobs"),
        BadFrame(
            "a request twice", RawFrame.client(RawFrame.bytes(13, []) + RawFrame.bytes(13, [])),
            .malformed, "get_status"),
        BadFrame(
            "bad UTF-8", RawFrame.generate(RawFrame.bytes(1, [0xc3, 0x28])), .invalidText,
            "\(request).prompt"),
        BadFrame(
            "NUL in text", RawFrame.generate(RawFrame.bytes(1, [97, 0, 98])), .invalidText,
            "\(request).prompt"),
        BadFrame(
            "surrogate", RawFrame.generate(RawFrame.bytes(1, [0xed, 0xa0, 0x80])), .invalidText,
            "\(request).prompt"),
        BadFrame(
            "long prompt",
            RawFrame.generate(RawFrame.bytes(1, .init(repeating: 97, count: 1 << 16 + 1))),
            .limitExceeded, "\(request).prompt"),
        BadFrame(
            "long request id",
            RawFrame.generate(
                prompt, besides: RawFrame.text(1, String(repeating: "i", count: 129))),
            .limitExceeded, "generate.request_id"),
        BadFrame(
            "NaN", RawFrame.generate(prompt + RawFrame.real(8, .nan)), .invalidValue,
            "\(request).guidance"),
        BadFrame(
            "infinity", RawFrame.generate(prompt + RawFrame.real(9, .infinity)), .invalidValue,
            "\(request).cfg_normalization"),
        BadFrame(
            "NaN share", RawFrame.generate(prompt + RawFrame.bytes(13, RawFrame.real(3, .nan))),
            .invalidValue, "\(request).pruning.head_share"),
        BadFrame(
            "unknown priority", RawFrame.generate(prompt, besides: RawFrame.number(3, 99)),
            .unknownValue, "generate.priority"),
        BadFrame(
            "unknown tiling", RawFrame.generate(prompt + RawFrame.bytes(14, RawFrame.number(1, 9))),
            .unknownValue, "\(request).tiling.mode"),
        BadFrame(
            "many slots",
            RawFrame.generate(
                RawFrame.bytes(2, (0..<33).flatMap { RawFrame.bytes(2, RawFrame.text(1, "\($0)")) })
            ),
            .limitExceeded, "\(request).template.slots"),
        BadFrame(
            "many states",
            RawFrame.client(
                RawFrame.bytes(14, RawFrame.bytes(1, .init(repeating: 1, count: 2000)))),
            .limitExceeded, "list_jobs.states"),
        BadFrame(
            "many fields",
            RawFrame.client((0..<2000).flatMap { RawFrame.number(100 + $0, 1) }), .limitExceeded),
        BadFrame("large frame", .init(repeating: 0, count: 1 << 20 + 1), .frameTooLarge),
    ]
}

@Suite struct BadFrameTests {
    @Test(arguments: BadFrame.all) func `is refused`(_ bad: BadFrame) throws {
        let error = #expect(throws: WireError.self) { try ClientMessage(frame: bad.frame) }
        #expect(error?.code == bad.code)
        if !bad.field.isEmpty { #expect(error?.location == bad.field) }
        #expect(error?.serviceError.code != .unspecified)
    }

    @Test func `every truncation is refused or read as less`() throws {
        var random = RandomSource(seed: 3)
        for message in ClientMessage.eachKind(&random) {
            let frame = try message.encoded()
            for count in 0..<frame.count {
                let cut = Array(frame[..<count])
                if let read = try? ClientMessage(frame: cut) { #expect(read != message) }
            }
        }
    }

    @Test func `unknown fields are ignored`() throws {
        let message = ClientMessage(correlation: 7, .getStatus)
        let later = try message.encoded() + RawFrame.text(50, "new") + RawFrame.real(51, 1)
        #expect(try ClientMessage(frame: later) == message)
    }

    @Test func `unknown values of replies are read as the fallback`() throws {
        let error = RawFrame.number(1, 999) + RawFrame.text(3, "A new kind of fault.")
        let failed = RawFrame.bytes(13, RawFrame.bytes(3, error))
        let message = try ServerMessage(frame: RawFrame.number(1, 1) + failed)
        guard case .failed(let reply) = message.reply else {
            Issue.record("not failed: \(message)")
            return
        }
        #expect(reply.error.code == .internal)
    }

    @Test func `the correlation of a bad frame is salvaged`() {
        let bad = RawFrame.generate(RawFrame.bytes(1, [0xff]))
        #expect(ClientMessage.salvageCorrelation(bad) == 7)
        #expect(ClientMessage.salvageCorrelation([0xff, 0xff]) == 0)
        #expect(ClientMessage.salvageCorrelation([]) == 0)
    }
}
