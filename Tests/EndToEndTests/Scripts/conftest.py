"""Where the service under test is."""

import os

import pytest


@pytest.fixture
def endpoint():
    return os.environ["TURBINE_ENDPOINT"]
