// The JSON reader: what it takes, what it refuses.

import Testing

@testable import Tokenizers

@Suite struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONValue {
        var reader = JSONReader(bytes: Array(text.utf8), location: "test")
        return try reader.readDocument()
    }

    @Test(
        arguments: [
            ("null", .null), (" true ", .boolean(true)), ("false", .boolean(false)),
            ("-0", .integer(0)),
            ("42", .integer(42)), ("-7", .integer(-7)), ("1.5e2", .real(150)), ("1E-1", .real(0.1)),
            ("[]", .array([])), ("[1, [2]]", .array([.integer(1), .array([.integer(2)])])),
            (#""a\n\u00e9\ud83d\ude00\/\"""#, .string("a\né😀/\"")), (#""\u0000""#, .string("\0")),
            ("1000000000000000000000", .real(1e21)),
        ] as [(String, JSONValue)])
    func reads(_ text: String, _ expected: JSONValue) throws {
        #expect(try read(text) == expected)
    }

    @Test func keepsOrderAndCompositionOfKeys() throws {
        guard case .object(let object) = try read("{\"é\": 1, \"e\u{301}\": 2, \"a\": null}") else {
            Issue.record("no object")
            return
        }
        #expect(object.members.count == 3)
        #expect(object["e\u{301}"] == .integer(2))
        #expect(object["é"] == .integer(1))
        #expect(object["a"] == .null && object.present("a") == nil && object["b"] == nil)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1",
        "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "\"abc", #""\x""#, #""\u12""#, #""\u12g4""#,
        #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, "01", "-", "1.", ".5", "1e", "+1", "NaN",
        "1e999", "\"a\nb\"", "1 2", "{\"a\":1,\"a\":2}", "[1}", "'a'", "\u{FEFF}1",
    ])
    func refuses(_ text: String) {
        let error = #expect(throws: TokenizerError.self) { try read(text) }
        #expect(error?.code == .malformedFile)
    }

    @Test func refusesDeepNesting() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: TokenizerError.self) { try read(text) }
    }
}
