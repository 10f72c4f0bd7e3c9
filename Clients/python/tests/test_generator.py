"""The generator against a broker in the same process."""

import asyncio
import functools

import pytest
import zmq

from fake_broker import FakeBroker
from turbine_client import (
    CurveKeys, JobCancelledError, NoAnswerError, RequestError, get_generator)


async def until(condition):
    """Waits for what happens elsewhere; the test's own limit ends the hope."""
    while not condition():
        await asyncio.sleep(0.01)


def asynchronous(test):
    """Runs a coroutine test, with a time limit, in a loop of its own."""

    @functools.wraps(test)
    def run():
        asyncio.run(asyncio.wait_for(test(), 120))

    return run


@asynchronous
async def test_generate_returns_images():
    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        result = await generator.generate(
            prompt="a fox", negative_prompt="blurry", width=32, height=48,
            num_inference_steps=3, cfg_scale=7.5, num_images=2, seed=0)
        assert [image.size for image in result.images] == [(32, 48), (32, 48)]
        assert result.images[1].getpixel((0, 0)) == (1, 0, 0)
        assert result.seeds == [0, 1]
        request = broker.requests[0].generate.request
        assert (request.prompt, request.negative_prompt) == ("a fox", "blurry")
        assert (request.steps, request.guidance, request.image_count) == (3, 7.5, 2)
        assert request.HasField("seed") and not request.HasField("preset")


@asynchronous
async def test_all_options_reach_the_request():
    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        await generator.generate(
            template="portrait", slots={"subject": "a fox", "style": "oil"}, preset="turbo",
            model="m", cfg_normalization=1.0, cfg_truncation=0.5, pruning=True, prune_share=0.37,
            prune_rejudge=4, tiling="on", tile_size=32, tile_overlap=8, tile_blend="feathered",
            tile_memory=1 << 30, metadata=False, png_compression=9, priority="high", deadline=2.5,
            detach=True, preview_every=2, preview_size=64)
        generate = broker.requests[0].generate
        request = generate.request
        assert [(s.slot, s.value) for s in request.template.slots] == [
            ("subject", "a fox"), ("style", "oil")]
        assert request.pruning.WhichOneof("criterion") == "head_share"
        assert (request.tiling.mode, request.tiling.blend) == (2, 2)
        assert request.output.HasField("metadata") and not request.output.metadata
        assert (generate.priority, generate.deadline_ms) == (3, 2500)
        assert generate.detach_on_disconnect
        assert (generate.preview.every_steps, generate.preview.maximum_side) == (2, 64)


@asynchronous
async def test_many_at_once_keep_their_results():
    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        results = await asyncio.gather(*(
            generator.generate(prompt=str(n), seed=n) for n in range(200)))
        assert [result.seeds[0] for result in results] == list(range(200))
        assert len({result.job_id for result in results}) == 200


@asynchronous
async def test_progress_and_previews():
    seen, accepted = [], []

    async def on_progress(progress):
        seen.append((progress.stage, progress.step, progress.preview.size))

    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        await generator.generate(
            prompt="a fox", num_inference_steps=3, on_accepted=accepted.append,
            on_progress=on_progress, preview_every=1)
    assert seen == [("denoising", step, (8, 8)) for step in (1, 2, 3)]
    assert accepted[0].estimated_end == 1.5 and accepted[0].estimated_start is None


@asynchronous
async def test_cancelling_the_task_cancels_the_job():
    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        broker.step_seconds = 0.05
        accepted = asyncio.Event()
        task = asyncio.create_task(generator.generate(
            prompt="a fox", num_inference_steps=1000, on_accepted=lambda _: accepted.set()))
        await accepted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: [job["cancelled"] for job in broker.jobs.values()] == [True])


@asynchronous
async def test_cancelled_by_someone_else():
    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        broker.step_seconds = 0.05
        accepted = asyncio.Event()
        task = asyncio.create_task(generator.generate(
            prompt="a fox", num_inference_steps=1000, request_id="mine",
            on_accepted=lambda _: accepted.set()))
        await accepted.wait()
        await generator.cancel("mine")
        with pytest.raises(JobCancelledError) as caught:
            await task
        assert caught.value.reason == "administrator"


