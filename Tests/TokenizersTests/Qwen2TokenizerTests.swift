// The tokenizer as a whole: small vocabularies worked out by hand, and the answers of the reference
// that Scripts/make_golden.py wrote down.

import Foundation
import Testing

@testable import Tokenizers

@Suite struct Qwen2TokenizerTests {
    private struct Answer: Decodable {
        let text: String
        let ids: [Int32]
        let decoded: String
        let decodedSkipping: String
    }

    private struct Chat: Decodable {
        let prompt: String
        let ids: [Int32]
    }

    private struct Folder: Decodable {
        let name: String
        let size: Int
        let answers: [Answer]
        let chat: [Int32]
        let files: [String: String]
    }

    private func golden<Value: Decodable>(_ name: String) throws -> [Value] {
        let file = Repository.golden.appendingPathComponent(name)
        return try JSONDecoder().decode([Value].self, from: Data(contentsOf: file))
    }

    private func expect(_ tokenizer: Qwen2Tokenizer, gives answer: Answer, _ name: String) throws {
        let context = Comment(rawValue: "\(name): \(answer.text.debugDescription)")
        #expect(tokenizer.encode(answer.text) == answer.ids, context)
        let decoded = try tokenizer.decode(answer.ids, skippingSpecialTokens: false)
        #expect(decoded.unicodeScalars.elementsEqual(answer.decoded.unicodeScalars), context)
        let skipping = try tokenizer.decode(answer.ids, skippingSpecialTokens: true)
        #expect(
            skipping.unicodeScalars.elementsEqual(answer.decodedSkipping.unicodeScalars), context)
    }

    @Test func mergesByRankThenPlace() throws {
        let folder = try TemporaryFolder(SmallTokenizer.files())
        let tokenizer = try Qwen2Tokenizer(directory: folder.url)
        #expect(tokenizer.encode("abc") == [6])
        #expect(tokenizer.encode("abcbc") == [6, 5])
        #expect(tokenizer.encode(" ab a") == [3, 4, 7])
        #expect(tokenizer.encode("") == [])
        #expect(tokenizer.vocabularySize == 12)
    }

    @Test func leavesOutBytesWithoutToken() throws {
        let folder = try TemporaryFolder(SmallTokenizer.files())
        let tokenizer = try Qwen2Tokenizer(directory: folder.url)
        #expect(tokenizer.encode("axb") == [4])
        #expect(tokenizer.encode("xyz") == [])
    }

    @Test func findsSpecialTokensBeforeNormalizing() throws {
        let folder = try TemporaryFolder(SmallTokenizer.files())
        let tokenizer = try Qwen2Tokenizer(directory: folder.url)
        #expect(tokenizer.encode("a<end>b") == [0, 11, 1])
        // "é" is the bytes C3 A9; the accent after the special token has no letter to join.
        #expect(tokenizer.encode("e\u{301}") == [8, 9])
        #expect(tokenizer.encode("c<end>\u{301}") == [2, 11])
    }

    @Test func decodesWithAndWithoutSpecialTokens() throws {
        let folder = try TemporaryFolder(SmallTokenizer.files())
        let tokenizer = try Qwen2Tokenizer(directory: folder.url)
        #expect(try tokenizer.decode([7, 11, 5], skippingSpecialTokens: false) == " a<end>bc")
        #expect(try tokenizer.decode([7, 11, 5], skippingSpecialTokens: true) == " abc")
        #expect(try tokenizer.decode([8], skippingSpecialTokens: true) == "\u{FFFD}")
        #expect(try tokenizer.decode([], skippingSpecialTokens: true) == "")
    }

    @Test(arguments: [-1, 12, Int32.max])
    func refusesToDecodeUnknownID(_ id: Int32) throws {
        let folder = try TemporaryFolder(SmallTokenizer.files())
        let tokenizer = try Qwen2Tokenizer(directory: folder.url)
        let error = #expect(throws: TokenizerError.self) {
            try tokenizer.decode([0, id], skippingSpecialTokens: false)
        }
        #expect(error?.code == .unknownToken)
        #expect(error?.location == "id 1 of 2")
    }

    @Test func agreesWithReferenceOnCornerCases() throws {
        let tokenizer = try Qwen2Tokenizer(directory: Repository.boxTokenizer)
        let answers: [Answer] = try golden("texts.json")
        #expect(answers.count > 250)
        for answer in answers { try expect(tokenizer, gives: answer, "box") }
        #expect(tokenizer.vocabularySize == 3072)
    }

    @Test func agreesWithReferenceOnChats() throws {
        let tokenizer = try Qwen2Tokenizer(directory: Repository.boxTokenizer)
        let chats: [Chat] = try golden("chats.json")
        #expect(chats.count > 15)
        #expect(chats.contains { $0.prompt.isEmpty })
        #expect(chats.contains { $0.ids.count == 512 })
        for chat in chats {
            let context = Comment(rawValue: chat.prompt.debugDescription)
            #expect(tokenizer.encodeChat(prompt: chat.prompt) == chat.ids, context)
        }
    }

    @Test func cutsChatsToTheGivenLength() throws {
        let tokenizer = try Qwen2Tokenizer(directory: Repository.boxTokenizer)
        let whole = tokenizer.encodeChat(prompt: "a red fox")
        #expect(
            tokenizer.encodeChat(prompt: "a red fox", maximumTokenCount: 3)
                == whole.prefix(3).map { $0 })
        #expect(tokenizer.encodeChat(prompt: "a red fox", maximumTokenCount: 0) == [])
        #expect(tokenizer.encodeChat(prompt: "a red fox", maximumTokenCount: -1) == [])
    }

    @Test func agreesWithReferenceOnEveryKindOfFolder() throws {
        let folders: [Folder] = try golden("folders.json")
        #expect(folders.count > 15)
        for folder in folders {
            let place = try TemporaryFolder(folder.files)
            let tokenizer = try Qwen2Tokenizer(directory: place.url)
            for answer in folder.answers { try expect(tokenizer, gives: answer, folder.name) }
            let name = Comment(rawValue: folder.name)
            #expect(tokenizer.vocabularySize == folder.size, name)
            let prompt = String(repeating: "abcd ", count: 9)
            #expect(
                tokenizer.encodeChat(prompt: prompt, maximumTokenCount: 20) == folder.chat, name)
        }
    }

    @Test func encodesOneMegabyteWithoutSpace() throws {
        let tokenizer = try Qwen2Tokenizer(directory: Repository.boxTokenizer)
        let word = String(repeating: "redfox", count: 170_000)
        let ids = tokenizer.encode(word)
        #expect(try tokenizer.decode(ids, skippingSpecialTokens: false) == word)
        #expect(ids.count < word.utf8.count)
    }
}
