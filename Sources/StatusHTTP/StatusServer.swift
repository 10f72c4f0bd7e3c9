// Serves the status pages over HTTP/1.1, beside the broker's loop and without touching it.
import Dispatch
import Hummingbird
import Synchronization

/// An HTTP server for the status of one broker.
///
/// Every answer is made from what `source` gives at that moment; `source` is called from the
/// server's own threads and must not block for long.
public final class StatusServer: Sendable {
    private let configuration: StatusConfiguration
    private let responder: StatusResponder
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Makes a server; `start` binds it.
    public init(
        configuration: StatusConfiguration, source: @escaping @Sendable () async -> StatusSource
    ) {
        self.configuration = configuration
        responder = StatusResponder(configuration: configuration, source: source)
    }

    deinit { task.withLock { $0?.cancel() } }

    /// Binds and serves until `stop`.
    /// - Returns: The port, which is of interest where the configuration has 0.
    /// - Throws: `StatusHTTPError` if the address cannot be bound.
    @discardableResult
    public func start() async throws -> Int {
        let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
        let application = makeApplication { continuation.yield($0) }
        let serving = Task {
            do {
                try await application.run()
                continuation.finish()
            } catch { continuation.finish(throwing: error) }
        }
        task.withLock { $0 = serving }
        var reason = "the server ended at once"
        do {
            for try await port in ports { return port }
        } catch { reason = "\(error)" }
        throw StatusHTTPError(
            code: .bindFailed, what: "\(configuration.display) cannot be bound (\(reason))",
            location: "address", remedy: "choose a free port and an address of this machine")
    }

    /// Stops serving, closes all connections, and returns when that is done.
    public func stop() async {
        let serving = task.withLock { task in
            defer { task = nil }
            return task
        }
        serving?.cancel()
        await serving?.value
    }

    /// As `start`, for a thread that belongs to no task, such as a program's main thread.
    @discardableResult
    public func startAndWait() throws -> Int {
        let outcome = Mutex<Result<Int, any Error>?>(nil)
        Self.wait {
            do {
                let port = try await self.start()
                outcome.withLock { $0 = .success(port) }
            } catch { outcome.withLock { $0 = .failure(error) } }
        }
        guard let result = outcome.withLock({ $0 }) else { return configuration.port }
        return try result.get()
    }

    /// As `stop`, for a thread that belongs to no task.
    public func stopAndWait() { Self.wait { await self.stop() } }

    private static func wait(for operation: @escaping @Sendable () async -> Void) {
        let done = DispatchSemaphore(value: 0)
        Task {
            await operation()
            done.signal()
        }
        done.wait()
    }

    private func makeApplication(onPort: @escaping @Sendable (Int) -> Void)
        -> Application<CallbackResponder<BasicRequestContext>>
    {
        let (configuration, responder) = (configuration, responder)
        var application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in
                await responder.respond(to: request)
            },
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(configuration.idleSeconds),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: configuration.headerBytes,
                        maxHeaderListSize: configuration.headerBytes, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port)),
            onServerRunning: { channel in onPort(channel.localAddress?.port ?? configuration.port) }
        )
        application.logger.logLevel = .critical
        application.configuration.availableConnectionsDelegate = .maximum(
            configuration.connections, logger: application.logger)
        return application
    }
}
