// `turbine tokenize`: JSON strings in, JSON arrays of ids out.
import Foundation
import TestSupport
import Testing

@Suite struct TokenizeTests {
    private func tokenize(_ input: String, _ options: [String] = []) throws -> Turbine.Outcome {
        try Turbine.run(["tokenize", Turbine.boxModel] + options, input: Data(input.utf8))
    }

    @Test(arguments: GoldenData.checkpoints) func writesTheReferencesIDs(checkpoint: String) throws
    {
        let cases = try JSONSerialization.jsonObject(
            with: Data(
                contentsOf: URL(
                    fileURLWithPath: Repository.path("Tests/Golden/\(checkpoint)/golden/cases.json")
                )))
        let document = try #require(cases as? [String: Any])
        for (key, field, options) in [("tokens", "text", []), ("text", "prompt", ["--chat"])] {
            let entries = try #require(document[key] as? [[String: Any]])
            #expect(!entries.isEmpty)
            let lines = try entries.map { entry in
                String(
                    decoding: try JSONSerialization.data(
                        withJSONObject: entry[field] as? String ?? "",
                        options: .fragmentsAllowed), as: UTF8.self)
            }
            let outcome = try Turbine.run(
                ["tokenize", Repository.path("Tests/Golden/\(checkpoint)")] + options,
                input: Data(lines.joined(separator: "\n").utf8))
            #expect(outcome.succeeded)
            let expected = entries.map { entry in
                "[" + (entry["ids"] as? [Int] ?? []).map(String.init).joined(separator: ",") + "]"
            }
            #expect(outcome.outputLines == expected)
        }
    }

    @Test func takesTheTokenizersFolderToo() throws {
        let outcome = try Turbine.run(
            ["tokenize", "\(Turbine.boxModel)/tokenizer"], input: Data("\"cat\"".utf8))
        #expect(try outcome.output == tokenize("\"cat\"").output)
        #expect(outcome.output.hasPrefix("["))
    }

    @Test func linesMayEndInManyWays() throws {
        let ids = try tokenize("\"cat\"").output
        #expect(try tokenize("\"cat\"\n").output == ids)
        #expect(try tokenize("\"cat\"\r\n \"cat\" \n").output == ids + ids)
        #expect(try tokenize("").output == "")
        #expect(try tokenize("").succeeded)
        #expect(try tokenize("\"\"").output == "[]\n")
        // An escaped NUL is a character like any other.
        #expect(try tokenize("\"a\\u0000b\"").succeeded)
    }

    @Test func aMegabyteOnALine() throws {
        let outcome = try tokenize("\"" + String(repeating: "cat 猫 ", count: 120_000) + "\"\n")
        #expect(outcome.succeeded)
        #expect(outcome.outputLines.count == 1)
        let chat = try tokenize("\"" + String(repeating: "a", count: 1_000_000) + "\"", ["--chat"])
        #expect(chat.output.filter { $0 == "," }.count == 511)
    }

    @Test(arguments: [
        "cat", "5", "[\"cat\"]", "\"cat", "\"\\ud800\"", "\"\\q\"", "\"tab\there\"", "\"a\u{0}b\"",
        "\"cat\" \"dog\"", "null", "   ",
    ]) func aLineThatIsNoJSONString(line: String) throws {
        try expectRefusal(
            tokenize(line + "\n\"cat\"\n"),
            ["standard input, line 1", "not a JSON string", "as a JSON string on one line"])
    }

    @Test func theLineAtFaultIsNamed() throws {
        let outcome = try tokenize("\"cat\"\n\"dog\"\n\n")
        #expect(outcome.exitCode == 1)
        #expect(outcome.outputLines.count == 2)
        #expect(outcome.errors.contains("line 3"))
    }

    @Test func invalidUTF8IsNotReplaced() throws {
        let input = Data([0x22, 0x61, 0xFF, 0x22, 0x0A])
        try expectRefusal(
            Turbine.run(["tokenize", Turbine.boxModel], input: input),
            ["standard input, line 1", "not valid UTF-8"])
    }
}
