// Reads the files of a tokenizer folder whole, within a size that such files never reach.

import Foundation

/// A file of a tokenizer folder, read into memory.
struct TokenizerFile {
    /// No tokenizer file is larger (the largest published ones are under 40 MB).
    static let maximumByteCount = 256 << 20

    /// The path, for messages.
    let path: String
    /// The content: valid UTF-8.
    let bytes: [UInt8]

    /// Reads `name` in `directory`; nil if there is no such file.
    ///
    /// - Throws: if the file is no regular file, too large, unreadable or not valid UTF-8.
    init?(
        named name: String, in directory: URL, maximumByteCount: Int = Self.maximumByteCount
    ) throws(TokenizerError) {
        let url = directory.appendingPathComponent(name).resolvingSymlinksInPath()
        path = directory.appendingPathComponent(name).path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: url.path) else {
            return nil
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular,
            let byteCount = attributes[.size] as? Int
        else {
            throw Self.unreadable("this is not a regular file", at: path)
        }
        guard byteCount <= maximumByteCount else {
            throw TokenizerError(
                code: .fileTooLarge,
                what: "the file has \(byteCount) bytes, more than the \(maximumByteCount) allowed",
                location: path, remedy: "check that this is a tokenizer file")
        }
        let content: Data
        do {
            content = try Data(contentsOf: url)
        } catch {
            throw Self.unreadable("the file cannot be read", at: path)
        }
        bytes = [UInt8](content)
        guard Self.isValidUTF8(bytes) else {
            throw .malformed("the file is not valid UTF-8", in: path)
        }
    }

    /// A file whose content is given.
    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// Reads a file that must be there.
    static func required(
        _ name: String, in directory: URL
    ) throws(TokenizerError) -> TokenizerFile {
        guard let file = try TokenizerFile(named: name, in: directory) else {
            throw TokenizerError(
                code: .missingFile, what: "the file is not there",
                location: directory.appendingPathComponent(name).path,
                remedy: "give a folder with tokenizer.json, or with vocab.json and merges.txt")
        }
        return file
    }

    /// Reads a file that must be a JSON object; nil if there is no such file.
    static func object(
        _ name: String, in directory: URL
    ) throws(TokenizerError) -> JSONObject? {
        guard let file = try TokenizerFile(named: name, in: directory) else { return nil }
        var reader = JSONReader(bytes: file.bytes, location: file.path)
        let value = try reader.readDocument()
        guard case .object(let object) = value else {
            throw .malformed("the file is not a JSON object", in: file.path)
        }
        return object
    }

    private static func isValidUTF8(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }

    private static func unreadable(_ what: String, at path: String) -> TokenizerError {
        TokenizerError(
            code: .unreadableFile, what: what, location: path,
            remedy: "check the path and its permissions")
    }
}
