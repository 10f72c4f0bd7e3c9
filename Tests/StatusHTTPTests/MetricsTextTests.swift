// The Prometheus text: names, types, escaping, and a reader of its own.
import Foundation
import QueueCore
import Testing

@testable import StatusHTTP

@Suite struct MetricsTextTests {
    private func metrics(_ source: StatusSource = SampleStatus.source()) throws -> ParsedMetrics {
        let configuration = try StatusConfiguration(address: "0")
        return try ParsedMetrics(MetricsText.make(source, configuration: configuration))
    }

    @Test func namesAndTypesAreStable() throws {
        let families = try metrics().families
        let expected = [
            "turbine_build_info": "gauge", "turbine_uptime_seconds": "gauge",
            "turbine_ready": "gauge", "turbine_snapshot_age_seconds": "gauge",
            "turbine_resident_memory_bytes": "gauge", "turbine_journal_available": "gauge",
            "turbine_journal_commit_seconds": "histogram",
            "turbine_journal_file_bytes": "gauge", "turbine_queue_capacity_jobs": "gauge",
            "turbine_messages_dropped_total": "counter", "turbine_jobs_waiting": "gauge",
            "turbine_jobs_parked": "gauge", "turbine_jobs_running": "gauge",
            "turbine_jobs_quarantined": "gauge", "turbine_oldest_wait_seconds": "gauge",
            "turbine_results_stored": "gauge", "turbine_results_stored_bytes": "gauge",
            "turbine_payload_bytes": "gauge", "turbine_watches": "gauge",
            "turbine_backlog_seconds": "gauge", "turbine_jobs_accepted_total": "counter",
            "turbine_jobs_ended_total": "counter", "turbine_submissions_refused_total": "counter",
            "turbine_workers_lost_total": "counter", "turbine_worker_deaths_total": "counter",
            "turbine_jobs_started_over_total": "counter",
            "turbine_job_wait_seconds": "histogram", "turbine_job_run_seconds": "histogram",
            "turbine_workers": "gauge", "turbine_worker_steps_per_second": "gauge",
            "turbine_worker_resident_memory_bytes": "gauge",
            "turbine_worker_silence_seconds": "gauge", "turbine_worker_jobs": "gauge",
            "turbine_worker_jobs_completed_total": "counter",
        ]
        #expect(families == expected)
    }

    @Test func valuesAreTheQueues() throws {
        let samples = try metrics().samples
        #expect(samples["turbine_jobs_waiting{priority=normal}"] == 118)
        #expect(samples["turbine_jobs_running"] == 2)
        #expect(samples["turbine_oldest_wait_seconds"] == 41)
        #expect(samples["turbine_jobs_ended_total{outcome=abandoned}"] == 9)
        #expect(samples["turbine_submissions_refused_total{code=queueFull}"] == 17)
        #expect(samples["turbine_workers{state=draining}"] == 1)
        #expect(samples["turbine_messages_dropped_total{reason=oversized}"] == 2)
        #expect(samples["turbine_job_run_seconds_count"] == 200)
        #expect(samples["turbine_jobs_started_over_total"] == 4)
        #expect(samples["turbine_journal_commit_seconds_bucket{le=0.001}"] == 4)
        let sum = try #require(samples["turbine_job_run_seconds_sum"])
        #expect(abs(sum - 0.04 * 200 * 201 / 2) < 1e-6)
    }

    @Test func labelsAreEscaped() throws {
        let samples = try metrics().samples
        #expect(samples["turbine_worker_jobs{worker=worker \"3\"\\<b>}"] == 0)
        #expect(PrometheusText.escape("a\nb\"c\\", quotes: true) == "a\\nb\\\"c\\\\")
    }

    @Test func histogramsGrowAndAgreeWithTheirCounts() throws {
        let parsed = try metrics()
        for (name, type) in parsed.families where type == "histogram" {
            let buckets = parsed.order.filter { $0.hasPrefix("\(name)_bucket{le=") }
            let bounds = buckets.map { $0.dropFirst("\(name)_bucket{le=".count).dropLast() }
                .map { $0 == "+Inf" ? Double.infinity : Double($0) ?? .nan }
            let counts = buckets.compactMap { parsed.samples[$0] }
            #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "\(name)")
            #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 <= $1 }, "\(name)")
            #expect(bounds.last == .infinity && counts.last == parsed.samples["\(name)_count"])
        }
    }

    @Test func twoConnectionsOfOneNameMakeOneSeries() throws {
        let source = SampleStatus.source { $0.workers.append($0.workers[0]) }
        #expect(try metrics(source).samples["turbine_worker_jobs{worker=worker-1}"] == 1)
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"] != nil,
            "TURBINE_TEST_PYTHON names a Python with prometheus-client"))
    func prometheusClientReadsIt() async throws {
        let python = ProcessInfo.processInfo.environment["TURBINE_TEST_PYTHON"] ?? ""
        let configuration = try StatusConfiguration(address: "0")
        let text = MetricsText.make(SampleStatus.source(), configuration: configuration)
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("turbine-metrics-\(UUID().uuidString)")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [
            "-c",
            """
            import sys
            from prometheus_client.parser import text_string_to_metric_families as parse
            families = list(parse(open(sys.argv[1]).read()))
            seen = [(s.name, tuple(sorted(s.labels.items()))) for f in families for s in f.samples]
            assert len(seen) == len(set(seen)), "duplicate series"
            assert all(f.documentation and f.type != "unknown" for f in families)
            assert len(families) == 34, len(families)
            for f in families:
                if f.type == "histogram":
                    last = [s for s in f.samples if s.name.endswith("_bucket")][-1]
                    count = next(s for s in f.samples if s.name.endswith("_count"))
                    assert last.labels["le"] == "+Inf" and last.value == count.value, f.name
            """, file.path,
        ]
        let code = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        #expect(code == 0)
    }
}
