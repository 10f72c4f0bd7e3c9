#!/usr/bin/env python3
"""One broker with CURVE keys, workers in two network namespaces, and a cable that is pulled.

    scripts/two_namespaces.py [--turbine .build/release/turbine] [--check]

Makes three namespaces: one for the broker and its client, joined by a pair of virtual Ethernet
devices to one for each worker. Checks that both workers serve, that no worker gets in without a key
or with a client's, and that the job of a worker whose link goes down ends elsewhere with the same
image; then the link comes back, and the worker with it. Prints a report as JSON.

Needs root, `ip` (iproute2) and a kernel that lets namespaces be made; otherwise it says why and
ends with 77.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
SKIPPED = 77
WORKERS = ("a", "b")
CLIENTS, WORKERS_PORT = 5570, 5571
PATIENCE = 90


class Failure(Exception):
    """What did not happen."""


class Network:
    """The namespaces; everything in them goes with them."""

    def __init__(self):
        self.prefix = f"turbine{os.getpid()}"
        self.processes = []

    def name(self, part):
        return f"{self.prefix}-{part}"

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        for part in ("hub", *WORKERS):
            ip("netns", "add", self.name(part))
            ip("-n", self.name(part), "link", "set", "lo", "up")
        for number, part in enumerate(WORKERS, start=1):
            hub, worker = self.name("hub"), self.name(part)
            ip("-n", hub, "link", "add", "name", f"to-{part}", "type", "veth", "peer", "name",
               "to-hub", "netns", worker)
            for place, device, host in ((hub, f"to-{part}", 1), (worker, "to-hub", 2)):
                ip("-n", place, "address", "add", f"10.77.{number}.{host}/24", "dev", device)
                ip("-n", place, "link", "set", device, "up")

    def broker_address(self, part):
        return f"10.77.{WORKERS.index(part) + 1}.1"

    def set_link(self, part, state):
        ip("-n", self.name("hub"), "link", "set", f"to-{part}", state)

    def command(self, part, *arguments):
        return ["ip", "netns", "exec", self.name(part), *map(str, arguments)]

    def start(self, part, log, *arguments):
        with open(log, "w", encoding="utf-8") as file:
            process = subprocess.Popen(self.command(part, *arguments), stdout=file, stderr=file,
                                       stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        for part in ("hub", *WORKERS):
            subprocess.run(["ip", "netns", "del", self.name(part)], capture_output=True)


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def obstacle():
    """Why namespaces cannot be made here, or None."""
    if os.geteuid() != 0:
        return "this needs root"
    probe = f"turbine{os.getpid()}-probe"
    try:
        ip("netns", "add", probe)
        try:
            ip("netns", "exec", probe, "ip", "link", "add", "v0", "type", "veth", "peer", "v1")
        finally:
            ip("netns", "del", probe)
    except OSError as error:
        return f"namespaces cannot be made: {error}"
    return None


class Trial:
    """A service on the network, and what is found out about it."""

    REQUEST = ["--prompt", "red heart", "--seed", "9", "--width", "96", "--height", "64",
               "--guidance", "2"]

    def __init__(self, network, turbine, folder):
        self.network, self.turbine, self.folder = network, turbine, pathlib.Path(folder)
        self.keys = self.folder / "keys"
        self.report = {}

    def run(self):
        self.make_keys()
        self.network.start(
            "hub", self.folder / "broker.log", self.turbine, "broker", "--data",
            self.folder / "data", "--client-endpoint", f"tcp://0.0.0.0:{CLIENTS}",
            "--worker-endpoint", f"tcp://0.0.0.0:{WORKERS_PORT}", "--keys", self.keys,
            "--maximum-steps", "1000")
        for part in WORKERS:
            self.start_worker(part, part, self.key_options(f"worker-{part}"))
        self.until("both workers are idle", lambda: self.states() == dict(a="idle", b="idle"))
        self.both_serve()
        self.strangers_stay_out()
        self.pull_the_link()
        return self.report

    def make_keys(self):
        authorized = self.keys / "authorized"
        authorized.mkdir(parents=True)
        self.keygen("broker", "admin", self.keys)
        for name, role in (("alice", "client"), ("worker-a", "worker"), ("worker-b", "worker")):
            self.keygen(name, role, self.folder)
            (self.folder / f"{name}.key").rename(authorized / f"{name}.key")
        # A pair that nobody has let in.
        self.keygen("stranger", "worker", self.folder)

    def keygen(self, name, role, folder):
        subprocess.run([self.turbine, "keygen", name, "--role", role, "--out", folder],
                       check=True, capture_output=True)

    def key_options(self, name):
        return ["--key", self.folder / f"{name}.key_secret", "--broker-key",
                self.keys / "broker.key"]

    def start_worker(self, part, name, keys):
        return self.network.start(
            part, self.folder / f"{name}.log", self.turbine, "worker", "--broker",
            f"tcp://{self.network.broker_address(part)}:{WORKERS_PORT}", "--model",
            ROOT / "Models" / "emoji", "--name", name, "--threads", "1", *keys)

    def client(self, command, *arguments):
        return self.network.command(
            "hub", self.turbine, command, "--broker", f"tcp://127.0.0.1:{CLIENTS}",
            *self.key_options("alice"), *arguments)

    def ask(self, command, *arguments):
        done = subprocess.run(self.client(command, *arguments), capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"{command}: {done.stderr.strip()}")
        return done.stdout

    def workers(self):
        return {worker["name"]: worker
                for worker in json.loads(self.ask("status", "--json"))["workers"]}

    def states(self):
        return {name: worker["state"] for name, worker in self.workers().items()}

    def until(self, what, condition):
        """Waits for something true; returns it and the seconds that it took."""
        start = time.monotonic()
        while time.monotonic() - start < PATIENCE:
            value = condition()
            if value:
                return value, time.monotonic() - start
            time.sleep(0.05)
        raise Failure(f"{what}: not within {PATIENCE} s; {self.workers()}")

    def both_serve(self):
        jobs = [self.ask("submit", *self.REQUEST, "--steps", "20", "--detach").strip()
                for _ in range(6)]
        images = set()
        for job in jobs:
            self.ask("attach", job, "--output", self.folder / "served.png")
            images.add((self.folder / "served.png").read_bytes())
        served = {name: worker["jobsCompleted"] for name, worker in self.workers().items()}
        check(len(images) == 1, "equal requests gave different images")
        check(min(served.values()) > 0 and sum(served.values()) == 6, f"served: {served}")
        self.report["served"] = served

    def strangers_stay_out(self):
        """Neither no key, nor an unknown one, nor a client's makes a worker."""
        strangers = dict(keyless=[], unknown=self.key_options("stranger"),
                         client=self.key_options("alice"))
        started = {name: self.start_worker("a", name, keys) for name, keys in strangers.items()}

        def all_are_told():
            logs = {name: (self.folder / f"{name}.log").read_text() for name in strangers}
            return all("connecting again" in log for log in logs.values()) and logs

        logs, _ = self.until("strangers are turned away", all_are_told)
        check("not let in as a worker" in logs["client"], logs["client"])
        for name, process in started.items():
            check("registered as" not in logs[name], logs[name])
            process.terminate()
            check(process.wait(timeout=PATIENCE) == 0, f"{name} ended with {process.returncode}")
        check(set(self.workers()) == set(WORKERS), f"workers: {self.workers()}")
        self.report["turnedAway"] = sorted(strangers)

    def pull_the_link(self):
        job = self.ask("submit", *self.REQUEST, "--steps", "250", "--detach").strip()

        def holder():
            return next((worker for worker in self.workers().values()
                         if str(worker["jobID"]) == job and worker["step"] >= 20), None)

        victim, _ = self.until("the job is at work", holder)
        self.network.set_link(victim["name"], "down")

        def successor():
            found = holder()
            return found if found and found["name"] != victim["name"] else None

        _, seconds = self.until("another worker goes on", successor)
        self.ask("attach", job, "--output", self.folder / "moved.png")
        self.network.set_link(victim["name"], "up")
        _, back = self.until(
            "the worker is back", lambda: self.states() == dict(a="idle", b="idle"))
        alone = self.folder / "alone.png"
        subprocess.run([self.turbine, "generate", "--model", ROOT / "Models" / "emoji",
                        *self.REQUEST, "--steps", "250", "--output", alone], check=True,
                       capture_output=True)
        same = alone.read_bytes() == (self.folder / "moved.png").read_bytes()
        check(same, "the image of the job that moved is another")
        self.report.update(movedAfterSeconds=round(seconds, 1), backAfterSeconds=round(back, 1),
                           sameImage=same)
        self.the_returned_serves(victim["name"])

    def the_returned_serves(self, name):
        before = self.workers()[name]["jobsCompleted"]
        jobs = [self.ask("submit", *self.REQUEST, "--steps", "20", "--detach").strip()
                for _ in range(4)]
        for job in jobs:
            self.ask("attach", job, "--output", self.folder / "served.png")
        served = self.workers()[name]["jobsCompleted"] - before
        check(served > 0, "the worker that came back draws nothing")


def check(condition, what):
    if not condition:
        raise Failure(what)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turbine", default=ROOT / ".build" / "release" / "turbine")
    parser.add_argument("--check", action="store_true", help="only say whether it can be done here")
    options = parser.parse_args()
    turbine = pathlib.Path(options.turbine).resolve()
    reason = obstacle()
    if reason:
        print(f"skipped: {reason}", file=sys.stderr)
        return SKIPPED
    if options.check:
        return 0
    with tempfile.TemporaryDirectory() as folder, Network() as network:
        try:
            print(json.dumps(Trial(network, turbine, folder).run()))
        except (Failure, OSError, subprocess.SubprocessError) as error:
            print(f"failed: {error}", file=sys.stderr)
            for log in sorted(pathlib.Path(folder).glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
