// The page at `/`: the same document as `/status`, for people.
//
// It is complete without JavaScript; with it, the page fetches itself every two seconds and
// exchanges its main part, so that there is one renderer and one place that escapes.

/// Renders a document as HTML.
struct StatusPage {
    let document: StatusDocument
    /// Allows exactly this page's own style and script; new for each answer.
    let nonce: String

    /// The value of the header `Content-Security-Policy` that goes with the page.
    var securityPolicy: String {
        "default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'nonce-\(nonce)'; "
            + "script-src 'nonce-\(nonce)'; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'"
    }

    /// The whole page.
    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <noscript><meta http-equiv="refresh" content="10"></noscript>
        <link rel="icon" href="\(StatusPageAssets.icon)">
        <title>Turbine: \(document.jobs.running) running, \(document.jobs.waiting) waiting</title>
        <style nonce="\(nonce)">\(StatusPageAssets.style)</style>
        </head>
        <body>
        <main>
        \(header)
        \(tiles)
        \(quarantined)
        \(workers)
        \(running)
        \(recent)
        \(waiting)
        \(footer)
        </main>
        <p id="lost" role="status" hidden>No answer from the broker; trying again …</p>
        <script nonce="\(nonce)">\(StatusPageAssets.script)</script>
        </body>
        </html>

        """
    }

    private var header: String {
        let ready = document.workers.count { $0.state == .ready }
        let (kind, text): (String, String) =
            switch (document.broker.isReady, ready) {
            case (false, _) where !document.broker.isJournalAvailable:
                ("bad", "The journal cannot be written: nothing is accepted")
            case (false, _): ("bad", "The broker's loop stands still")
            case (true, 0): ("warn", "Accepting jobs; no worker is ready")
            default: ("good", "In service")
            }
        return """
            <header><h1>Turbine</h1><p class="state \(kind)">\(text)</p></header>
            """
    }

    private var tiles: String {
        let jobs = document.jobs
        let priorities = ["high", "normal", "low"].compactMap { name in
            jobs.waitingByPriority[name].flatMap {
                $0 > 0 ? "\(HTMLText.grouped($0)) \(name)" : nil
            }
        }
        let failed = jobs.ended.filter { !Self.isHarmless($0.key) }.values.reduce(0, +)
        let completed = jobs.ended["completed"] ?? 0
        let rate = document.workers.compactMap(\.stepsPerSecond).reduce(0, +)
        var tiles = [
            tile("Waiting", HTMLText.grouped(jobs.waiting), priorities.joined(separator: ", ")),
            tile(
                "Oldest wait", jobs.oldestWaitSeconds.map(HTMLText.span) ?? "–",
                jobs.backlogSeconds.map { $0 > 0 ? "all done in about \(HTMLText.span($0))" : "" }
                    ?? "no estimate yet"),
            tile(
                "Running", HTMLText.grouped(jobs.running),
                rate > 0
                    ? "\(HTMLText.decimal(rate)) steps/s at 512²" : ""),
            tile(
                "Completed", HTMLText.grouped(Int(clamping: completed)),
                "since the start, \(HTMLText.span(document.broker.uptimeSeconds)) ago"),
            tile(
                "Failed", HTMLText.grouped(Int(clamping: failed)), "since the start",
                isAlarm: failed > 0),
        ]
        if jobs.quarantined > 0 {
            tiles.append(
                tile(
                    "Quarantined", HTMLText.grouped(jobs.quarantined), "an operator decides",
                    isAlarm: true))
        }
        if jobs.parked > 0 {
            tiles.append(tile("Parked", HTMLText.grouped(jobs.parked), "pausing after an error"))
        }
        return "<section class=\"tiles\">\(tiles.joined())</section>"
    }

    private func tile(_ name: String, _ value: String, _ note: String, isAlarm: Bool = false)
        -> String
    {
        "<div class=\"tile\(isAlarm ? " alarm" : "")\"><h2>\(name)</h2><strong>\(value)</strong>"
            + "<small>\(note)</small></div>"
    }

    /// How many workers fell silent: a worker that is lost is in the table no more.
    private var lost: String {
        let count = document.broker.workersLost
        guard count > 0 else { return "" }
        return " <span class=\"alarm\">\(HTMLText.grouped(Int(clamping: count))) lost since the "
            + "start</span>"
    }

    private var workers: String {
        guard !document.workers.isEmpty else {
            return """
                <section><h2>Workers\(lost)</h2><p class="empty">None is connected. Start one with
                <code>turbine worker --broker …</code>.</p></section>
                """
        }
        let rows = document.workers.map { worker in
            let jobs = worker.jobs.map { "#\($0)" }.joined(separator: ", ")
            let rate = worker.stepsPerSecond.map { "\(HTMLText.decimal($0)) /s" } ?? "–"
            return """
                <tr><td>\(HTMLText.escape(worker.name, limit: 60))</td>\
                <td><span class="badge \(worker.state.rawValue)">\(worker.state.rawValue)</span>\
                </td>\
                <td>\(jobs.isEmpty ? "–" : jobs)</td><td class="n">\(rate)</td>\
                <td class="n">\(HTMLText.bytes(worker.residentBytes))</td>\
                <td class="n">\(HTMLText.grouped(worker.finishedJobs))</td>\
                <td class="n">\(HTMLText.span(worker.silenceSeconds)) ago</td></tr>
                """
        }
        return """
            <section><h2>Workers\(lost)</h2><div class="scroll"><table><thead><tr><th>Name<th>State\
            <th>Jobs\
            <th class="n">Steps<th class="n">Memory<th class="n">Done<th class="n">Heard</tr>\
            </thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></section>
            """
    }

    private var footer: String {
        let broker = document.broker
        var facts = ["version \(HTMLText.escape(broker.version))"]
        if let seconds = broker.journalCommitSeconds {
            facts.append("journal \(HTMLText.span(seconds)) a commit")
        }
        facts.append("\(HTMLText.bytes(broker.resultBytes)) of results kept")
        if broker.droppedMessages > 0 {
            facts.append("\(broker.droppedMessages) messages dropped")
        }
        return """
            <footer>\(facts.joined(separator: " · ")) · <a href="/status">JSON</a> · \
            <a href="/metrics">metrics</a></footer>
            """
    }

    /// Endings that nobody has to look at.
    static func isHarmless(_ outcome: String) -> Bool {
        ["completed", "cancelledByOwner", "cancelledByAdmin", "abandoned"].contains(outcome)
    }
}
