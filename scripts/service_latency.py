#!/usr/bin/env python3
"""Seconds from a request to its PNG through the service, and from a worker's start to its first.

    scripts/service_latency.py [--smoke] [--requests 40] [--starts 5] [--threads N]

A broker and a worker with the model in the box on this machine, and one client with one connection:
128x128, 8 steps, no guidance. "warm" is a request to a worker that has its model loaded; "cold" is
from the start of a worker's process, with a job that waits for it, to the PNG. Beside them stands
what the worker itself took for the warm images, stage by stage. Prints a table and a hash of the
image, which has to be the same each time. Needs the package of Clients/python.
"""

import argparse
import asyncio
import hashlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from turbine_client import get_generator

ROOT = pathlib.Path(__file__).resolve().parents[1]
REQUEST = dict(prompt="red heart", width=128, height=128, num_inference_steps=8, cfg_scale=0,
               seed=4)


class Service:
    """A broker, and workers one at a time."""

    def __init__(self, turbine, folder, threads):
        self.turbine, self.folder, self.threads = turbine, pathlib.Path(folder), threads
        self.worker = None
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        self.broker = subprocess.Popen(
            [turbine, "broker", "--data", self.folder / "data", "--client-endpoint",
             "tcp://127.0.0.1:*", "--worker-endpoint", "tcp://127.0.0.1:*"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        words = dict(word.split("=") for word in self.broker.stdout.readline().split()[1:])
        self.clients, self.workers = words["clients"], words["workers"]

    def start_worker(self):
        self.worker = subprocess.Popen(
            [self.turbine, "worker", "--broker", self.workers, "--model",
             ROOT / "Models" / "emoji", "--threads", str(self.threads)],
            stdout=self.log, stderr=self.log)

    def stop_worker(self):
        if self.worker:
            self.worker.terminate()
            self.worker.wait()
            self.worker = None

    def stop(self):
        self.stop_worker()
        self.broker.terminate()
        self.broker.wait()
        self.log.close()


async def measure(service, options):
    cold, warm, hashes = [], [], set()
    stages = {}
    async with get_generator(service.clients) as generator:
        for _ in range(options.starts):
            service.stop_worker()
            accepted = await generator.submit(**REQUEST)
            start = time.perf_counter()
            service.start_worker()
            result = await generator.attach(accepted.job_id)
            cold.append(time.perf_counter() - start)
            hashes.add(hashlib.sha256(result.pngs[0]).hexdigest())
        for _ in range(3):
            await generator.generate(**REQUEST)
        for _ in range(options.requests):
            start = time.perf_counter()
            result = await generator.generate(**REQUEST)
            warm.append(time.perf_counter() - start)
            hashes.add(hashlib.sha256(result.pngs[0]).hexdigest())
            for name, seconds in result.seconds.items():
                stages.setdefault(name, []).append(seconds)
    return cold, warm, stages, hashes


def row(name, seconds):
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    print(f"{name:<22} {statistics.median(ordered) * 1000:>9.1f} {ordered[0] * 1000:>9.1f} "
          f"{high * 1000:>9.1f} {len(ordered):>5}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turbine", default=ROOT / ".build" / "release" / "turbine")
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--smoke", action="store_true", help="a size for tests")
    options = parser.parse_args()
    if options.smoke:
        options.requests, options.starts = 3, 1
    with tempfile.TemporaryDirectory() as folder:
        service = Service(pathlib.Path(options.turbine).resolve(), folder, options.threads)
        try:
            cold, warm, stages, hashes = asyncio.run(measure(service, options))
        finally:
            service.stop()
    print(f"{'milliseconds':<22} {'median':>9} {'least':>9} {'95th':>9} {'runs':>5}")
    row("cold worker to PNG", cold)
    row("warm request to PNG", warm)
    for name, seconds in stages.items():
        row("  " + name.replace("_", " "), seconds)
    served = [sum(values) for values in zip(*stages.values())]
    row("  all else", [whole - part for whole, part in zip(warm, served)])
    print("image", " ".join(sorted(hashes)))
    if len(hashes) != 1:
        sys.exit("the images differ")


if __name__ == "__main__":
    main()
