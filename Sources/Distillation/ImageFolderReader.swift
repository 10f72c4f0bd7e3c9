// metadata.jsonl → entries, images and masks, with everything that is wrong gathered on the way.
import Foundation
import ImagePipeline

/// Reads a data set once.
struct ImageFolderReader {
    let folder: String
    let limits: ImageFolder.Limits
    var problems = ProblemList()
    private(set) var entries: [ImageFolderEntry] = []
    private(set) var pictures: [ImageFolder.Picture] = []
    /// The size of all images: the one asked for, or the first image's.
    private(set) var size: ImageFolder.Size?
    /// The file that set the size; nil if the caller did.
    private var sizeSource: String?
    private var lineOfFile: [String: Int] = [:]
    private var byteCount = 0

    static let fileName = "metadata.jsonl"

    init(folder: String, size: ImageFolder.Size?, limits: ImageFolder.Limits) {
        self.folder = folder
        self.size = size
        self.limits = limits
    }

    mutating func read() throws(DataSetError) {
        let file = JSONLinesFile(
            path: "\(folder)/\(Self.fileName)", name: Self.fileName,
            missingRemedy: "name a folder with images and a metadata.jsonl in the imagefolder "
                + "convention ('make dataset' builds one)",
            problems: &problems)
        if file.lines.isEmpty, problems.isEmpty {
            problems.add(Self.fileName, nil, "has no line", "write one line an image")
        }
        let decoder = JSONDecoder()
        for line in file.lines where !problems.isFull {
            do {
                let fields = try decoder.decode(MetadataLine.self, from: line.bytes)
                readEntry(fields, line.number)
            } catch let error as DecodingError {
                add(line.number, error.problem.what, error.problem.remedy)
            } catch {
                add(line.number, "cannot be read (\(error))", "write one JSON object a line")
            }
        }
        try problems.check(folder: folder)
    }

    private mutating func add(_ line: Int, _ what: String, _ remedy: String) {
        problems.add(Self.fileName, line, what, remedy)
    }

    private mutating func readEntry(_ fields: MetadataLine, _ line: Int) {
        let before = problems.problems.count
        checkPath(fields.fileName, "file_name", line)
        if let mask = fields.mask { checkPath(mask, "mask", line) }
        if let first = lineOfFile.updateValue(line, forKey: fields.fileName) {
            add(
                line, "\(quote(fields.fileName)) stands on line \(first) already",
                "give an image one line, and further captions in \"texts\"")
        }
        let split = readSplit(fields.split, line)
        let captions = CaptionList(fields, line: line, problems: &problems)
        guard problems.problems.count == before else { return }
        guard let picture = readPicture(fields, line) else { return }
        pictures.append(picture)
        entries.append(
            ImageFolderEntry(
                fileName: fields.fileName, maskFileName: fields.mask, text: captions.main,
                captions: captions.captions, concept: fields.concept ?? fields.fileName,
                split: split, group: fields.group, subgroup: fields.subgroup, line: line))
    }

    private mutating func checkPath(_ path: String, _ field: String, _ line: Int) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !path.hasPrefix("/"), !parts.contains(".."), !path.utf8.contains(0)
        else {
            add(
                line, "\"\(field)\" is \(quote(path))",
                "name a file within the data set's folder, relative to it")
            return
        }
    }

    private mutating func readSplit(_ name: String?, _ line: Int) -> DataSplit {
        guard let name else { return .train }
        if let split = DataSplit(rawValue: name) { return split }
        let known = DataSplit.allCases.map(\.rawValue).joined(separator: ", ")
        add(line, "the split \(quote(name)) is not known", "use one of \(known), or leave it out")
        return .train
    }

    private func quote(_ text: String) -> String { GenerationError.quote(text) }
}

// MARK: Pixels

extension ImageFolderReader {
    private mutating func readPicture(_ fields: MetadataLine, _ line: Int) -> ImageFolder.Picture? {
        guard let image = decode(fields.fileName, line) else { return nil }
        let own = ImageFolder.Size(width: image.width, height: image.height)
        let wanted = size ?? own
        guard own == wanted else {
            let source = sizeSource.map { "\($0) has" } ?? "the training asks for"
            add(
                line, "\(fields.fileName) is \(own), but \(source) \(wanted)",
                "bring all images to one size: mogrify -resize '\(wanted)!' IMAGE")
            return nil
        }
        if size == nil { (size, sizeSource) = (own, fields.fileName) }
        byteCount += own.pixelCount * 4
        guard byteCount <= limits.byteCount else {
            problems.add(
                Self.fileName, line, "the images take more than \(limits.byteCount >> 20) MiB",
                "use fewer or smaller images")
            return nil
        }
        var picture = ImageFolder.Picture(image)
        if let mask = fields.mask {
            guard let decoded = decode(mask, line) else { return nil }
            guard (decoded.width, decoded.height) == (own.width, own.height) else {
                add(
                    line,
                    "the mask \(mask) is \(decoded.width)x\(decoded.height), its image \(own)",
                    "give the mask the size of its image")
                return nil
            }
            picture.mask = stride(from: 0, to: decoded.pixels.count, by: 4).map {
                decoded.pixels[$0]
            }
        }
        return picture
    }

    private mutating func decode(_ name: String, _ line: Int) -> DecodedImage? {
        let path = "\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else {
            add(line, "\(name) is missing", "add the file or delete the line")
            return nil
        }
        let decoder = PNGDecoder(alpha: .keep, pixelLimit: limits.pixelCount)
        do {
            return try decoder.decode(file: path)
        } catch let error as GenerationError {
            let suffix = (name as NSString).pathExtension.lowercased()
            let isOther = ["jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"].contains(suffix)
            add(
                line, "\(name): \(error.what)",
                isOther ? "convert the images to PNG; no other format is read" : error.remedy)
        } catch {
            add(line, "\(name): \(error)", "check the file")
        }
        return nil
    }
}
