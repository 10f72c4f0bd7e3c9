// How good a model is: caption retrieval, distance to a teacher, reconstruction, time.
import Autodiff
import Checkpoints
import Foundation
import ImagePipeline
import TensorCore
import ZImageModel

/// How a model is sampled.
public struct SamplingPlan: Sendable, Equatable, Codable {
    public var steps: Int
    public var guidance: Float

    public init(steps: Int, guidance: Float) {
        self.steps = steps
        self.guidance = guidance
    }

    /// Runs of the transformer an image.
    public var evaluationCount: Int { guidance > 0 ? 2 * steps : steps }
}

/// The figures of one evaluation, as written to `evaluation.json`.
public struct EvaluationReport: Sendable, Codable, Equatable {
    public struct Retrieval: Sendable, Codable, Equatable {
        public var captions: Int
        public var topOne: Double
        public var topFive: Double
    }

    public struct Distance: Sendable, Codable, Equatable {
        public var images: Int
        /// dB between the model's and the teacher's image from the same noise and caption.
        public var peakSignalToNoise: Double
        /// Mean squared distance of their descriptors.
        public var descriptorDistance: Double
    }

    public var model: String
    public var data: String
    public var plan: SamplingPlan
    public var seed: UInt64
    /// Concepts whose captions were tried; retrieval is among all images of the data set.
    public var concepts: Int
    public var searched: Int
    public var english: Retrieval
    public var chinese: Retrieval?
    /// Captions that training never saw, where an image of them exists.
    public var combinations: Retrieval?
    public var chineseCombinations: Retrieval?
    public var teacher: Distance?
    public var teacherPlan: SamplingPlan?
    /// dB over the images that the autoencoder's training left out.
    public var reconstruction: Double?
    public var evaluationsAnImage: Int
    public var secondsAnImage: Double
    public var threads: Int
}

/// Evaluates a checkpoint on a data set.
public final class Evaluation {
    private let folder: String
    private let data: ImageFolder
    private let team: ComputeTeam
    private let context: DenoiserContext
    private let model: Denoiser

    /// - Parameters:
    ///   - folder: a complete checkpoint
    ///   - groups: groups or subgroups of the data set whose captions are tried; empty for all
    public init(
        folder: String, data: ImageFolder, groups: [String], team: ComputeTeam
    ) throws {
        self.folder = folder
        self.data = data
        self.team = team
        context = try Self.context(folder, data, groups, team)
        model = try context.denoiser(try Denoiser.copied(from: folder))
    }

    private static func context(
        _ folder: String, _ data: ImageFolder, _ groups: [String], _ team: ComputeTeam
    ) throws -> DenoiserContext {
        _ = try ZImageCheckpoint(folder: folder)
        func configuration(_ name: String) throws -> Configuration {
            try Configuration(path: "\(folder)/\(name)")
        }
        return try DenoiserContext(
            data: data, base: folder, text: configuration("text_encoder/config.json"),
            transformer: configuration("transformer/config.json"),
            scheduler: configuration("scheduler/scheduler_config.json"), groups: groups,
            source: "--group", encodesImages: false, team: team)
    }

    /// What is drawn beside the report.
    public struct Result {
        public let report: EvaluationReport
        /// Pairs: the data set's image and the model's.
        public let sheet: ContactSheet
        /// Captions that training never saw: the image if there is one, and what the model makes
        /// of the English and the Chinese caption; nil if the data set has none.
        public let combinations: ContactSheet?
    }