@asynchronous
async def test_silence_repeats_the_same_request_id():
    async with FakeBroker() as broker, get_generator(
            broker.endpoint, answer_timeout=0.2) as generator:
        broker.ignored_requests = 2
        result = await generator.generate(prompt="a fox")
        assert result.job_id == 1
        assert len({message.generate.request_id for message in broker.requests}) == 1
        # Two without an answer, and the one that got it; a busy machine may send it once more.
        assert len(broker.requests) >= 3


@asynchronous
async def test_a_restarted_broker_goes_on_with_the_job():
    async with FakeBroker() as broker, get_generator(
            broker.endpoint, answer_timeout=0.3) as generator:
        broker.mute_after_accepting = True
        accepted = asyncio.Event()
        task = asyncio.create_task(generator.generate(
            prompt="a fox", on_accepted=lambda _: accepted.set()))
        await accepted.wait()
        await broker.stop()
        broker.mute_after_accepting = False
        await broker.open()
        assert (await task).job_id == 1
        assert len(broker.jobs) == 1


@asynchronous
async def test_no_broker_is_an_error():
    async with get_generator("tcp://127.0.0.1:1", answer_timeout=0.05, retries=1) as generator:
        with pytest.raises(NoAnswerError):
            await generator.generate(prompt="a fox")
        with pytest.raises(NoAnswerError):
            await generator.status()


@asynchronous
async def test_refusals():
    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        broker.refusals = [dict(
            code="invalid_field", field="generate.request.width", sentence="Use 16 · n.")]
        with pytest.raises(RequestError) as caught:
            await generator.generate(prompt="a fox", width=100)
        assert caught.value.code == "invalid_field"
        assert caught.value.field == "generate.request.width"
        assert str(caught.value) == "Use 16 · n."
        assert caught.value.job_id is None
        broker.refusals = [dict(code="queue_full", retryable=True, retry_after_ms=10)] * 2
        assert (await generator.generate(prompt="a fox")).images


@asynchronous
async def test_a_code_of_a_later_version_is_internal():
    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        broker.refusals = [dict(code=999, sentence="A new kind of fault.")]
        with pytest.raises(RequestError) as caught:
            await generator.generate(prompt="a fox")
        assert caught.value.code == "internal"


@asynchronous
async def test_submit_attach_status_jobs():
    async with FakeBroker() as broker, get_generator(broker.endpoint) as generator:
        accepted = await generator.submit("a fox", seed=5, request_id="mine", priority="low")
        assert accepted.job_id == 1 and not accepted.already_known
        assert broker.requests[0].generate.detach_on_disconnect
        assert (await generator.attach("mine")).seeds == [5]
        assert (await generator.status()).accepting
        listed = await generator.jobs("queued", "running")
        assert [job.request_id for job in listed.jobs] == ["mine"]
        with pytest.raises(RequestError) as caught:
            await generator.attach("other")
        assert caught.value.code == "unknown_job"


@asynchronous
async def test_wrong_arguments_are_refused_here():
    async with get_generator("tcp://127.0.0.1:1") as generator:
        with pytest.raises(TypeError):
            await generator.generate()
        with pytest.raises(TypeError):
            await generator.generate(prompt="a fox", widht=1)
        with pytest.raises(ValueError):
            await generator.generate(prompt="a fox", priority="urgent")
        with pytest.raises(ValueError):
            await generator.generate(prompt="a fox", width=-1)


@asynchronous
async def test_curve_keys():
    public, secret = zmq.curve_keypair()
    async with FakeBroker(keys=(public, secret)) as broker:
        keys = CurveKeys.generate(public.decode())
        assert secret.decode() not in repr(keys) and keys.secret_key not in repr(keys)
        async with get_generator(broker.endpoint, keys=keys) as generator:
            assert (await generator.generate(prompt="a fox")).job_id == 1


def test_key_files(tmp_path):
    public, secret = (key.decode() for key in zmq.curve_keypair())
    secret_file, server_file = tmp_path / "me.key_secret", tmp_path / "server.key"
    text = f'metadata\n    name = "me"\ncurve\n    public-key = "{public}"\n'
    server_file.write_text(text)
    secret_file.write_text(text + f'    secret-key = "{secret}"\n')
    secret_file.chmod(0o640)
    with pytest.raises(PermissionError):
        CurveKeys.load(secret_file, server_file)
    secret_file.chmod(0o600)
    assert CurveKeys.load(secret_file, server_file) == CurveKeys(public, secret, public)
