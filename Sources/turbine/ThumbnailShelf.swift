// The status page's pictures: made when first asked for, one at a time, on a thread of their own
// and beside the broker, and kept as long as the page lists their job.
import Dispatch
import JobStore
import QueueCore
import StatusHTTP
import Synchronization

/// The thumbnails of the jobs that the status page lists: a hundred of at most 75 KiB.
final class ThumbnailShelf: Sendable {
    /// Larger results get no picture.
    static let resultBytes = 64 << 20

    private enum Entry {
        case picture(Thumbnail)
        /// The result holds no sound image; it is not tried again.
        case unusable

        var png: [UInt8]? {
            if case .picture(let thumbnail) = self { thumbnail.png } else { nil }
        }
    }

    private let entries = Mutex<[JobID: Entry]>([:])
    private let queue = DispatchQueue(label: "thumbnails", qos: .utility)
    private let read: @Sendable (BlobHandle) throws -> [UInt8]?

    /// A shelf for the results of a store that a broker has open.
    convenience init(dataFolder: String) {
        let reader = ResultReader(folder: dataFolder)
        self.init { try reader.bytes(of: $0, limit: Self.resultBytes) }
    }

    /// A shelf for results that `read` gives; nil stands for one that is gone.
    init(read: @escaping @Sendable (BlobHandle) throws -> [UInt8]?) { self.read = read }

    /// How many jobs it remembers.
    var count: Int { entries.withLock { $0.count } }

    /// The picture of a job that a snapshot lists as completed; nil for all others.
    func picture(of job: JobID, in snapshot: QueueSnapshot) async -> [UInt8]? {
        let report = snapshot.endedJobs.last { $0.id == job }
        guard case .ended(.completed(let result)) = report?.state.phase else { return nil }
        if let entry = entries.withLock({ $0[job] }) { return entry.png }
        let listed = Set(snapshot.endedJobs.map(\.id))
        return await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: self.make(job, result.blob, listed)?.png)
            }
        }
    }

    /// What a picture's own metadata says of its job, once it was made.
    func details(of job: JobID) -> JobDetails? {
        guard case .picture(let thumbnail) = entries.withLock({ $0[job] }) else { return nil }
        return thumbnail.details
    }

    /// Runs on `queue` only. A store that cannot be read now may be later: that is not remembered.
    private func make(_ job: JobID, _ blob: BlobHandle, _ listed: Set<JobID>) -> Entry? {
        if let entry = entries.withLock({ $0[job] }) { return entry }
        guard let bytes = try? read(blob) else { return nil }
        let entry = (try? Thumbnail(result: bytes)).map { Entry.picture($0) } ?? .unusable
        entries.withLock { entries in
            entries = entries.filter { listed.contains($0.key) }
            entries[job] = entry
        }
        return entry
    }
}
