// The page for people: what it shows, and that it escapes.
import Testing

@testable import QueueCore
@testable import StatusHTTP

@Suite struct StatusPageTests {
    private func page(_ source: StatusSource = SampleStatus.source()) throws -> String {
        let configuration = try StatusConfiguration(address: "0")
        let document = StatusDocument(source, configuration: configuration)
        return StatusPage(document: document, nonce: "n0nce").html
    }

    @Test func whatPeopleWriteIsEscaped() throws {
        let html = try page()
        #expect(!html.contains("<script>document.title"))
        #expect(!html.contains("<img src=x"))
        #expect(!html.contains("<i>north</i>") && !html.contains("<b>use</b>"))
        #expect(!html.contains("worker \"3\"\\<b>"))
        #expect(html.contains("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;"))
        #expect(html.components(separatedBy: "<script").count == 2)
    }

    @Test func controlAndDirectionCharactersAreReplaced() {
        #expect(HTMLText.escape("a\u{0}b\u{202e}c\u{1b}d\u{2066}") == "a�b�c�d�")
        #expect(HTMLText.escape("<'\">&") == "&lt;&#39;&quot;&gt;&amp;")
        #expect(HTMLText.escape("abcdef", limit: 3) == "abc…")
    }

    @Test func nothingIsLoadedFromElsewhere() throws {
        let html = try page()
        // The icon's name space is a name, not a place.
        let places = html.replacing("http://www.w3.org/2000/svg", with: "")
        #expect(!places.contains("http://") && !places.contains("https://"))
        #expect(!html.contains(" style=") && !html.contains(" onclick="))
    }

    @Test func thePolicyAllowsOnlyItsOwnScript() throws {
        let configuration = try StatusConfiguration(address: "0")
        let document = StatusDocument(SampleStatus.source(), configuration: configuration)
        let policy = StatusPage(document: document, nonce: "n0nce").securityPolicy
        #expect(policy.contains("script-src 'nonce-n0nce';") && !policy.contains("unsafe"))
    }

    @Test func whatAnOperatorHasToDecideIsSaid() throws {
        let html = try page()
        #expect(html.contains("took down workers: 3; the last, worker-2, fell silent"))
        #expect(html.contains("turbine quarantine release 29"))
        #expect(html.contains("2 lost since the start"))
        let calm = try page(
            SampleStatus.source {
                $0.quarantinedJobs = []
                $0.quarantined = 0
                $0.counters.workersLost = 0
            })
        #expect(!calm.contains("Quarantined") && !calm.contains("lost since"))
    }

    @Test func aJobWithoutNamesHasNone() throws {
        let html = try page(
            SampleStatus.source {
                $0.endedJobs = [$0.endedJobs[0]]
                $0.endedJobs[0].client = ClientID(name: "")
            })
        #expect(html.contains("512×512 · 2 images · 3 s"))
    }

    @Test func longListsAreCutAndCounted() throws {
        let html = try page(
            SampleStatus.source { queue in
                let job = queue.waitingJobs[0]
                queue.waitingJobs = (UInt64(100)..<200).map { number in
                    var job = job
                    job.id = JobID(number: number)
                    return job
                }
            })
        #expect(html.contains("id=\"job-119\"") && !html.contains("id=\"job-120\""))
        #expect(html.contains("… and 103 more"))
    }

    @Test func everyStateOfTheBrokerIsSaid() throws {
        #expect(try page().contains("In service"))
        let closed = try page(SampleStatus.source { $0.isJournalAvailable = false })
        #expect(closed.contains("The journal cannot be written"))
        let stale = SampleStatus.source(silence: .seconds(20))
        #expect(try page(stale).contains("stands still"))
        let alone = try page(SampleStatus.source { $0.workers = [] })
        #expect(alone.contains("no worker is ready") && alone.contains("None is connected"))
    }

    @Test(arguments: [
        (0.0042, "4.2 ms"), (0.5, "0.5 s"), (59.6, "60 s"), (150, "2.5 min"), (7200, "2 h"),
        (259_200, "3 d"), (.infinity, "– d"),
    ])
    func spans(seconds: Double, text: String) { #expect(HTMLText.span(seconds) == text) }

    @Test func sizesAndNumbers() {
        #expect(HTMLText.bytes(0) == "0 B" && HTMLText.bytes(1536) == "1.5 KiB")
        #expect(HTMLText.bytes(3_221_225_472) == "3 GiB")
        #expect(HTMLText.grouped(1_234_567) == "1\u{202f}234\u{202f}567")
        #expect(HTMLText.grouped(999) == "999" && HTMLText.grouped(0) == "0")
    }
}
