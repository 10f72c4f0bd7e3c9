// Addresses and tokens of the status pages.
import StatusHTTP
import Testing

@Suite struct StatusConfigurationTests {
    @Test(arguments: [
        ("8080", "127.0.0.1", 8080), (":8080", "127.0.0.1", 8080), ("localhost:1", "localhost", 1),
        ("127.0.0.2:0", "127.0.0.2", 0), ("[::1]:65535", "::1", 65_535),
    ])
    func addresses(text: String, host: String, port: Int) throws {
        let configuration = try StatusConfiguration(address: text)
        #expect(configuration.host == host && configuration.port == port)
    }

    @Test(arguments: [
        "", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80",
        "[::1]80", "a b:80", "http://127.0.0.1:80", "127.0.0.1:８０",
    ])
    func noAddresses(text: String) {
        let error = #expect(throws: StatusHTTPError.self) {
            try StatusConfiguration(address: text)
        }
        #expect(error?.code == .invalidAddress)
    }

    @Test func otherMachinesNeedATokenOrLeave() throws {
        for address in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "example.org:80", "127.x.0.1:80"] {
            let error = #expect(throws: StatusHTTPError.self) {
                try StatusConfiguration(address: address)
            }
            #expect(error?.code == .openAddress)
            let token = StatusServerTests.token
            #expect(throws: Never.self) {
                _ = try StatusConfiguration(address: address, token: token)
                _ = try StatusConfiguration(address: address, isInsecure: true)
            }
        }
    }

    @Test(arguments: ["", "short", "0123456789 0123456", "0123456789ä0123456"])
    func badTokens(token: String) {
        let error = #expect(throws: StatusHTTPError.self) {
            try StatusConfiguration(address: "80", token: token)
        }
        #expect(error?.code == .invalidToken)
    }
}
