// What a data set says about one image.

/// A caption and how often training draws it.
public struct ImageCaption: Sendable, Equatable {
    public let text: String
    /// The language's code, `en` or `zh` in the box model's set; nil if the data set does not say.
    public let language: String?
    /// The share of the draws among the image's captions; they sum to 1.
    public let weight: Double
}

/// Which trainings see an image.
public enum DataSplit: String, Sendable, CaseIterable {
    /// Every training.
    case train
    /// The teacher's and the student's, not the autoencoder's: its PSNR is measured on these.
    case heldOut = "heldout"
    /// None: a known thing in an unseen colour or pose, to be generated from its caption alone.
    case combination
}

/// One image of a data set, without its pixels.
public struct ImageFolderEntry: Sendable, Equatable {
    /// The image's path relative to the folder.
    public let fileName: String
    /// The mask's path relative to the folder, if the data set has one.
    public let maskFileName: String?
    /// The main caption.
    public let text: String
    /// All captions; the weights sum to 1.
    public let captions: [ImageCaption]
    /// An id that images share which show the same; the file's name if the data set has none.
    public let concept: String
    public let split: DataSplit
    /// Coarse and fine category, where the data set has them.
    public let group: String?
    public let subgroup: String?
    /// The line of `metadata.jsonl`, from 1.
    public let line: Int

    /// The caption at a place of the weights laid end to end.
    /// - Parameter share: 0 up to, but not including, 1, as a uniform generator draws it.
    public func caption(at share: Double) -> ImageCaption {
        var rest = share
        for caption in captions {
            rest -= caption.weight
            if rest < 0, caption.weight > 0 { return caption }
        }
        // Rounding: the weights may sum to a little less than 1.
        return captions.last { $0.weight > 0 } ?? captions[0]
    }

    /// The caption of the largest weight in a language, the first of equals; nil if there is none.
    public func mainCaption(language: String) -> String? {
        let own = captions.filter { $0.language == language }
        let largest = own.map(\.weight).max()
        return own.first { $0.weight == largest }?.text
    }
}
