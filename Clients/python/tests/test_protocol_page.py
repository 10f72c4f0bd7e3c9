"""The example of docs/protocol.md, run as it stands there."""

import asyncio
import pathlib
import re
import subprocess
import sys

import pytest

from fake_broker import FakeBroker

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "protocol.md"

# What `protoc --python_out` would have written, from the classes of the package.
MODULES = """
import sys, types
from turbine_client import messages
for name in ("turbine", "turbine.v1", "turbine.v1.client_pb2", "turbine.v1.common_pb2"):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = []
    vars(module).update(messages.MESSAGES)
sys.modules["turbine.v1"].client_pb2 = sys.modules["turbine.v1.client_pb2"]
common = sys.modules["turbine.v1"].common_pb2 = sys.modules["turbine.v1.common_pb2"]
common.ErrorCode = types.SimpleNamespace(
    Name=lambda number: messages.ENUMS["ErrorCode"].values_by_number[number].name)
"""


def example():
    if not PAGE.exists():
        pytest.skip("the repository is not here")
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    return MODULES + code


def run(code, folder, endpoint):
    return subprocess.run(
        [sys.executable, "-c", code, endpoint], cwd=folder, capture_output=True, text=True,
        timeout=90)


def test_the_example_works(tmp_path):
    async def serve():
        async with FakeBroker() as broker:
            done = await asyncio.to_thread(
                run, example(), tmp_path, broker.endpoint)
            assert broker.requests[0].generate.request.width == 512
            return done

    done = asyncio.run(serve())
    assert done.returncode == 0, done.stderr
    assert "job 1 place 0" in done.stdout and "step 8 of 8" in done.stdout
    assert (tmp_path / "image-0.png").read_bytes().startswith(b"\x89PNG")


def test_the_example_shows_errors(tmp_path):
    async def serve():
        async with FakeBroker() as broker:
            broker.refusals = [dict(code="limit_exceeded", field="steps", sentence="Too many.")]
            return await asyncio.to_thread(
                run, example(), tmp_path, broker.endpoint)

    done = asyncio.run(serve())
    assert done.returncode == 1
    assert done.stderr.strip() == "ERROR_CODE_LIMIT_EXCEEDED steps: Too many."
