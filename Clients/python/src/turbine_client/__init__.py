"""Client for the Turbine image-generation service.

>>> generator = get_generator("tcp://127.0.0.1:5570")
>>> result = await generator.generate(prompt="a red fox in the snow", width=1024, height=1024)
>>> result.images[0].save("fox.png")
"""

from .errors import JobCancelledError, NoAnswerError, RequestError, TurbineError
from .generator import DEFAULT_ENDPOINT, Generator, get_generator
from .keys import CurveKeys
from .results import Accepted, Generation, Progress

__all__ = [
    "DEFAULT_ENDPOINT", "Accepted", "CurveKeys", "Generation", "Generator", "JobCancelledError",
    "NoAnswerError", "Progress", "RequestError", "TurbineError", "get_generator",
]
