// The captions of one line of metadata.jsonl, checked and with weights that sum to 1.
import ImagePipeline

struct CaptionList {
    /// The main caption.
    let main: String
    let captions: [ImageCaption]

    /// The most bytes of UTF-8 a caption may have: far more than a model's 512 tokens show.
    static let captionByteLimit = 8192
    /// The most captions an image may have.
    static let captionLimit = 1000

    init(_ fields: MetadataLine, line: Int, problems: inout ProblemList) {
        func add(_ what: String, _ remedy: String) {
            problems.add(ImageFolderReader.fileName, line, what, remedy)
        }
        func check(_ text: String, _ field: String) {
            if text.utf8.count > Self.captionByteLimit {
                add(
                    "\"\(field)\" has \(text.utf8.count) bytes",
                    "keep captions below \(Self.captionByteLimit)")
            } else if text.allSatisfy(\.isWhitespace) {
                add("\"\(field)\" is empty", "write a caption or delete the line")
            }
        }
        let given = fields.texts ?? []
        main = fields.text ?? given.first?.text ?? ""
        if fields.text == nil, given.isEmpty {
            add("has no \"text\"", "add the caption")
        }
        if let text = fields.text { check(text, "text") }
        if given.count > Self.captionLimit {
            add("has \(given.count) captions", "keep to \(Self.captionLimit)")
        }
        for (index, caption) in given.prefix(Self.captionLimit).enumerated() {
            check(caption.text, "texts[\(index)]")
        }
        let weights = given.map { $0.weight ?? 1 }
        let total = weights.reduce(0, +)
        guard !given.isEmpty else {
            captions = [ImageCaption(text: main, language: nil, weight: 1)]
            return
        }
        if !weights.allSatisfy({ $0.isFinite && $0 >= 0 }) || !total.isFinite || total <= 0 {
            add(
                "the weights of \"texts\" are not usable",
                "use numbers from 0 on, at least one above 0")
        }
        captions = zip(given, weights).map {
            ImageCaption(text: $0.text, language: $0.language, weight: $1 / total)
        }
    }
}
