// The status page's pictures: how they are made of results, and which are kept.
import ImagePipeline
import JobStore
import QueueCore
import Synchronization
import Testing
import WireProtocol

@testable import turbine

@Suite struct ThumbnailTests {
    @Test func aLargeImageIsReducedByAveraging() throws {
        // Two columns of blocks: the left half black and white by turns, the right half red.
        var pixels: [UInt8] = []
        for y in 0..<320 {
            for x in 0..<640 {
                let gray: UInt8 = (x + y) % 2 == 0 ? 255 : 0
                pixels += x < 320 ? [gray, gray, gray] : [255, 0, 0]
            }
        }
        let result = try Results.encoded(pixels, width: 640, height: 320)
        let thumbnail = try Thumbnail(result: result)
        let image = try PNGDecoder().decode(thumbnail.png)
        #expect(image.width == 160 && image.height == 80)
        #expect(image.pixels.prefix(3) == [128, 128, 128])
        #expect(image.pixels.suffix(3) == [255, 0, 0])
        #expect(thumbnail.png.count < 20_000)
    }

    @Test(arguments: [(1, 1), (160, 3), (161, 160), (500, 1), (3, 499)])
    func anySizeFits(width: Int, height: Int) throws {
        let pixels = [UInt8](repeating: 77, count: width * height * 3)
        let result = try Results.encoded(pixels, width: width, height: height)
        let image = try PNGDecoder().decode(try Thumbnail(result: result).png)
        #expect(max(image.width, image.height) == min(160, max(width, height)))
        #expect(image.pixels.allSatisfy { $0 == 77 } && min(image.width, image.height) >= 1)
    }

    @Test func metadataTellsThePromptAndStaysOutOfThePicture() throws {
        let text = [PNGText(key: "parameters", value: "a red fox\nSteps: 8, Seed: 5, Size: 4x4")]
        let pixels = [UInt8](repeating: 9, count: 48)
        let result = try Results.encoded(pixels, width: 4, height: 4, text: text)
        let thumbnail = try Thumbnail(result: result)
        #expect(thumbnail.details.prompt == "a red fox" && thumbnail.details.seed == 5)
        #expect(thumbnail.details.width == 4 && thumbnail.details.height == 4)
        #expect(try PNGDecoder().decode(thumbnail.png).text.isEmpty)
    }

    @Test func whatHoldsNoImageIsRefused() throws {
        let failed = ServerMessage(.failed(JobFailed(error: ServiceError(code: .internal))))
        for bytes in [
            [], [1, 2, 3], try failed.encoded(), try Results.encoded(png: [0x89, 0x50]),
        ] {
            #expect(throws: (any Error).self) { try Thumbnail(result: bytes) }
        }
    }
}

@Suite struct ThumbnailShelfTests {
    /// A snapshot that lists completed jobs, each with the handle of its own number.
    private func snapshot(_ jobs: ClosedRange<UInt64>) throws -> QueueSnapshot {
        try Results.snapshot(completed: jobs)
    }

    @Test func aPictureIsMadeOnceAndKeptWhileItsJobIsListed() async throws {
        let reads = Mutex<[UInt64]>([])
        let result = try Results.encoded([UInt8](repeating: 1, count: 12), width: 2, height: 2)
        let shelf = ThumbnailShelf { handle in
            reads.withLock { $0.append(handle.number) }
            return result
        }
        let first = try snapshot(1...3)
        let pictures = await withTaskGroup(of: [UInt8]?.self) { group in
            for _ in 0..<20 {
                group.addTask { await shelf.picture(of: JobID(number: 1), in: first) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(pictures.count == 20 && pictures.allSatisfy { $0 != nil && $0 == pictures[0] })
        #expect(reads.withLock { $0 } == [1])
        #expect(shelf.details(of: JobID(number: 1))?.width == 2)
        let next = try snapshot(2...4)
        #expect(await shelf.picture(of: JobID(number: 1), in: next) == nil, "listed no more")
        #expect(await shelf.picture(of: JobID(number: 2), in: next) != nil)
        #expect(await shelf.picture(of: JobID(number: 9), in: next) == nil, "never listed")
        #expect(shelf.count == 1 && reads.withLock { $0 } == [1, 2])
    }

    @Test func aResultThatCannotBeReadNowMayBeLater() async throws {
        let tries = Atomic<Int>(0)
        let result = try Results.encoded([UInt8](repeating: 1, count: 12), width: 2, height: 2)
        let shelf = ThumbnailShelf { _ in
            guard tries.add(1, ordering: .relaxed).newValue > 1 else { throw ReadFailure() }
            return result
        }
        let listed = try snapshot(1...1)
        #expect(await shelf.picture(of: JobID(number: 1), in: listed) == nil)
        #expect(await shelf.picture(of: JobID(number: 1), in: listed) != nil)
    }

    @Test func whatIsNoImageIsNotTriedAgain() async throws {
        let tries = Atomic<Int>(0)
        let shelf = ThumbnailShelf { _ in
            tries.add(1, ordering: .relaxed)
            return [1, 2, 3]
        }
        let listed = try snapshot(1...1)
        for _ in 0..<3 { #expect(await shelf.picture(of: JobID(number: 1), in: listed) == nil) }
        #expect(tries.load(ordering: .relaxed) == 1)
    }

    private struct ReadFailure: Error {}
}
