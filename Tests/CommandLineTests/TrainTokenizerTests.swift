// `turbine train tokenizer`: a data set in, a tokenizer folder that `turbine tokenize` takes out.
import Foundation
import TestSupport
import Testing

@Suite struct TrainTokenizerTests {
    /// Two images that the box model makes, with captions.
    private func makeData(_ folder: TemporaryFolder) throws {
        for name in ["a", "b"] {
            let outcome = try Turbine.generate(
                ["--prompt", name, "--output", folder.file("\(name).png")], folder: folder.path)
            try #require(outcome.succeeded, "\(outcome.errors)")
        }
        try folder.write(
            """
            {"file_name": "a.png", "text": "red heart, red rose"}
            {"file_name": "b.png", "text": "红心红心"}

            """, to: "metadata.jsonl")
    }

    @Test func trainsAFolderThatTokenizes() throws {
        let folder = try TemporaryFolder()
        try makeData(folder)
        let arguments = [
            "train", "tokenizer", "--data", folder.path, "--vocabulary", "264", "--output",
        ]
        for name in ["first", "second"] {
            let outcome = try Turbine.run(arguments + [folder.file(name)])
            #expect(outcome.succeeded, "\(outcome.errors)")
            #expect(outcome.output.contains("264 tokens from 2 captions"))
        }
        let files = ["chat_template.jinja", "tokenizer.json", "tokenizer_config.json"]
        for file in files {
            #expect(try folder.data("first/\(file)") == folder.data("second/\(file)"))
        }
        let made = try FileManager.default.contentsOfDirectory(atPath: folder.file("first"))
        #expect(made.sorted() == files)
        let outcome = try Turbine.run(
            ["tokenize", folder.file("first")], input: Data("\"red<|im_end|>\"\n".utf8))
        let ids = try JSONDecoder().decode([Int].self, from: Data(outcome.output.utf8))
        #expect(ids.last == 263 && ids.count < 4)
    }

    @Test func refusesWhatItCannotUse() throws {
        let folder = try TemporaryFolder()
        let arguments = ["train", "tokenizer", "--output", folder.file("out"), "--data"]
        try expectRefusal(
            Turbine.run(arguments + [folder.path]), ["metadata.jsonl: is missing", "make dataset"],
            in: folder)
        try folder.write(#"{"file_name": "no.png", "text": "x"}"#, to: "metadata.jsonl")
        try expectRefusal(
            Turbine.run(arguments + [folder.path]),
            ["metadata.jsonl, line 1: no.png is missing; add the file"], in: folder,
            keeping: ["metadata.jsonl"])
        try makeData(folder)
        let outcome = try Turbine.run(arguments + [folder.path, "--vocabulary", "3"])
        try expectRefusal(outcome, ["a size of 3 is out of range", "ask for 259"])
        #expect(!folder.exists("out"))
    }
}
