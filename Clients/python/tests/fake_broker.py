"""A broker of a few lines: it speaks the protocol and makes one-coloured images."""

import asyncio
import hashlib
import io

import zmq
import zmq.asyncio
from PIL import Image

from turbine_client import messages


def png(width, height, seed):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (seed % 256, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


class FakeBroker:
    """Serves on a free port. The attributes are its moods; ``requests`` is what it has seen."""

    def __init__(self, keys=None):
        self.context = zmq.asyncio.Context()
        self.keys = keys
        self.port = None
        self.requests = []
        self.jobs = {}
        self.step_seconds = 0.0
        self.ignored_requests = 0
        self.refusals = []
        self.mute_after_accepting = False

    async def __aenter__(self):
        await self.open()
        return self

    async def __aexit__(self, *_):
        await self.stop()
        self.context.term()

    async def open(self):
        """Binds; to the same port again after a stop."""
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        if self.keys:
            self.socket.curve_server = True
            self.socket.curve_secretkey = self.keys[1]
        if self.port is None:
            self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        while not self.socket.last_endpoint:
            try:
                self.socket.bind(f"tcp://127.0.0.1:{self.port}")
            except zmq.ZMQError:  # The old socket closes in the background.
                await asyncio.sleep(0.02)
        self.tasks = [asyncio.create_task(self.serve())]

    async def stop(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.socket.close()

    @property
    def endpoint(self):
        return f"tcp://127.0.0.1:{self.port}"

    async def serve(self):
        while True:
            *route, frame = await self.socket.recv_multipart()
            message = messages.ClientMessage.FromString(frame)
            self.requests.append(message)
            if self.ignored_requests:
                self.ignored_requests -= 1
                continue
            self.tasks.append(asyncio.create_task(self.answer(route, message)))

    async def reply(self, route, message, kind, **fields):
        reply = messages.ServerMessage(protocol_version=1, correlation=message.correlation)
        content = getattr(reply, kind)
        content.CopyFrom(type(content)(**fields))
        await self.socket.send_multipart([*route, reply.SerializeToString()])

    async def refuse(self, route, message, **error):
        if isinstance(error["code"], str):
            error["code"] = messages.number_of("ErrorCode", error["code"])
        await self.reply(route, message, "failed", error=messages.MESSAGES["Error"](**error))

    async def answer(self, route, message):
        kind = message.WhichOneof("request")
        if kind == "generate":
            await self.generate(route, message)
        elif kind == "attach":
            await self.attach(route, message)
        elif kind == "cancel":
            job = self.jobs.get(message.cancel.job.request_id)
            if job is None:
                await self.refuse(route, message, code="unknown_job", sentence="No such job.")
            else:
                job["cancelled"] = True
                await self.reply(route, message, "cancelled", job_id=job["id"], reason=1)
        elif kind == "get_status":
            await self.reply(route, message, "status", queued=len(self.jobs), accepting=True)
        elif kind == "list_jobs":
            job = messages.MESSAGES["JobSummary"]
            await self.reply(
                route, message, "jobs",
                jobs=[job(job_id=j["id"], request_id=name) for name, j in self.jobs.items()])

    async def generate(self, route, message):
        if self.refusals:
            return await self.refuse(route, message, **self.refusals.pop(0))
        name = message.generate.request_id
        known = name in self.jobs
        job = self.jobs.setdefault(name, {
            "id": len(self.jobs) + 1, "request": message.generate.request, "cancelled": False})
        await self.reply(
            route, message, "accepted", job_id=job["id"], request_id=name, already_known=known,
            estimated_end_ms=1500)
        if not self.mute_after_accepting:
            await self.work(route, message, name, job)

    async def attach(self, route, message):
        name = message.attach.job.request_id
        if name not in self.jobs:
            return await self.refuse(route, message, code="unknown_job", sentence="No such job.")
        await self.work(route, message, name, self.jobs[name])

    async def work(self, route, message, name, job):
        request = job["request"]
        steps = request.steps or 2
        for step in range(1, steps + 1):
            await asyncio.sleep(self.step_seconds)
            if job["cancelled"]:
                return await self.reply(route, message, "cancelled", job_id=job["id"], reason=3)
            await self.reply(
                route, message, "progress", job_id=job["id"], stage=3, step=step, steps=steps,
                preview_png=png(8, 8, step) if message.generate.preview.every_steps else b"")
        images = []
        for index in range(request.image_count or 1):
            seed = request.seed + index
            data = png(request.width or 16, request.height or 16, seed)
            images.append(messages.MESSAGES["Image"](
                index=index, seed=seed, png=data, pixel_sha256=hashlib.sha256(data).digest()))
        await self.reply(
            route, message, "completed", job_id=job["id"], request_id=name, images=images,
            worker="fake", attempts=1)
