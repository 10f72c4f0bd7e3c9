// The envelopes between workers and the broker.

/// Worker to broker.
public enum WorkerMessage: Sendable, Equatable {
    case register(RegisterWorker)
    case ready(WorkerReady)
    case heartbeat(WorkerHeartbeat)
    case stepReport(StepReport)
    case imageFinished(ImageFinished)
    case workCompleted(WorkCompleted)
    case workFailed(WorkFailed)
    case workCancelled(WorkCancelled)
    case handBack(HandBack)
    case goodbye(Goodbye)
}

/// Broker to worker.
public enum BrokerMessage: Sendable, Equatable {
    case registered(WorkerRegistered)
    case heartbeatReply(HeartbeatReply)
    case lease(LeaseGrant)
    case revoke(LeaseRevocation)
    case drain(DrainOrder)
    case acknowledged(LeaseAcknowledged)
    case refused(WorkerRefused)
    case goodbye(Goodbye)
}
