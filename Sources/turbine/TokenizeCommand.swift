// `turbine tokenize`: text to token ids, line by line.
import ArgumentParser
import Foundation
import ImagePipeline
import Tokenizers

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Read JSON strings, one a line, and write their token ids as JSON arrays.")

    @Argument(help: "A checkpoint folder, or its tokenizer folder.")
    var model: String
    @Flag(help: "Put each text into the chat template as a prompt, cut to 512 ids.")
    var chat = false

    func run() throws {
        let nested = "\(model)/tokenizer"
        let folder = FileManager.default.fileExists(atPath: nested) ? nested : model
        let tokenizer = try Qwen2Tokenizer(directory: URL(fileURLWithPath: folder))
        let decoder = JSONDecoder()
        for (index, line) in StandardInputLines().enumerated() {
            let text = try Self.text(line, index + 1, decoder)
            let ids = chat ? tokenizer.encodeChat(prompt: text) : tokenizer.encode(text)
            try StandardOutput.write("[" + ids.map(String.init).joined(separator: ",") + "]")
        }
    }

    private static func text(_ line: [UInt8], _ number: Int, _ decoder: JSONDecoder) throws
        -> String
    {
        func invalid(_ what: String, _ remedy: String) -> GenerationError {
            GenerationError(
                code: .invalidArgument, field: "standard input, line \(number)", what: what,
                remedy: remedy)
        }
        guard String(validating: line, as: UTF8.self) != nil else {
            throw invalid("is not valid UTF-8", "pass text in UTF-8")
        }
        guard let text = try? decoder.decode(String.self, from: Data(line)) else {
            throw invalid("is not a JSON string", "write each text as a JSON string on one line")
        }
        return text
    }
}
