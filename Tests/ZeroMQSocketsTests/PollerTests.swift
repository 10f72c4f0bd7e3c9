// The poller waits as long as it is told, and wakes for sockets and other threads.

import Foundation
import Testing

@testable import ZeroMQSockets

@Suite struct PollerTests {
    @Test func `another thread ends the wait`() throws {
        let waker = try Waker()
        var poller = Poller()
        let entry = poller.add(waker)
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.05)
            waker.wake()
        }
        #expect(try poller.wait(milliseconds: 5000))
        #expect(poller.readiness(of: entry) == .readable)
        waker.clear()
        #expect(try !poller.wait(milliseconds: 0))
        #expect(poller.readiness(of: entry) == [])
    }

    @Test func `wake-ups before the wait count, and do not pile up`() throws {
        let waker = try Waker()
        var poller = Poller()
        _ = poller.add(waker)
        for _ in 0..<1000 { waker.wake() }
        #expect(try poller.wait(milliseconds: 0))
        waker.clear()
        #expect(try !poller.wait(milliseconds: 0))
    }

    @Test func `the wait is over in time`() throws {
        let waker = try Waker()
        var poller = Poller()
        _ = poller.add(waker)
        let started = ContinuousClock.now
        #expect(try !poller.wait(milliseconds: 50))
        #expect(ContinuousClock.now - started >= .milliseconds(49))
    }

    @Test func `interest can be changed`() throws {
        let loopback = try Loopback()
        let client = try loopback.client(.dealer)
        #expect(try client.send([bytes("hello")]) == .sent)
        _ = try loopback.receive()
        var poller = Poller()
        let entry = poller.add(client, for: .writable)
        #expect(try poller.wait(milliseconds: 1000))
        #expect(poller.readiness(of: entry) == .writable)
        poller.setInterest(.readable, of: entry)
        #expect(try !poller.wait(milliseconds: 20))
    }
}
