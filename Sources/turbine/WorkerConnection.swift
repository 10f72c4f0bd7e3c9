// How the commands of the service connect: the broker's address and the keys.
import ArgumentParser
import Foundation
import TurbineClient
import ZeroMQSockets

/// The keys with which a program shows who it is.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A folder with broker.key and one NAME.key_secret, the program's own.",
            valueName: "folder"))
    var keys: String?
    @Option(help: ArgumentHelp("The program's own key instead.", valueName: "file.key_secret"))
    var key: String?
    @Option(help: ArgumentHelp("The broker's public key instead.", valueName: "file.key"))
    var brokerKey: String?

    /// Plain text without keys; with keys both have to be there.
    var security: SocketSecurity {
        get throws {
            guard keys != nil || key != nil || brokerKey != nil else { return .none }
            let ownPath = try key ?? keys.map { try Self.ownKey(in: $0) }
            guard let ownPath, let brokerPath = brokerKey ?? keys.map({ "\($0)/broker.key" }) else {
                throw ValidationError("Keys come in twos; give --keys, or --key and --broker-key.")
            }
            guard let secret = try KeyFile(path: ownPath).secretKey else {
                throw ValidationError("\(ownPath) holds no secret key; name a .key_secret file.")
            }
            return .curveClient(
                server: try KeyFile(path: brokerPath).publicKey,
                own: try CurveKeyPair(secretKey: secret))
        }
    }

    private static func ownKey(in folder: String) throws -> String {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let own = names.filter { $0.hasSuffix(".key_secret") && $0 != "broker.key_secret" }.sorted()
        guard own.count == 1 else {
            let found = own.isEmpty ? "none" : own.joined(separator: ", ")
            throw ValidationError(
                "\(folder) should hold one .key_secret file beside the broker's (found: \(found)); "
                    + "name one with --key.")
        }
        return "\(folder)/\(own[0])"
    }
}

/// The broker as clients reach it.
struct ClientConnection: ParsableArguments {
    @Option(help: "The broker's endpoint for clients.")
    var broker = "tcp://127.0.0.1:5570"
    @OptionGroup var keys: KeyOptions
    @Option(help: "Seconds without any answer after which the broker counts as unreachable.")
    var timeout: Double = 30

    func client() throws -> TurbineClient {
        guard timeout > 0, timeout <= 1e6 else {
            throw ValidationError("--timeout is \(timeout); use seconds above 0.")
        }
        return try TurbineClient(
            options: ClientOptions(
                broker: broker, security: keys.security,
                repetition: .seconds(min(10, timeout / 3)), patience: .seconds(timeout)))
    }
}
