// ZeroMQSockets
