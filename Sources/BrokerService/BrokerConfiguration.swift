// Everything that an operator can choose, in one value.

import QueueCore
import WireProtocol
import ZeroMQSockets

/// A broker's configuration.
public struct BrokerConfiguration: Sendable {
    /// How connections are secured.
    public enum Security: Sendable, Equatable {
        /// In plain text; everyone may do everything. On loopback only.
        case loopbackOnly
        /// The same on any address: for a network in which everyone is trusted.
        case insecure
        /// CURVE; the folder holds the public keys that are let in.
        case curve(CurveSecretKey, authorizedKeys: String)
    }

    /// What comes of fields that a request leaves open, as far as costs depend on it.
    public struct Shape: Sendable, Equatable {
        /// Pixels.
        public var width: UInt32
        /// Pixels.
        public var height: UInt32
        /// Denoising steps an image.
        public var steps: UInt32
        /// Images a job.
        public var images: UInt32

        /// Describes the size and steps of images.
        public init(width: UInt32, height: UInt32, steps: UInt32, images: UInt32 = 1) {
            self.width = width
            self.height = height
            self.steps = steps
            self.images = images
        }
    }

    /// The folder of the journal; it is made if its parent exists.
    public var dataFolder: String
    /// Where clients connect; a port of `*` is any free one.
    public var clientEndpoint = "tcp://127.0.0.1:5570"
    /// Where workers connect.
    public var workerEndpoint = "tcp://127.0.0.1:5571"
    /// See `Security`.
    public var security = Security.loopbackOnly
    /// The largest requests.
    public var requestLimits = RequestLimits()
    /// The queue's bounds and periods.
    public var queueLimits = QueueLimits()
    /// The largest the journal may grow; nil: as the file system allows.
    public var maximumStoreBytes: Int64?
    /// Assumed of requests that leave these open and name no known preset, until a worker has told
    /// what it makes of them.
    public var defaultShape = Shape(width: 1024, height: 1024, steps: 8)
    /// Presets known by name: the workers' own.
    public var presetShapes: [String: Shape] = [:]
    /// Workers send a heartbeat this often.
    public var heartbeatMilliseconds: UInt32 = 1000
    /// Silent intervals after which a worker is lost.
    public var missedHeartbeatsAllowed: UInt32 = 3
    /// Messages taken in by one turn of the loop from each socket.
    public var messagesPerTurn = 1024
    /// Replies that wait for a slow client, ...
    public var repliesPerPeer = 10_000
    /// ... and their bytes.
    public var replyBytesPerPeer = 4 << 20
    /// Bytes of results that the library holds for a slow client; one result always goes.
    public var resultBytesInFlightPerPeer = 32 << 20
    /// Threads of the library that move bytes.
    public var ioThreads: Int32 = 1
    /// The program's version, for status replies.
    public var version = "development"

    /// The defaults, with a folder for the journal.
    public init(dataFolder: String) { self.dataFolder = dataFolder }

    /// The queue's limits as the other settings imply them.
    var effectiveQueueLimits: QueueLimits {
        var limits = queueLimits
        let largest = UInt64(limits.pixelTiers.last ?? limits.pixels)
        limits.pixels = Int(min(requestLimits.maximumPixels, largest))
        limits.steps = Int(requestLimits.maximumSteps)
        limits.images = min(Int(requestLimits.maximumImageCount), WireLimits.images)
        limits.nameBytes = WireLimits.nameBytes
        limits.payloadBytesPerJob = WireLimits.clientFrame.bytes
        limits.workerSilence = .milliseconds(
            Int64(heartbeatMilliseconds) * Int64(missedHeartbeatsAllowed))
        limits.workers = min(limits.workers, WireLimits.workers)
        return limits
    }

    /// Throws where others could reach an endpoint that has no keys.
    func checkEndpoints() throws(BrokerError) {
        guard security == .loopbackOnly else { return }
        for endpoint in [clientEndpoint, workerEndpoint] where !Self.isLocal(endpoint) {
            throw BrokerError(
                .insecureEndpoint, "it can be reached from outside and there are no keys",
                at: endpoint,
                remedy: "make keys with turbine keygen, bind to 127.0.0.1, or say --insecure")
        }
    }

    static func isLocal(_ endpoint: String) -> Bool {
        if endpoint.hasPrefix("ipc://") || endpoint.hasPrefix("inproc://") { return true }
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else {
            return false
        }
        let host = endpoint[..<colon].dropFirst("tcp://".count)
        if host == "localhost" || host == "[::1]" || host == "lo" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
