// QueueCore
