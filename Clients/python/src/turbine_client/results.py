"""What a job yields, as Python objects."""

import io
from dataclasses import dataclass, field

from PIL import Image

from . import messages


@dataclass
class Accepted:
    """The job is on the service's disk. Times are seconds from now, if known.

    ``hold`` says what the job waits for that no connected worker has: ``"no_worker"``,
    ``"model_not_loaded"`` or ``"image_too_large"``; ``None`` if it is not on hold.
    """

    job_id: int
    request_id: str
    place_in_queue: int
    already_known: bool
    estimated_start: float | None
    estimated_end: float | None
    hold: str | None = None

    @classmethod
    def from_reply(cls, reply):
        return cls(
            reply.job_id, reply.request_id, reply.place_in_queue, reply.already_known,
            _seconds(reply, "estimated_start_ms"), _seconds(reply, "estimated_end_ms"),
            messages.name_of("HoldReason", reply.hold) if reply.hold else None)


@dataclass
class Progress:
    """How far a job is. ``remaining`` is in seconds, if known."""

    job_id: int
    stage: str
    step: int
    steps: int
    image_index: int
    image_count: int
    attempt: int
    remaining: float | None
    preview_png: bytes = field(repr=False)

    @classmethod
    def from_reply(cls, reply):
        return cls(
            reply.job_id, messages.name_of("Stage", reply.stage), reply.step, reply.steps,
            reply.image_index, reply.image_count, reply.attempt,
            _seconds(reply, "remaining_ms"), reply.preview_png)

    @property
    def preview(self):
        """The preview as a PIL image; ``None`` if there is none."""
        return _decode(self.preview_png) if self.preview_png else None


@dataclass
class Generation:
    """A finished job. ``images`` are PIL images, ``pngs`` the files they were decoded from."""

    job_id: int
    request_id: str
    pngs: list = field(repr=False)
    seeds: list
    pixel_sha256: list = field(repr=False)
    seconds: dict
    worker: str
    attempts: int
    model_name: str
    model_hash: str
    numerics_class: str
    pruning: dict | None

    @classmethod
    def from_reply(cls, reply):
        ordered = sorted(reply.images, key=lambda image: image.index)
        return cls(
            reply.job_id, reply.request_id, [image.png for image in ordered],
            [image.seed for image in ordered], [image.pixel_sha256.hex() for image in ordered],
            _fields(reply.seconds), reply.worker, reply.attempts, reply.model_name,
            reply.model_hash, reply.numerics_class,
            _fields(reply.pruning) if reply.HasField("pruning") else None)

    @property
    def images(self):
        """The images, decoded anew at each access."""
        return [_decode(png) for png in self.pngs]


def _fields(message):
    return {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}


def _decode(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def _seconds(reply, name):
    return getattr(reply, name) / 1000 if reply.HasField(name) else None
