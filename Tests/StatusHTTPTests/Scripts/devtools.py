"""A Chromium driven over its debugging pipe: messages are JSON, each with a NUL at its end.

Protocol: https://chromedevtools.github.io/devtools-protocol/
"""
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

# For a machine that is busy with other things; nothing here is a measure of speed.
PATIENCE_SECONDS = 180


class Browser:
    """One browser with one page. Closing it kills all its processes and removes its profile."""

    def __init__(self, path: str) -> None:
        self.profile = tempfile.mkdtemp(prefix="turbine-chromium-")
        self.messages: list[str] = []
        self.buffer = b""
        self.number = 0
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        # The browser reads from 3 and writes to 4; copies out of the way of those two come first.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (commands, answers)]

        def place() -> None:
            for end, place in zip(ends, (3, 4)):
                os.dup2(end, place)

        arguments = [
            path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--no-default-browser-check", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-extensions",
            "--disable-sync",
            "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"]
        # A group of its own, so that helpers die with it.
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, pass_fds=(3, 4), preexec_fn=place)
        for end in (*ends, commands, answers):
            os.close(end)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method: str, **parameters):
        """Sends a command and waits for its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.receive(end, method)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def receive(self, end: float, what: str) -> dict:
        while b"\0" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise RuntimeError(f"{what}: the browser does not answer")
            data = os.read(self.answers, 1 << 16)
            if not data:
                raise RuntimeError(f"{what}: the browser has ended")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(line)
        self.note(message.get("method"), message.get("params", {}))
        return message

    def note(self, event, content: dict) -> None:
        """Keeps what a page that is in order never says."""
        if event == "Runtime.exceptionThrown":
            self.messages.append(content["exceptionDetails"]["text"])
        elif event == "Log.entryAdded" and content["entry"]["level"] == "error":
            self.messages.append(content["entry"]["text"])

    def evaluate(self, expression: str):
        """The value of an expression in the page, which must have one that JSON can hold."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']['text']}")
        return result["result"].get("value")

    def wait(self, expression: str) -> bool:
        """Whether an expression becomes true in time."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if self.evaluate(expression):
                return True
            time.sleep(0.1)
        return False
