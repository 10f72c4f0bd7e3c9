// The JSON of `/status`: a stable format of its own, independent of the queue's inner types.
//
// Times are seconds since the Unix epoch, spans are seconds, sizes are bytes; fields without a
// value are left out. Fields may be added; those that exist keep their names and meanings.

/// What `/status` answers, and what the page shows.
public struct StatusDocument: Equatable, Sendable, Codable {
    /// The format's version: 1.
    public var formatVersion = 1
    /// When the queue looked like this.
    public var at: Double
    /// The broker.
    public var broker: Broker
    /// Numbers of jobs.
    public var jobs: JobCounts
    /// All workers, in order of connection.
    public var workers: [Worker]
    /// Jobs with a worker; the list is cut.
    public var running: [Job]
    /// The next jobs; the list is cut.
    public var waiting: [Job]
    /// Jobs that an operator has to decide on; the list is cut.
    public var quarantined: [Job]
    /// The latest endings, newest first; the list is cut.
    public var recent: [Job]

    /// The broker's process and stores.
    public struct Broker: Equatable, Sendable, Codable {
        /// The program's version.
        public var version: String
        /// Time since the start.
        public var uptimeSeconds: Double
        /// Whether the journal can be written and the loop turns: what `/readyz` says.
        public var isReady: Bool
        /// Whether the journal can be written.
        public var isJournalAvailable: Bool
        /// The mean duration of the journal's transactions, once there was one.
        public var journalCommitSeconds: Double?
        /// Messages not delivered or not understood.
        public var droppedMessages: UInt64
        /// Workers that fell silent since the start.
        public var workersLost: UInt64
        /// Resident memory of the process.
        public var residentBytes: Int64?
        /// Outcomes kept.
        public var results: Int
        /// Their size.
        public var resultBytes: Int64
    }

    /// Numbers of jobs.
    public struct JobCounts: Equatable, Sendable, Codable {
        /// Jobs in the line.
        public var waiting: Int
        /// The same by priority: high, normal, low.
        public var waitingByPriority: [String: Int]
        /// Jobs that pause after an error.
        public var parked: Int
        /// Jobs with a worker.
        public var running: Int
        /// Jobs that an operator has to look at.
        public var quarantined: Int
        /// Jobs accepted since the start.
        public var accepted: UInt64
        /// Jobs ended since the start, by outcome.
        public var ended: [String: UInt64]
        /// Submissions refused since the start, by code; codes without one are left out.
        public var refused: [String: UInt64]
        /// How long the oldest waiting job has waited; left out if none waits.
        public var oldestWaitSeconds: Double?
        /// How long the workers need for all that waits; left out where nothing was measured.
        public var backlogSeconds: Double?
    }

    /// A worker.
    public struct Worker: Equatable, Sendable, Codable {
        /// Its name.
        public var name: String
        /// One of `WorkerState`.
        public var state: WorkerState
        /// Time since its last heartbeat.
        public var silenceSeconds: Double
        /// Resident memory.
        public var residentBytes: Int64
        /// Denoising steps of a 512x512 image that it makes in a second, once measured.
        public var stepsPerSecond: Double?
        /// Jobs it computes at once.
        public var slots: Int
        /// Ids of the jobs it has.
        public var jobs: [UInt64]
        /// Jobs it completed.
        public var finishedJobs: Int
        /// Hashes of its models.
        public var models: [String]
        /// Its numerics class.
        public var numericsClass: String
    }

    /// What a worker is up to.
    public enum WorkerState: String, CaseIterable, Sendable, Codable {
        /// Loads its model or tries it.
        case starting
        /// Takes jobs.
        case ready
        /// Takes none for a while, after errors.
        case paused
        /// Finishes what it has and leaves.
        case draining
    }

    /// A job.
    public struct Job: Equatable, Sendable, Codable {
        /// Its number.
        public var id: UInt64
        /// Its owner.
        public var client: String
        /// The owner's name for it.
        public var request: String
        /// What it is to show, where known and not withheld.
        public var prompt: String?
        /// Pixels of one image.
        public var pixels: Int
        /// Width of an image, where known.
        public var width: Int?
        /// Height of an image, where known.
        public var height: Int?
        /// The first image's seed, if the client chose one.
        public var seed: UInt64?
        /// How many images.
        public var images: Int
        /// Finished steps of `steps`, all images together.
        public var step: Int
        /// Steps of all images together.
        public var steps: Int
        /// high, normal or low.
        public var priority: String
        /// waiting, running, quarantined, expired, or the outcome.
        public var state: String
        /// The sentence about a failure or a quarantine.
        public var message: String?
        /// The worker that has or had it.
        public var worker: String?
        /// Assignments so far.
        public var attempts: UInt32
        /// When it was accepted.
        public var acceptedAt: Double
        /// When it last started.
        public var startedAt: Double?
        /// When it ended.
        public var endedAt: Double?
        /// Jobs before it.
        public var place: Int?
        /// Why no connected worker could take it.
        public var hold: String?
        /// Expected start.
        public var estimatedStartAt: Double?
        /// Expected end.
        public var estimatedEndAt: Double?
        /// Where its thumbnail is, if it completed.
        public var thumbnail: String?
    }
}
