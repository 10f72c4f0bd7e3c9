// The Python that tests use, and what they run with it.
import Foundation

/// Python with the packages of `scripts/requirements-test.txt` and of `Clients/python`, which
/// `make test` names in TURBINE_TEST_PYTHON.
public enum TestPython {
    public static let path = ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"]

    /// Whether there is one.
    public static var isThere: Bool { path != nil }

    public struct Missing: Error, CustomStringConvertible {
        public let description = "TURBINE_TEST_PYTHON names no Python; run make test"
    }

    /// Starts it.
    public static func start(
        _ arguments: [String], folder: String = "/", environment: [String: String] = [:]
    ) throws -> Running {
        guard let path else { throw Missing() }
        var environment = environment
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["PYTHONUNBUFFERED"] = "1"
        return try Running(path, arguments, folder: folder, environment: environment)
    }
}
