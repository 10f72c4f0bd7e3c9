// Every kind of message in its envelope, with random contents.

@testable import WireProtocol

extension ClientMessage {
    /// One of each kind.
    static func eachKind(_ r: inout RandomSource) -> [ClientMessage] {
        [
            ClientMessage(correlation: r.number(), .generate(.random(&r))),
            ClientMessage(correlation: r.number(), .cancel(.random(&r))),
            ClientMessage(correlation: r.number(), .attach(.random(&r))),
            ClientMessage(correlation: r.number(), .getStatus),
            ClientMessage(correlation: r.number(), .listJobs(.random(&r))),
            ClientMessage(correlation: r.number(), .listQuarantine(.random(&r))),
            ClientMessage(correlation: r.number(), .inspectQuarantine(.random(&r))),
            ClientMessage(correlation: r.number(), .releaseQuarantine(.random(&r))),
        ]
    }
}

extension ServerMessage {
    /// One of each kind.
    static func eachKind(_ r: inout RandomSource) -> [ServerMessage] {
        [
            ServerMessage(correlation: r.number(), .accepted(.random(&r))),
            ServerMessage(correlation: r.number(), .progress(.random(&r))),
            ServerMessage(correlation: r.number(), .completed(.random(&r))),
            ServerMessage(correlation: r.number(), .failed(.random(&r))),
            ServerMessage(correlation: r.number(), .cancelled(.random(&r))),
            ServerMessage(correlation: r.number(), .status(.random(&r))),
            ServerMessage(correlation: r.number(), .jobs(.random(&r))),
            ServerMessage(correlation: r.number(), .quarantine(.random(&r))),
        ]
    }
}

extension WorkerMessage {
    /// One of each kind.
    static func eachKind(_ r: inout RandomSource) -> [WorkerMessage] {
        [
            .register(.random(&r)),
            .ready(.random(&r)),
            .heartbeat(.random(&r)),
            .stepReport(.random(&r)),
            .imageFinished(.random(&r)),
            .workCompleted(.random(&r)),
            .workFailed(.random(&r)),
            .workCancelled(.random(&r)),
            .handBack(.random(&r)),
            .goodbye(.random(&r)),
        ]
    }
}

extension BrokerMessage {
    /// One of each kind.
    static func eachKind(_ r: inout RandomSource) -> [BrokerMessage] {
        [
            .registered(.random(&r)),
            .heartbeatReply(.random(&r)),
            .lease(.random(&r)),
            .revoke(.random(&r)),
            .drain(.random(&r)),
            .acknowledged(.random(&r)),
            .refused(.random(&r)),
            .goodbye(.random(&r)),
        ]
    }
}
