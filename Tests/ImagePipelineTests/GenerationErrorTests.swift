// Errors are one clear line, whatever text of others they quote.

import ImagePipeline
import Testing

@Suite struct GenerationErrorTests {
    @Test func theDescriptionIsOneSentence() {
        let error = GenerationError(
            code: .invalidArgument, field: "width", what: "is 100", remedy: "use a multiple of 16")
        #expect("\(error)" == "width: is 100; use a multiple of 16")
        let bare = GenerationError(code: .cancelled, field: "", what: "stopped")
        #expect("\(bare)" == "stopped")
    }

    @Test func textOfOthersStaysOnItsLine() {
        let error = GenerationError(
            code: .unreadableFile, field: "a\nb\u{1B}[31m", what: "gone\0")
        #expect("\(error)" == "a\\u{a}b\\u{1b}[31m: gone\\u{0}")
        #expect(GenerationError.quote("a\"b\r\n") == "\"a\"b\\u{d}\\u{a}\"")
        #expect(GenerationError.quote("abcdef", limit: 3) == "\"abc…\"")
        #expect(GenerationError.quote("abc", limit: 3) == "\"abc\"")
    }

    @Test func codesAreStable() {
        #expect(GenerationError.Code.unwritableOutput.rawValue == "unwritable_output")
        #expect(Set(GenerationError.Code.allCases.map(\.rawValue)).count == 15)
        #expect(GenerationError.Code.unknownPreset.isCallerFault)
        #expect(!GenerationError.Code.internalError.isCallerFault)
    }
}
