// Configuration files, field by field.
import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct ConfigurationTests {
    private func configuration(_ json: String) throws -> Configuration {
        let path = TemporaryFiles.path("config.json")
        try Data(json.utf8).write(to: URL(fileURLWithPath: path))
        return try Configuration(path: path)
    }

    @Test func fieldsAreRead() throws {
        let c = try configuration(
            #"{"i":3,"f":0.5,"whole":2.0,"b":true,"s":"x","list":[1,2],"none":null}"#)
        #expect(try c.int("i") == 3 && c.int("whole") == 2)
        #expect(try c.float("f", in: 0...1) == 0.5 && c.float("i", in: 0...9) == 3)
        #expect(try c.bool("b") && c.string("s") == "x" && c.ints("list") == [1, 2])
        #expect(try c.int("none", default: 7) == 7 && c.int("missing", default: 8) == 8)
        #expect(c.isAbsent("none") && c.isAbsent("missing") && !c.isAbsent("i"))
        try c.require("s", [.string("x"), .string("y")])
        try c.require("missing", [.string("x")])
    }

    @Test func faultsNameTheField() throws {
        let c = try configuration(#"{"i":"three","big":9999999,"list":[1,"a"],"empty":[],"s":4}"#)
        func expectFault(_ field: String, _ body: () throws -> Void) {
            let error = #expect(throws: CheckpointError.self) { try body() }
            #expect(error?.element == "field \"\(field)\"")
        }
        expectFault("i") { _ = try c.int("i") }
        expectFault("big") { _ = try c.int("big") }
        expectFault("list") { _ = try c.ints("list") }
        expectFault("empty") { _ = try c.ints("empty") }
        expectFault("s") { _ = try c.string("s") }
        expectFault("gone") { _ = try c.bool("gone") }
        expectFault("s") { try c.require("s", [.integer(5)]) }
    }

    @Test(arguments: ["", "{", "[1]", "3", #"{"a":}"#, String(repeating: "[", count: 100_000)])
    func brokenFilesAreRefused(_ json: String) {
        let error = #expect(throws: CheckpointError.self) { try configuration(json) }
        #expect(error?.code == .malformedFile)
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: CheckpointError.self) {
            try Configuration(path: "/nowhere/config.json")
        }
        #expect(error?.code == .missingFile && error?.file == "/nowhere/config.json")
    }
}
