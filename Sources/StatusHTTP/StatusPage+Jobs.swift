// The page's lists of jobs.

extension StatusPage {
    /// Rows of the waiting jobs that the page shows of those in the document, ...
    private static let waitingRows = 20
    /// ... and cards of those that ended.
    private static let recentCards = 48

    /// The jobs that an operator has to decide on, each with what it did.
    var quarantined: String {
        guard !document.quarantined.isEmpty else { return "" }
        func decision(on job: StatusDocument.Job) -> String {
            "<code>turbine quarantine release \(job.id)</code> or <code>discard \(job.id)</code>"
        }
        let rows = document.quarantined.map { job in
            """
            <li id="job-\(job.id)"><div class="line">\(Self.title(of: job))\
            <span class="badge failed">quarantined</span></div>
            <p class="message">\(HTMLText.escape(job.message ?? "", limit: 200))</p>
            \(Self.meta(of: job, decision(on: job)))</li>
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
                \(Self.meta(
                    of: job, "step \(job.step) of \(job.steps)",
                    "on \(HTMLText.escape(job.worker ?? "?", limit: 60))"))</li>
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
                \(Self.meta(
                    of: job, "\(job.priority) priority",
                    "waiting for \(HTMLText.span(max(document.at - job.acceptedAt, 0)))"))</li>
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
            let message = job.message.map {
                "<p class=\"message\">\(HTMLText.escape($0, limit: 160))</p>"
            }
            return """
                <li id="job-\(job.id)" class="card"><div class="picture">\(picture)</div>
                <div class="body">\(Self.title(of: job))<span class="badge \(kind)">\
                \(Self.words(job.state))</span>\
                \(Self.meta(of: job, took.map { HTMLText.span(max($0, 0)) }))\
                \(message ?? "")</div></li>
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
        let isEmpty = job.prompt?.allSatisfy(\.isWhitespace) ?? false
        let text = isEmpty ? "no prompt" : HTMLText.escape(job.prompt ?? job.request, limit: 200)
        return "<b class=\"title\" title=\"\(text)\"><span class=\"number\">#\(job.id)</span> "
            + "<bdi\(isEmpty ? " class=\"soft\"" : "")>\(text)</bdi></b>"
    }

    private static func facts(of job: StatusDocument.Job) -> [String] {
        var facts: [String] = []
        if let width = job.width, let height = job.height { facts.append("\(width)×\(height)") }
        if job.images > 1 { facts.append("\(job.images) images") }
        if !job.client.isEmpty {
            facts.append("<bdi>\(HTMLText.escape(job.client, limit: 40))</bdi>")
        }
        return facts
    }

    /// A job's line of small print: its size, how many images, whose it is, and what else is given.
    private static func meta(of job: StatusDocument.Job, _ others: String?...) -> String {
        let attempts = job.attempts > 1 ? "\(job.attempts) attempts" : nil
        let facts = facts(of: job) + (others + [attempts]).compactMap(\.self)
        return "<div class=\"meta\">\(facts.joined(separator: " · "))</div>"
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
