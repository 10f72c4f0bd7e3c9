"""Plain ZeroMQ sockets against a real broker: what docs/protocol.md promises of each kind."""

import pathlib
import re
import subprocess
import sys

import pytest
import zmq
from turbine_client import messages

ROOT = pathlib.Path(__file__).parents[3]
PAGE = ROOT / "docs" / "protocol.md"


def example():
    return re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]


@pytest.fixture
def generated(tmp_path):
    """What the page tells to make: the classes that protoc writes for Python."""
    files = sorted(str(file) for file in (ROOT / "Proto" / "turbine" / "v1").glob("*.proto"))
    subprocess.run(["protoc", "-I", str(ROOT / "Proto"), f"--python_out={tmp_path}", *files],
                   check=True)
    return tmp_path


def test_the_complete_client_of_the_page(endpoint, generated):
    done = subprocess.run([sys.executable, "-c", example(), endpoint], cwd=generated,
                          capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"job \d+ place \d+", lines[0])
    assert lines[-1] == "step 8 of 8"
    png = (generated / "image-0.png").read_bytes()
    assert png.startswith(b"\x89PNG") and png[16:24] == (512).to_bytes(4) * 2


def request(correlation, seed=0, **fields):
    message = messages.ClientMessage(protocol_version=1, correlation=correlation)
    generate = message.generate
    generate.request.prompt = "cat"
    generate.request.width = generate.request.height = 32
    generate.request.steps = 1
    generate.request.guidance = 0
    generate.request.seed = seed
    for name, value in fields.items():
        setattr(generate, name, value)
    return message.SerializeToString()


@pytest.fixture
def connect(endpoint):
    context = zmq.Context()
    sockets = []

    def open_socket(kind):
        socket = context.socket(kind)
        socket.linger = 0
        socket.rcvtimeo = 60_000
        socket.rcvhwm = socket.sndhwm = 10_000
        socket.connect(endpoint)
        sockets.append(socket)
        return socket

    yield open_socket
    for socket in sockets:
        socket.close()
    context.term()


def test_req_gets_one_reply(connect):
    socket = connect(zmq.REQ)
    for correlation in (5, 6):
        socket.send(request(correlation))
        reply = messages.ServerMessage.FromString(socket.recv())
        assert reply.WhichOneof("reply") == "completed" and reply.correlation == correlation
        assert reply.completed.images[0].png.startswith(b"\x89PNG")
    socket.send(b"no message at all")
    reply = messages.ServerMessage.FromString(socket.recv())
    assert reply.WhichOneof("reply") == "failed" and reply.failed.job_id == 0
    assert reply.failed.error.code == 1


@pytest.mark.parametrize("has_delimiter", [False, True])
def test_dealer_pipelines_three_hundred(connect, has_delimiter):
    socket = connect(zmq.DEALER)
    count = 300
    for correlation in range(1, count + 1):
        name = f"{has_delimiter}-{correlation}"
        body = request(correlation, seed=correlation % 3, request_id=name)
        socket.send_multipart([b"", body] if has_delimiter else [body])
    open_requests = set(range(1, count + 1))
    kinds = {correlation: [] for correlation in open_requests}
    pixels = {0: set(), 1: set(), 2: set()}
    while open_requests:
        frames = socket.recv_multipart()
        assert len(frames) == (2 if has_delimiter else 1)
        assert not has_delimiter or frames[0] == b""
        reply = messages.ServerMessage.FromString(frames[-1])
        kind = reply.WhichOneof("reply")
        assert reply.correlation in open_requests, "a reply after the final one"
        kinds[reply.correlation].append(kind)
        if kind == "completed":
            open_requests.remove(reply.correlation)
            pixels[reply.correlation % 3].add(reply.completed.images[0].pixel_sha256)
        else:
            assert kind in ("accepted", "progress"), reply
    for heard in kinds.values():
        assert heard[0] == "accepted" and heard.count("accepted") == 1
        assert heard[-1] == "completed"
    assert all(len(found) == 1 for found in pixels.values())
    assert not socket.poll(200)


def test_dealer_with_only_the_final_reply(connect):
    socket = connect(zmq.DEALER)
    socket.send(request(9, replies=2))
    reply = messages.ServerMessage.FromString(socket.recv_multipart()[-1])
    assert reply.WhichOneof("reply") == "completed" and reply.correlation == 9


def test_req_with_only_the_acceptance(connect):
    socket = connect(zmq.REQ)
    socket.send(request(1, replies=3, request_id="accepted-only", detach_on_disconnect=True))
    reply = messages.ServerMessage.FromString(socket.recv())
    assert reply.WhichOneof("reply") == "accepted"
    message = messages.ClientMessage(protocol_version=1, correlation=2)
    message.attach.job.job_id = reply.accepted.job_id
    socket.send(message.SerializeToString())
    reply = messages.ServerMessage.FromString(socket.recv())
    assert reply.WhichOneof("reply") == "completed" and reply.correlation == 2