    /// Draws every caption once and looks for the picture in the data set.
    ///
    /// - Parameters:
    ///   - limit: concepts at most, spread over the data set
    ///   - seed: of the first caption's noise; the second's is one more, and so on
    ///   - teacher: a checkpoint and how it is sampled, for the distance
    ///   - comparedLimit: images at most that are compared with the teacher's
    ///   - onImage: told how many images of how many are done
    public func run(
        _ plan: SamplingPlan, seed: UInt64, limit: Int,
        teacher: (folder: String, plan: SamplingPlan)? = nil, comparedLimit: Int = .max,
        onImage: (Int, Int) -> Void = { _, _ in }
    ) throws -> Result {
        let places = spread(context.places, limit)
        let retrieval = CaptionRetrieval(data: data)
        let unseen = try Combination.read(from: data.path)
        let unseenChinese = unseen.filter { $0.chineseText != nil }
        let chinese = places.compactMap { place in
            data.entries[place].mainCaption(language: "zh").map { (place, $0) }
        }
        let total = places.count + chinese.count + unseen.count + unseenChinese.count
        var done = 0
        var seconds = 0.0
        func draw(_ captions: [String]) throws -> [Tensor] {
            let start = ContinuousClock.now
            let seeds = captions.indices.map { seed &+ UInt64($0) }
            let images = try images(model, context, captions, plan, seeds) {
                onImage(done + $0, total)
            }
            done += captions.count
            seconds += (ContinuousClock.now - start) / .seconds(1)
            return images
        }
        let english = try draw(places.map { data.entries[$0].text })
        var sheet = ContactSheet(size: data.size, columns: 16)
        for index in spread(Array(places.indices), 128) {
            let place = places[index]
            sheet.add(image: data.image(at: place), caption: data.entries[place].text)
            sheet.add(image: english[index], caption: "drawn")
        }
        let englishScore = score(
            zip(places.map { data.entries[$0].concept }, english), retrieval)
        let chineseImages = try draw(chinese.map { $0.1 })
        let chineseScore = score(
            zip(chinese.map { data.entries[$0.0].concept }, chineseImages), retrieval)
        let unseenImages = try draw(unseen.map(\.text))
        let unseenChineseImages = try draw(unseenChinese.compactMap(\.chineseText))
        func scoreOfKnown(
            _ captions: [Combination], _ images: [Tensor]
        ) -> EvaluationReport.Retrieval? {
            let known = zip(captions, images).compactMap { caption, image in
                caption.concept.map { ($0, image) }
            }
            return known.isEmpty ? nil : score(known, retrieval)
        }
        let distance = try teacher.map {
            try self.distance(
                spread(Array(english.indices), comparedLimit).map {
                    (english[$0], places[$0], seed &+ UInt64($0))
                }, to: $0.folder, $0.plan)
        }
        let report = EvaluationReport(
            model: URL(fileURLWithPath: folder).lastPathComponent,
            data: URL(fileURLWithPath: data.path).lastPathComponent, plan: plan, seed: seed,
            concepts: Set(places.map { data.entries[$0].concept }).count,
            searched: retrieval.count, english: englishScore,
            chinese: chinese.isEmpty ? nil : chineseScore,
            combinations: scoreOfKnown(unseen, unseenImages),
            chineseCombinations: scoreOfKnown(unseenChinese, unseenChineseImages),
            teacher: distance,
            teacherPlan: teacher?.plan, reconstruction: try reconstruction(),
            evaluationsAnImage: plan.evaluationCount, secondsAnImage: seconds / Double(total),
            threads: team.threadCount)
        return Result(
            report: report, sheet: sheet,
            combinations: combinationSheet(
                unseen, unseenImages,
                chinese: zip(unseenChinese, unseenChineseImages).map { ($0.text, $1) }))
    }

    /// Three pictures for each caption that training never saw; white where there is none.
    private func combinationSheet(
        _ captions: [Combination], _ images: [Tensor], chinese: [(text: String, image: Tensor)]
    ) -> ContactSheet? {
        guard !captions.isEmpty else { return nil }
        var sheet = ContactSheet(size: data.size, columns: 9)
        let blank = [UInt8](repeating: 255, count: 3 * data.size.width * data.size.height)
        for (caption, image) in zip(captions, images) {
            let place = data.entries.firstIndex { $0.fileName == caption.fileName }
            sheet.add(bytes: place.map(data.bytes(at:)) ?? blank, caption: caption.text)
            sheet.add(image: image, caption: "drawn")
            if let other = chinese.first(where: { $0.text == caption.text }) {
                sheet.add(image: other.image, caption: caption.chineseText ?? "")
            } else {
                sheet.add(bytes: blank, caption: "")
            }
        }
        return sheet
    }

