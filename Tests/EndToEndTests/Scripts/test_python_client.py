"""The package of Clients/python with a real broker and real workers behind it."""

import asyncio
import io
import json

import pytest
from PIL import Image
from turbine_client import JobCancelledError, NoAnswerError, RequestError, get_generator

SMALL = dict(width=64, height=48, num_inference_steps=2, cfg_scale=0)
# Far longer than anything that happens to it.
LONG = dict(prompt="red heart", width=128, height=128, num_inference_steps=1000, cfg_scale=2)


def run(body):
    return asyncio.run(asyncio.wait_for(body, 120))


async def until(condition):
    while not await condition():
        await asyncio.sleep(0.05)


async def at_work(generator, request_id):
    """The task of a long job that a worker has begun."""
    working = asyncio.Event()
    task = asyncio.create_task(generator.generate(
        **LONG, request_id=request_id, on_progress=lambda _: working.set()))
    task.add_done_callback(lambda _: working.set())
    await working.wait()
    assert not task.done(), task.exception()
    return task


def test_twenty_at_once(endpoint):
    async def body():
        heard = {number: [] for number in range(20)}
        async with get_generator(endpoint) as generator:
            results = await asyncio.gather(*(
                generator.generate(
                    prompt=f"cat face {number % 3}", negative_prompt="grey", width=64, height=48,
                    num_inference_steps=3, cfg_scale=2.0, num_images=1 + number % 2,
                    seed=100 + number, on_progress=heard[number].append)
                for number in range(20)))
        return results, heard

    results, heard = run(body())
    assert len({result.job_id for result in results}) == 20
    assert len({result.worker for result in results}) == 2
    for number, result in enumerate(results):
        assert result.seeds == [100 + number + index for index in range(1 + number % 2)]
        assert [image.size for image in result.images] == [(64, 48)] * (1 + number % 2)
        assert all(image.mode == "RGB" for image in result.images)
        assert result.attempts == 1 and result.model_name == "emoji" and result.numerics_class
        steps = [(p.image_index, p.step) for p in heard[number] if p.step]
        assert steps == sorted(steps) and steps[-1] == (number % 2, 3)
        assert {p.steps for p in heard[number] if p.step} == {3}
    assert len({sha for result in results for sha in result.pixel_sha256}) == 30


def test_the_documented_call(endpoint, monkeypatch):
    monkeypatch.setenv("TURBINE_ENDPOINT", endpoint)

    async def body():
        generator = get_generator()
        try:
            return await generator.generate(
                prompt="red heart", negative_prompt="blurry", width=64, height=64,
                num_inference_steps=2, cfg_scale=2.0, num_images=2)
        finally:
            await generator.close()

    result = run(body())
    assert len(result.images) == 2 and result.images[0].size == (64, 64)
    parameters = json.loads(Image.open(io.BytesIO(result.pngs[0])).text["turbine"])
    assert parameters["prompt"] == "red heart"


def test_coroutine_callbacks_and_previews(endpoint):
    async def body():
        previews, accepted = [], []

        async def note(progress):
            await asyncio.sleep(0)
            if progress.preview:
                previews.append(progress.preview)

        async with get_generator(endpoint) as generator:
            await generator.generate(
                prompt="cat", **SMALL | dict(num_inference_steps=4), preview_every=2,
                on_progress=note, on_accepted=accepted.append)
        return previews, accepted

    previews, accepted = run(body())
    assert len(accepted) == 1 and accepted[0].job_id > 0 and not accepted[0].already_known
    assert 1 <= len(previews) <= 2
    assert all(isinstance(preview, Image.Image) for preview in previews)


def test_cancelling_the_task_cancels_the_job(endpoint):
    async def body():
        async with get_generator(endpoint) as generator:
            task = await at_work(generator, "to-be-cancelled")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

            async def is_over():
                jobs = (await generator.jobs("cancelled")).jobs
                return any(job.request_id == "to-be-cancelled" for job in jobs)

            await until(is_over)
            # Attaching to it tells the same.
            with pytest.raises(JobCancelledError):
                await generator.attach("to-be-cancelled")
            return await generator.generate(prompt="cat", **SMALL)

    assert run(body()).images[0].size == (64, 48)


def test_another_client_cancels(endpoint):
    async def body():
        async with get_generator(endpoint) as one, get_generator(endpoint) as other:
            task = await at_work(one, "by-another")
            await other.cancel("by-another")
            with pytest.raises(JobCancelledError) as caught:
                await task
            assert caught.value.reason == "requested" and caught.value.job_id > 0

    run(body())


@pytest.mark.parametrize("options, code, field", [
    (dict(width=100), "invalid_field", "width"),
    (dict(num_inference_steps=100_000), "limit_exceeded", "steps"),
    (dict(preset="no such preset"), "unknown_name", "preset"),
    (dict(cfg_scale=float("nan")), "invalid_field", "guidance"),
])
def test_errors_are_exceptions(endpoint, options, code, field):
    async def body():
        async with get_generator(endpoint, retries=0) as generator:
            await generator.generate(prompt="cat", **SMALL | options, deadline=60)

    with pytest.raises(RequestError) as caught:
        run(body())
    assert caught.value.code == code
    assert field in caught.value.field
    assert str(caught.value)


def test_a_model_that_nobody_has_is_waited_for_until_the_deadline(endpoint):
    accepted = []

    async def body():
        async with get_generator(endpoint) as generator:
            await generator.generate(
                prompt="cat", **SMALL, model="no such model", deadline=3,
                on_accepted=accepted.append)

    with pytest.raises(RequestError) as caught:
        run(body())
    assert caught.value.code == "deadline_exceeded"
    assert "model" in str(caught.value)
    assert accepted[0].hold == "model_not_loaded"
    assert accepted[0].estimated_end is None


def test_a_request_id_names_one_job(endpoint):
    async def body():
        async with get_generator(endpoint) as generator:
            first = await generator.generate(prompt="cat", **SMALL, seed=7, request_id="again")
            second = await generator.generate(prompt="cat", **SMALL, seed=7, request_id="again")
            with pytest.raises(RequestError) as caught:
                await generator.generate(prompt="dog", **SMALL, seed=7, request_id="again")
            assert caught.value.code == "request_id_conflict"
            with pytest.raises(RequestError) as unknown:
                await generator.attach("never heard of")
            assert unknown.value.code == "unknown_job"
            return first, second

    first, second = run(body())
    assert first.job_id == second.job_id and first.pngs == second.pngs


def test_submit_now_attach_later(endpoint):
    async def body():
        async with get_generator(endpoint) as generator:
            accepted = await generator.submit(prompt="cat", **SMALL, seed=8)
        async with get_generator(endpoint) as generator:
            return accepted, await generator.attach(accepted.job_id)

    accepted, result = run(body())
    assert result.job_id == accepted.job_id and len(result.images) == 1


def test_silence_is_an_error():
    async def body():
        async with get_generator("tcp://127.0.0.1:9", answer_timeout=0.1, retries=1) as generator:
            await generator.generate(prompt="cat", **SMALL)

    with pytest.raises(NoAnswerError):
        run(body())
