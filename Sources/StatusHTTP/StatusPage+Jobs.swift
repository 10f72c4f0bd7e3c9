// The page's lists of jobs.

extension StatusPage {
    /// Rows of the waiting jobs that the page shows of those in the document, ...
    private static let waitingRows = 20
    /// ... and cards of those that ended.
    private static let recentCards = 48

    /// The jobs that an operator has to decide on, each with what it did.
    var quarantined: String {
        guard !document.quarantined.isEmpty else { return "" }
        let rows = document.quarantined.map { job in
            """
            <li id="job-\(job.id)"><div class="line">\(Self.title(of: job))\
            <span class="badge failed">quarantined</span></div>
            <p class="message">\(HTMLText.escape(job.message ?? "", limit: 200))</p>
            <div class="meta">\(facts(of: job))\(attempts(of: job)) ·
            <code>turbine quarantine release \(job.id)</code> or <code>discard \(job.id)</code>\
            </div></li>
            """
        }
        let rest = document.jobs.quarantined - document.quarantined.count
        return """
            <section><h2>Quarantined</h2><ol class="jobs">\(rows.joined(separator: "\n"))</ol>\
            \(Self.more(rest))</section>
            """
    }

    /// The jobs with a worker, each with its progress.
    var running: String {
        guard !document.running.isEmpty else { return "" }
        let rows = document.running.map { job in
            let end = job.estimatedEndAt.map { max($0 - document.at, 0) }
            let left = end.map { "about \(HTMLText.span($0)) left" } ?? "no estimate yet"
            return """
                <li id="job-\(job.id)"><div class="line">\(Self.title(of: job))\
                <span class="note">\(left)</span></div>
                <progress value="\(job.step)" max="\(max(job.steps, 1))"></progress>
                <div class="meta">\(facts(of: job)) · step \(job.step) of \(job.steps) · on \
                \(HTMLText.escape(job.worker ?? "?", limit: 60))\(attempts(of: job))</div></li>
                """
        }
        return """
            <section><h2>Running</h2><ol class="jobs">\(rows.joined(separator: "\n"))</ol>\
            </section>
            """
    }

    /// The next jobs.
    var waiting: String {
        guard !document.waiting.isEmpty else { return "" }
        let rows = document.waiting.prefix(Self.waitingRows).map { job in
            let note =
                job.hold.map { "held: \(Self.words($0))" }
                ?? job.estimatedStartAt.map {
                    "starts in about \(HTMLText.span(max($0 - document.at, 0)))"
                } ?? "no estimate yet"
            return """
                <li id="job-\(job.id)"><div class="line">\(Self.title(of: job))\
                <span class="note">\(note)</span></div>
                <div class="meta">\(facts(of: job)) · \(job.priority) priority · waiting for \
                \(HTMLText.span(max(document.at - job.acceptedAt, 0)))\
                \(attempts(of: job))</div></li>
                """
        }
        return """
            <section><h2>Waiting</h2><ol class="jobs">\(rows.joined(separator: "\n"))</ol>\
            \(Self.more(document.jobs.waiting - rows.count))</section>
            """
    }

    /// The latest endings as cards.
    var recent: String {
        guard !document.recent.isEmpty else {
            return """
                <section><h2>Recent</h2><p class="empty">No job has ended yet.</p></section>
                """
        }
        let cards = document.recent.prefix(Self.recentCards).map { job in
            let isGood = job.state == "completed"
            let picture =
                job.thumbnail.map {
                    "<img src=\"\(HTMLText.escape($0))\" alt=\"\" loading=\"lazy\">"
                } ?? "<span>\(Self.words(job.state))</span>"
            let kind = isGood ? "ready" : Self.isHarmless(job.state) ? "paused" : "failed"
            let took = job.startedAt.flatMap { start in job.endedAt.map { $0 - start } }
            let time = took.map { " · \(HTMLText.span(max($0, 0)))" } ?? ""
            let message = job.message.map {
                "<p class=\"message\">\(HTMLText.escape($0, limit: 160))</p>"
            }
            return """
                <li id="job-\(job.id)" class="card"><div class="picture">\(picture)</div>
                <div class="body">\(Self.title(of: job))<span class="badge \(kind)">\
                \(Self.words(job.state))</span><div class="meta">\(facts(of: job))\(time)\
                \(attempts(of: job))</div>\(message ?? "")</div></li>
                """
        }
        return """
            <section><h2>Recent</h2><ol class="cards">\(cards.joined(separator: "\n"))</ol>\
            </section>
            """
    }

    private static func more(_ count: Int) -> String {
        count > 0 ? "<p class=\"empty\">… and \(HTMLText.grouped(count)) more</p>" : ""
    }

    private static func title(of job: StatusDocument.Job) -> String {
        var text = HTMLText.escape(job.request, limit: 60)
        if let prompt = job.prompt {
            let isEmpty = prompt.allSatisfy(\.isWhitespace)
            text = isEmpty ? "<i>no prompt</i>" : HTMLText.escape(prompt, limit: 200)
        }
        return "<b class=\"title\"><span class=\"number\">#\(job.id)</span> <bdi>\(text)</bdi></b>"
    }

    private func facts(of job: StatusDocument.Job) -> String {
        var size = "\(HTMLText.decimal(Double(job.pixels) / 1e6)) Mpx"
        if let width = job.width, let height = job.height { size = "\(width)×\(height)" }
        if job.images > 1 { size += " · \(job.images) images" }
        return job.client.isEmpty
            ? size : "\(size) · <bdi>\(HTMLText.escape(job.client, limit: 40))</bdi>"
    }

    private func attempts(of job: StatusDocument.Job) -> String {
        job.attempts > 1 ? " · \(job.attempts) attempts" : ""
    }

    /// `cancelledByOwner` as `cancelled by owner`.
    static func words(_ name: String) -> String {
        var words = ""
        for character in name {
            if character.isUppercase { words += " " }
            words += character.lowercased()
        }
        return HTMLText.escape(words)
    }
}
