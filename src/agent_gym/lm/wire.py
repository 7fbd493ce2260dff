"""A model behind an HTTP endpoint: one pool of connections, one POST per answer, a dialect at either end.

A dialect (`openai_chat.py`, `gemini.py`) is a `Codec`: a request to bytes, bytes to a completion. What is between them is here:
the connection, the time limit, and what a status means. A request costs a quarter of a millisecond of CPU.

Only the endpoint itself is contacted: no redirect is followed (it would carry the key elsewhere), no proxy is read from the
environment, no cookie is kept. A foreign error is not chained to ours: its request, headers included, would hang on it.
"""

import asyncio
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, cast
from weakref import WeakKeyDictionary

import aiohttp
import msgspec
from yarl import URL

from agent_gym.errors import ModelError, ModelRefused, ModelTimeout, RateLimited
from agent_gym.lm import loop
from agent_gym.lm.base import Completion, Request
from agent_gym.lm.faults import ServerFailed, Unreachable, Unreadable
from agent_gym.lm.secret import Secret

LARGEST_ANSWER = 16 * 2**20
"""Bytes of a body that are read before it is called unreadable."""
SHOWN = 300
"""Characters of a server's words that an error shows."""
# Gemini says how long to wait inside the body of a 429, not in a header: "retryDelay": "34s".
_RETRY_DELAY = re.compile(rb'"retryDelay"\s*:\s*"([0-9.]+)s"')


class Codec(Protocol):
    """A dialect, bound to one model."""

    def path(self) -> str:
        """What follows the endpoint's base in the URL, percent-encoded."""
        ...

    def headers(self, key: str) -> Mapping[str, str]:
        """How the key is shown."""
        ...

    def encode(self, request: Request) -> bytes:
        """The JSON body of a request."""
        ...

    def decode(self, body: bytes) -> Completion:
        """What an answer's body says.

        Raises:
            ValueError: (msgspec's errors are some) when it is not an answer of this dialect.
            RecursionError: when it is nested without end.
        """
        ...


class HttpModel:
    """A model that is reached over HTTP.

    Args:
        name: as the user wrote it, "openai/gpt-5-mini".
        codec: the endpoint's dialect.
        base: the endpoint's base URL, without a slash at its end.
        key: sent with every request, shown nowhere.
        timeout: seconds for a whole request, connecting included.
    """

    def __init__(self, name: str, codec: Codec, *, base: str, key: Secret, timeout: float = 120.0) -> None:
        self.name = name
        self._codec = codec
        self._key = key
        self._url = URL(base + codec.path(), encoded=True)
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    def __repr__(self) -> str:
        return f"HttpModel({self.name!r}, {str(self._url)!r})"

    async def complete(self, request: Request) -> Completion:
        """One request, one attempt.

        Raises:
            ModelError: the endpoint refused, failed, was too slow, or answered something that is not its dialect.
        """
        outcome = await self._exchange(self._codec.encode(request))
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome

    async def _exchange(self, body: bytes) -> Completion | ModelError:
        """Errors are returned, so that they are raised where no foreign error is at hand to be chained."""
        try:
            async with _session().post(
                self._url,
                data=body,
                headers=self._codec.headers(self._key.reveal()),
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                answer = await _read(response)
                status, headers = response.status, response.headers
        except TimeoutError:
            return ModelTimeout(f"{self._where()} did not answer within {self._timeout.total:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Unreachable(self._clean(f"{self._where()} cannot be reached: {type(error).__name__}: {error}"))
        if answer is None:
            return Unreadable(f"{self._where()} answered more than {LARGEST_ANSWER} bytes")
        if status >= 300:
            return self._refusal(status, headers, answer)
        try:
            return self._codec.decode(answer)
        except (ValueError, RecursionError) as error:
            text = answer[:SHOWN].decode(errors="replace")
            return Unreadable(self._clean(f"{self._where()} answered something else than a completion ({error}): {text!r}"))

    def _refusal(self, status: int, headers: Mapping[str, str], answer: bytes) -> ModelError:
        message = self._clean(f"{self._where()} answered {status}: {_words(answer)}")
        if status == 429:
            return RateLimited(message, retry_after=_retry_after(headers, answer))
        if status == 408:
            return ModelTimeout(message)
        if status >= 500:
            return ServerFailed(message, retry_after=_retry_after(headers, answer))
        if status < 400:
            return ModelRefused(f"{message} (redirects are not followed; give the address itself with --api-base)")
        return ModelRefused(message)

    def _where(self) -> str:
        return f"{self.name} at {self._url.origin()}"

    def _clean(self, text: str) -> str:
        # Scrubbed before it is cut: half a key is still a secret.
        scrubbed = self._key.scrub(text)
        return scrubbed if len(scrubbed) <= SHOWN else f"{scrubbed[:SHOWN]}…"


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, or None when it does not end."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_ANSWER:
            response.close()
            return None
    return b"".join(chunks)


def _words(answer: bytes) -> str:
    """What a server says about its refusal: the message inside the usual envelopes, else the body as it is."""
    said: Any = answer[:LARGEST_ANSWER].decode(errors="replace")
    with suppress(ValueError, RecursionError):
        said = msgspec.json.decode(answer)
    while isinstance(said, list) and said:
        said = cast(list[Any], said)[0]
    for name in ("error", "message", "detail"):
        if isinstance(said, dict):
            envelope = cast(dict[str, Any], said)
            said = envelope.get(name, envelope)
    text = said if isinstance(said, str) else msgspec.json.encode(said).decode()
    return " ".join(text.split())


def _retry_after(headers: Mapping[str, str], answer: bytes) -> float | None:
    """Seconds the endpoint asks for: a number, an HTTP date, or Gemini's word in the body."""
    value = headers.get("Retry-After", "").strip()
    seconds = math.nan
    if value:
        try:
            seconds = float(value)
        except ValueError:
            with suppress(ValueError):
                date = parsedate_to_datetime(value)
                # A date without a zone is in UTC, as HTTP dates are.
                seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    elif delay := _RETRY_DELAY.search(answer):
        with suppress(ValueError):
            seconds = float(delay[1])
    return max(seconds, 0.0) if math.isfinite(seconds) else None


_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


def _session() -> aiohttp.ClientSession:
    """The running loop's pool of connections, as many as there are requests in flight: the caller bounds those."""
    running = asyncio.get_running_loop()
    session = _sessions.get(running)
    if session is None:
        session = _sessions[running] = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "agent-gym", "Content-Type": "application/json"},
            trust_env=False,
        )
        if loop.on_background():
            loop.on_close(session.close)
    return session
