// SHA-256 against the published test vectors (FIPS 180-4, NIST CAVP).
import Testing

@testable import ImagePipeline

@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func vectors(_ text: String, _ digest: String) {
        var hash = SHA256()
        hash.update(text.utf8)
        #expect(hash.finalize() == digest)
    }

    @Test func aMillionLettersInUnevenPieces() {
        var hash = SHA256()
        var rest = 1_000_000
        var piece = 1
        while rest > 0 {
            let count = min(piece, rest)
            hash.update([UInt8](repeating: 97, count: count))
            rest -= count
            piece = piece * 3 % 1013
        }
        #expect(
            hash.finalize() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test(arguments: 50...70) func lengthsAroundABlock(_ length: Int) {
        var whole = SHA256()
        var bytewise = SHA256()
        let bytes = (0..<length).map { UInt8($0) }
        whole.update(bytes)
        for byte in bytes { bytewise.update([byte]) }
        #expect(whole.finalize() == bytewise.finalize())
    }
}