    /// Up to `limit` of all, evenly spread.
    private func spread(_ all: [Int], _ limit: Int) -> [Int] {
        guard all.count > limit else { return all }
        return (0..<limit).map { all[$0 * all.count / limit] }
    }

    /// Images in portions, so that progress can be told.
    private func images(
        _ model: Denoiser, _ context: DenoiserContext, _ captions: [String],
        _ plan: SamplingPlan, _ seeds: [UInt64], _ onImage: (Int) -> Void
    ) throws -> [Tensor] {
        var images: [Tensor] = []
        for start in stride(from: 0, to: captions.count, by: 32) {
            let part = start..<min(start + 32, captions.count)
            images += try context.images(
                model, Array(captions[part]), steps: plan.steps, guidance: plan.guidance,
                seeds: Array(seeds[part]), team: team)
            onImage(images.count)
        }
        return images
    }

    private func score(
        _ drawn: some Sequence<(String, Tensor)>, _ retrieval: CaptionRetrieval
    ) -> EvaluationReport.Retrieval {
        let drawn = Array(drawn)
        var ranks = [Int](repeating: .max, count: drawn.count)
        ranks.withUnsafeMutableBufferPointer { ranks in
            let base = ranks.baseAddress!
            team.run(drawn.count) { index, _ in
                let descriptor = ImageDescriptor(image: drawn[index].1)
                base[index] = retrieval.rank(of: drawn[index].0, for: descriptor) ?? .max
            }
        }
        var score = RetrievalScore()
        for rank in ranks { score.add(rank: rank) }
        return EvaluationReport.Retrieval(
            captions: score.count, topOne: score.topOne, topFive: score.topFive)
    }

    private func distance(
        _ drawn: [(image: Tensor, place: Int, seed: UInt64)], to teacher: String,
        _ plan: SamplingPlan
    ) throws -> EvaluationReport.Distance {
        let other = try Self.context(teacher, data, [], team)
        guard other.latents.shape == context.latents.shape else {
            throw TrainingError(
                .mismatchedModels,
                "has latents \(other.latents.shape), the model \(context.latents.shape)",
                at: teacher, remedy: "name the teacher that the model was distilled from")
        }
        let theirs = try self.images(
            other.denoiser(try Denoiser.copied(from: teacher)), other,
            drawn.map { data.entries[$0.place].text }, plan, drawn.map(\.seed)
        ) { _ in }
        var (noise, descriptors) = (0.0, 0.0)
        for ((mine, _, _), their) in zip(drawn, theirs) {
            let clamped = Tensor(their.elements.map { max(-1, min(1, $0)) }, shape: their.shape)
            noise += peakSignalToNoise(mine, clamped)
            descriptors += Double(
                ImageDescriptor(image: mine).squaredDistance(to: ImageDescriptor(image: their)))
        }
        let count = Double(drawn.count)
        return EvaluationReport.Distance(
            images: drawn.count, peakSignalToNoise: noise / count,
            descriptorDistance: descriptors / count)
    }

    /// dB of the autoencoder on the images it was not trained on; nil if there are none.
    private func reconstruction() throws -> Double? {
        let places = data.indices(in: [.heldOut])
        guard !places.isEmpty else { return nil }
        let images = try reconstructions(context.autoencoder, data, places, team: team)
        let sum = zip(images, places).reduce(0.0) {
            $0 + peakSignalToNoise($1.0, data.image(at: $1.1))
        }
        return sum / Double(places.count)
    }
}

/// Images through both halves of an autoencoder, without noise.
func reconstructions(
    _ model: Autoencoder, _ data: ImageFolder, _ places: [Int], team: ComputeTeam
) throws -> [Tensor] {
    let channels = model.configuration.latentChannels
    return try team.map(places.count) { index, operations in
        let moments = try model.encode(data.image(at: places[index]), operations: operations)
        return try model.decode(moments.rows(0..<channels), operations: operations)
    }
}
