"""The generator: images from prompts, many at once."""

import asyncio
import inspect
import os
import uuid

from . import messages, requests
from .connection import Connection
from .errors import JobCancelledError, NoAnswerError, RequestError
from .keys import CurveKeys
from .results import Accepted, Generation, Progress

DEFAULT_ENDPOINT = "tcp://127.0.0.1:5570"


def get_generator(endpoint=None, *, keys=None, answer_timeout=10.0, retries=5):
    """A generator for the service at an endpoint.

    Without arguments the environment decides: ``TURBINE_ENDPOINT`` (or the local default), and
    ``TURBINE_SECRET_KEY_FILE`` with ``TURBINE_SERVER_KEY_FILE`` if the service wants keys.
    """
    environment = os.environ
    if keys is None and "TURBINE_SECRET_KEY_FILE" in environment:
        keys = CurveKeys.load(
            environment["TURBINE_SECRET_KEY_FILE"], environment["TURBINE_SERVER_KEY_FILE"])
    endpoint = endpoint or environment.get("TURBINE_ENDPOINT", DEFAULT_ENDPOINT)
    return Generator(endpoint, keys=keys, answer_timeout=answer_timeout, retries=retries)


class Generator:
    """Sends requests over one socket; an async context manager, to be used in one event loop.

    ``answer_timeout`` is how long the service may be silent, in seconds, before a request is sent
    again; ``retries`` is how often a request is repeated, after silence or a retryable refusal.
    """

    def __init__(self, endpoint, *, keys=None, answer_timeout=10.0, retries=5):
        self._connection = Connection(endpoint, keys)
        self._endpoint = endpoint
        self._answer_timeout = answer_timeout
        self._retries = retries

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        """Closes the socket; jobs under way are left to the service."""
        await self._connection.close()

    async def generate(self, prompt=None, *, template=None, slots=None, request_id=None,
                       priority=None, deadline=None, detach=None, on_accepted=None,
                       on_progress=None, preview_every=None, preview_size=None, **options):
        """Generates images and returns a ``Generation``.

        ``options``: negative_prompt, width, height, num_inference_steps, cfg_scale, num_images,
        seed, preset, model, cfg_normalization, cfg_truncation, pruning, prune_threshold,
        prune_share, prune_rejudge, tiling ("auto", "on", "off"), tile_size, tile_overlap,
        tile_blend ("counted", "feathered"), tile_memory, metadata, png_compression. What is not
        given is the service's to choose. ``priority`` is "low", "normal" or "high", ``deadline``
        in seconds from now. ``on_accepted(Accepted)`` and ``on_progress(Progress)`` may be
        functions or coroutine functions. Cancelling the awaiting task cancels the job.
        """
        request_id = request_id or uuid.uuid4().hex

        def fill(message):
            generate = message.generate
            generate.request_id = request_id
            generate.replies = messages.number_of("ReplyMode", "all")
            requests.fill_request(generate.request, prompt, template, slots, options)
            requests.fill_scheduling(generate, priority, deadline, detach)
            if preview_every:
                requests.fill_preview(generate.preview, preview_every, preview_size)

        return await self._follow(fill, request_id, on_accepted, on_progress, cancels=True)

    async def submit(self, prompt=None, *, template=None, slots=None, request_id=None,
                     priority=None, deadline=None, **options):
        """Submits a job that outlives this client and returns its ``Accepted``; see ``attach``."""
        request_id = request_id or uuid.uuid4().hex

        def fill(message):
            generate = message.generate
            generate.request_id = request_id
            generate.replies = messages.number_of("ReplyMode", "accepted")
            requests.fill_request(generate.request, prompt, template, slots, options)
            requests.fill_scheduling(generate, priority, deadline, detach=True)

        reply = await self._connection.ask(fill, {"accepted"}, self._patience)
        return Accepted.from_reply(reply[1])

    async def attach(self, job, *, on_accepted=None, on_progress=None, preview_every=None,
                     preview_size=None):
        """Waits for a job by its id (``int``) or request id (``str``); a ``Generation``."""

        def fill(message):
            requests.refer_to(message.attach.job, job)
            message.attach.replies = messages.number_of("ReplyMode", "all")
            if preview_every:
                requests.fill_preview(message.attach.preview, preview_every, preview_size)

        return await self._follow(fill, job, on_accepted, on_progress, cancels=False)

    async def cancel(self, job):
        """Cancels a job by its id or request id."""
        await self._connection.ask(
            lambda message: requests.refer_to(message.cancel.job, job), {"cancelled"},
            self._patience)

    async def status(self):
        """The service's state, as the protocol's ``Status`` message."""
        reply = await self._connection.ask(
            lambda message: message.get_status.SetInParent(), {"status"}, self._patience)
        return reply[1]

    async def jobs(self, *states, limit=0, after=0, all_clients=False):
        """Jobs (in these states) as the protocol's ``Jobs`` message."""

        def fill(message):
            message.list_jobs.SetInParent()
            message.list_jobs.states.extend(messages.number_of("JobState", s) for s in states)
            message.list_jobs.limit = limit
            message.list_jobs.after_job_id = after
            message.list_jobs.all_clients = all_clients

        return (await self._connection.ask(fill, {"jobs"}, self._patience))[1]

    @property
    def _patience(self):
        return self._answer_timeout * 3

    async def _follow(self, fill, job, on_accepted, on_progress, *, cancels):
        exchange = self._connection.start(fill)
        try:
            return await self._wait(exchange, on_accepted, on_progress)
        except asyncio.CancelledError:
            if cancels:
                await self._cancel_quietly(job)
            raise
        finally:
            exchange.close()

    async def _wait(self, exchange, on_accepted, on_progress):
        """Replies until the final one. Silence is answered by sending the request again."""
        silences = refusals = 0
        is_accepted = False
        await exchange.send()
        while True:
            reply = await exchange.next_reply(self._answer_timeout)
            if reply is None:
                silences += 1
                if silences > self._retries:
                    raise NoAnswerError(f"{self._endpoint} is silent")
                await exchange.send()
                continue
            silences = 0
            kind, message = reply
            if kind == "completed":
                return Generation.from_reply(message)
            if kind == "cancelled":
                reason = messages.name_of("CancelReason", message.reason)
                raise JobCancelledError(reason, message.job_id)
            if kind == "failed":
                error = RequestError.from_reply(message)
                refusals += 1
                if not error.retryable or error.job_id or refusals > self._retries:
                    raise error
                await asyncio.sleep(error.retry_after or 2 ** refusals / 10)
                await exchange.send()
            elif kind == "accepted" and not is_accepted:
                is_accepted = True
                await _call(on_accepted, Accepted, message)
            elif kind == "progress":
                await _call(on_progress, Progress, message)

    async def _cancel_quietly(self, job):
        """Tells the service, without waiting for its answer: the task is ending."""

        def fill(message):
            requests.refer_to(message.cancel.job, job)

        exchange = self._connection.start(fill)
        exchange.close()
        await asyncio.shield(exchange.send())


async def _call(function, kind, message):
    if function is not None:
        result = function(kind.from_reply(message))
        if inspect.isawaitable(result):
            await result
