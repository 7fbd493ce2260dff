"""The one seam to a model: a request of plain chat turns goes in, a text comes out.

Everything between the program and the provider is a `Model` that wraps a `Model`: cache, meter, retries, the wire. The tool
calls of an agent are text here (`prompt.py` writes and reads them), which keeps worked examples and live turns in one format
and works with every provider.
"""

from typing import Literal, Protocol

import msgspec

Role = Literal["system", "user", "assistant"]


class Turn(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One chat turn as it is sent."""

    role: Role
    content: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a model. Equal requests have equal answers: they are paid once."""

    turns: tuple[Turn, ...]
    temperature: float | None = 0.0
    """None leaves it to the provider."""
    max_tokens: int | None = None
    sample: str = ""
    """Tells repeated draws of one prompt apart; part of the cache key, never sent."""


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What the model answered."""

    text: str
    finish: str = "stop"
    """`stop`, `length` (cut off), or the provider's own word."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    seconds: float | None = None
    """What the answer took when it was bought, waiting between attempts included."""


class Model(Protocol):
    """Something that completes a request.

    Raises:
        ModelError: when the endpoint fails.
    """

    name: str

    async def complete(self, request: Request) -> Completion: ...
