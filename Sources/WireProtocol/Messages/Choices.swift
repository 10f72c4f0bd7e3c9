// The alternatives inside messages: the oneofs of Proto/ as enumerations with values.

/// What to draw: free text, or a template of the server with its slots filled.
public enum PromptText: Sendable, Equatable {
    /// Free text; empty is the unconditional image.
    case prompt(String)
    case template(TemplatePrompt)
}

/// Which attention heads are switched off.
public enum PruningCriterion: Sendable, Equatable {
    /// Heads whose attention entropy is at or under this many nats.
    case thresholdNats(Double)
    /// This share (0...1) of the heads, those of the least entropy first.
    case headShare(Double)
}

/// A job, by either of its names.
public enum JobReference: Sendable, Equatable {
    /// The server's number.
    case jobID(UInt64)
    /// The name that the submitting client chose; known only to its own key.
    case requestID(String)
}
