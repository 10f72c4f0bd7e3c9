// `turbine tokenize`: text to token ids, line by line.
import ArgumentParser
import Foundation
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
        var number = 0
        while let line = readLine() {
            number += 1
            guard let text = try? decoder.decode(String.self, from: Data(line.utf8)) else {
                throw ValidationError("Line \(number) is not a JSON string.")
            }
            let ids = chat ? tokenizer.encodeChat(prompt: text) : tokenizer.encode(text)
            print("[" + ids.map(String.init).joined(separator: ",") + "]")
        }
    }
}
