// Journal entries as statements, prepared once a turn.

import Foundation
import GRDB
import QueueCore

/// What the kinds of entries do to the table of jobs.
struct EntryStatements {
    private let insert: Statement
    private let change: Statement
    private let end: Statement
    private let forget: Statement

    init(_ db: Database) throws {
        insert = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO jobs
                (id, client, request, details, payload, fingerprint, accepted_at, state)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
        change = try db.cachedStatement(sql: "UPDATE jobs SET state = ? WHERE id = ?")
        end = try db.cachedStatement(
            sql: "UPDATE jobs SET state = ?, payload = x'' WHERE id = ?")
        forget = try db.cachedStatement(sql: "DELETE FROM jobs WHERE id = ?")
    }

    func execute(_ entry: JournalEntry) throws {
        switch entry {
        case .accepted(let job):
            insert.setUncheckedArguments([
                Int64(bitPattern: job.id.number), job.client.name, job.submission.request.key,
                Data(job.submission.encodedDetails), Data(job.submission.payload),
                Int64(bitPattern: job.fingerprint), job.acceptedAt.microseconds,
                Data(job.state.encoded),
            ])
            try insert.execute()
        case .changed(let id, let state), .startedOver(let id, let state):
            let statement = state.isOver ? end : change
            statement.setUncheckedArguments([
                Data(state.encoded), Int64(bitPattern: id.number),
            ])
            try statement.execute()
        case .forgotten(let id):
            forget.setUncheckedArguments([Int64(bitPattern: id.number)])
            try forget.execute()
        }
    }
}
