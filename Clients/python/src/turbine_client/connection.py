"""One DEALER socket that many requests share.

Replies find their request by the correlation number. A request without an answer is sent again,
with the same request id: the service answers a repetition with the job that it has already.
"""

import asyncio
import itertools

import zmq
import zmq.asyncio

from . import messages
from .errors import NoAnswerError, RequestError


class Exchange:
    """A request under way: its replies, in order."""

    def __init__(self, connection, correlation, message):
        self.correlation = correlation
        self.message = message
        self.replies = asyncio.Queue()
        self._connection = connection

    async def next_reply(self, timeout):
        """The next reply as ``(kind, message)``; ``None`` after the time."""
        try:
            return await asyncio.wait_for(self.replies.get(), timeout)
        except asyncio.TimeoutError:
            return None

    async def send(self):
        """Sends the request, or sends it again."""
        await self._connection.send(self.message)

    def close(self):
        self._connection.forget(self.correlation)


class Connection:
    """Owns the socket and the task that reads it; belongs to one event loop."""

    def __init__(self, endpoint, keys=None, context=None):
        self._context = context or zmq.asyncio.Context.instance()
        self._endpoint = endpoint
        self._keys = keys
        self._socket = None
        self._reader = None
        self._exchanges = {}
        self._correlations = itertools.count(1)
        self._sending = asyncio.Lock()

    def _open(self):
        socket = self._context.socket(zmq.DEALER)
        socket.linger = 500
        socket.ipv6 = True
        socket.sndhwm = 10_000
        socket.rcvhwm = 10_000
        socket.reconnect_ivl = 100
        socket.reconnect_ivl_max = 5_000
        socket.heartbeat_ivl = 5_000
        socket.heartbeat_timeout = 15_000
        if self._keys:
            self._keys.apply(socket)
        socket.connect(self._endpoint)
        self._socket = socket
        self._reader = asyncio.get_running_loop().create_task(self._read())

    def start(self, fill):
        """A new exchange; ``fill`` writes the request into a ClientMessage. Nothing is sent yet."""
        message = messages.ClientMessage(protocol_version=messages.PROTOCOL_VERSION)
        message.correlation = next(self._correlations)
        fill(message)
        exchange = Exchange(self, message.correlation, message)
        self._exchanges[message.correlation] = exchange
        return exchange

    async def send(self, message):
        async with self._sending:
            if self._socket is None:
                self._open()
            await self._socket.send(message.SerializeToString())

    async def ask(self, fill, expected, timeout):
        """One request, one reply of the expected kind; sent again once a third of the time."""
        exchange = self.start(fill)
        try:
            for _ in range(3):
                await exchange.send()
                reply = await exchange.next_reply(timeout / 3)
                if reply is None:
                    continue
                kind, message = reply
                if kind == "failed":
                    raise RequestError.from_reply(message)
                if kind in expected:
                    return kind, message
            raise NoAnswerError(f"{self._endpoint} did not answer within {timeout} s")
        finally:
            exchange.close()

    def forget(self, correlation):
        self._exchanges.pop(correlation, None)

    async def _read(self):
        while True:
            frames = await self._socket.recv_multipart()
            try:
                message = messages.ServerMessage.FromString(frames[-1])
            except Exception:  # A frame that is no message concerns no request of ours.
                continue
            kind = message.WhichOneof("reply")
            exchange = self._exchanges.get(message.correlation)
            if exchange is not None and kind is not None:
                exchange.replies.put_nowait((kind, getattr(message, kind)))

    async def close(self):
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
