"""Submits one job and prints what is heard of it, a JSON object a line; saves the images.

    follow.py ENDPOINT REQUEST PREFIX

REQUEST is a JSON object: the arguments of `generate`. Images go to PREFIX-0.png and so on.
"""

import asyncio
import json
import sys

from turbine_client import JobCancelledError, RequestError, get_generator


def tell(kind, **fields):
    print(json.dumps(dict(kind=kind, **fields)), flush=True)


async def main(endpoint, request, prefix):
    async with get_generator(endpoint, answer_timeout=3, retries=60) as generator:
        try:
            result = await generator.generate(
                **request,
                on_accepted=lambda reply: tell("accepted", job=reply.job_id),
                on_progress=lambda reply: tell(
                    "progress", job=reply.job_id, step=reply.step, steps=reply.steps,
                    image=reply.image_index, attempt=reply.attempt))
        except JobCancelledError as error:
            return tell("cancelled", job=error.job_id, message=str(error))
        except RequestError as error:
            return tell("failed", job=error.job_id, message=f"{error.code}: {error}")
    files = []
    for index, png in enumerate(result.pngs):
        files.append(f"{prefix}-{index}.png")
        with open(files[-1], "wb") as file:
            file.write(png)
    tell("completed", job=result.job_id, result=dict(
        attempts=result.attempts, worker=result.worker, sha256=result.pixel_sha256, files=files))


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]))
