// CURVE keys (http://curvezmq.org): 32 bytes, written as 40 characters of Z85.

import CZeroMQ

/// A key that may be given to anyone.
public struct CurvePublicKey: Sendable, Hashable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Reads 40 characters of Z85.
    public init(z85: String) throws(ZeroMQError) {
        bytes = try Z85.decode(z85)
    }

    init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// 40 characters.
    public var z85: String { Z85.encode(bytes) }
    public var description: String { z85 }
}

/// A key to keep. It is never printed.
public struct CurveSecretKey: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Reads 40 characters of Z85.
    public init(z85: String) throws(ZeroMQError) {
        bytes = try Z85.decode(z85)
    }

    /// 40 characters, for a key file.
    public var z85: String { Z85.encode(bytes) }
    public var description: String { "(secret key)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// The public key that belongs to it.
    public func publicKey() throws(ZeroMQError) -> CurvePublicKey {
        var text = [CChar](repeating: 0, count: 41)
        guard zmq_curve_public(&text, z85) == 0 else { throw Z85.noCurve }
        return try CurvePublicKey(z85: Z85.text(text))
    }
}

/// Both keys of one party.
public struct CurveKeyPair: Sendable, Equatable {
    public let publicKey: CurvePublicKey
    public let secretKey: CurveSecretKey

    /// A new pair from the system's random source.
    public static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: 41)
        var secretText = [CChar](repeating: 0, count: 41)
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else { throw Z85.noCurve }
        return CurveKeyPair(
            publicKey: try CurvePublicKey(z85: Z85.text(publicText)),
            secretKey: try CurveSecretKey(z85: Z85.text(secretText)))
    }

    /// The pair of a secret key.
    public init(secretKey: CurveSecretKey) throws(ZeroMQError) {
        self.init(publicKey: try secretKey.publicKey(), secretKey: secretKey)
    }

    private init(publicKey: CurvePublicKey, secretKey: CurveSecretKey) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }
}

/// Z85 (https://rfc.zeromq.org/spec/32/) of 32-byte keys.
enum Z85 {
    private static let alphabet = Set(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8
    )

    static let noCurve = ZeroMQError(
        .unsupported, "libzmq was built without CURVE", location: "key",
        remedy: "install a libzmq with libsodium")

    static func decode(_ text: String) throws(ZeroMQError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard text.utf8.count == 40, text.utf8.allSatisfy(alphabet.contains),
            zmq_z85_decode(&bytes, text) != nil
        else {
            throw ZeroMQError(
                .invalidKey, "a key has 40 characters of Z85", location: "key",
                remedy: "copy the whole key from its file")
        }
        return bytes
    }

    static func encode(_ bytes: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: bytes.count / 4 * 5 + 1)
        zmq_z85_encode(&buffer, bytes, bytes.count)
        return text(buffer)
    }

    static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
