// How bad input is answered, whatever is bad about it.
import Foundation
import TestSupport
import Testing

/// Expects one clear line on standard error, nothing on standard output, and a failure that is no
/// crash.
/// - Parameters:
///   - fragments: what the line has to say: the place, the fault, the remedy
///   - folder: a folder in which nothing may have appeared
func expectRefusal(
    _ outcome: Turbine.Outcome, _ fragments: [String], in folder: TemporaryFolder? = nil,
    keeping entries: [String] = [], _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let code = outcome.exitCode
    #expect(code != nil && code != 0, comment, sourceLocation: sourceLocation)
    #expect(outcome.output == "", comment, sourceLocation: sourceLocation)
    let errors = outcome.errors
    #expect(errors.hasPrefix("turbine: "), comment, sourceLocation: sourceLocation)
    let lineCount = errors.filter(\.isNewline).count
    #expect(lineCount == 1 && errors.hasSuffix("\n"), comment, sourceLocation: sourceLocation)
    #expect(errors.count < 1_100, comment, sourceLocation: sourceLocation)
    for fragment in fragments {
        #expect(errors.contains(fragment), comment, sourceLocation: sourceLocation)
    }
    if let folder { #expect(try folder.entries == entries, sourceLocation: sourceLocation) }
}
