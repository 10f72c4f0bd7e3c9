"""Submits jobs to a broker that is killed meanwhile, fetches all results, and counts.

    submit_through_crashes.py ENDPOINT COUNT

Prints a "+" for each job that was acknowledged, and at the end one line: a report in JSON.
"""

import asyncio
import json
import sys

from turbine_client import NoAnswerError, get_generator

SEEDS = 10
AT_ONCE = 4


def request(number):
    return dict(prompt="cat", width=32, height=32, num_inference_steps=1, cfg_scale=0,
                seed=number % SEEDS, request_id=f"crash-{number}")


async def patiently(call):
    """Until there is an answer: the broker is away for a while, not for ever."""
    for _ in range(60):
        try:
            return await call()
        except NoAnswerError:
            continue
    raise SystemExit("no answer, however often it was asked")


async def each(count, call):
    """Calls for every number, a few at once; the answers in order."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(number):
        async with limit:
            return await patiently(lambda: call(number))

    return await asyncio.gather(*(one(number) for number in range(count)))


async def listed(generator):
    jobs, after = [], 0
    while True:
        page = await patiently(lambda: generator.jobs(limit=100, after=after))
        jobs += page.jobs
        if not page.more:
            return jobs
        after = jobs[-1].job_id


async def main(endpoint, count):
    async with get_generator(endpoint, answer_timeout=1, retries=3) as generator:
        async def submit(number):
            accepted = await generator.submit(**request(number))
            print("+", end="", flush=True)
            return accepted

        accepted = await each(count, submit)
        results = await each(count, lambda number: generator.attach(f"crash-{number}"))

        async def again(number):
            known = []
            result = await generator.generate(
                **request(number), on_accepted=lambda reply: known.append(reply.already_known))
            return (result.job_id == accepted[number].job_id == results[number].job_id
                    and result.pngs == results[number].pngs and False not in known)

        repeated = await each(count, again)
        jobs = await listed(generator)
    hashes = {}
    for result in results:
        hashes.setdefault(result.seeds[0], set()).add(result.pixel_sha256[0])
    completed = [job for job in jobs if job.state == 3]
    print()
    print(json.dumps(dict(
        acknowledged=len(accepted), distinctJobs=len({reply.job_id for reply in accepted}),
        repeatedSame=sum(repeated), listed=len(jobs),
        listedCompleted=len({job.request_id for job in completed}),
        ambiguousSeeds=sum(len(found) > 1 for found in hashes.values()),
        firstHash=min(hashes[0]))))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
