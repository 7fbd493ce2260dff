"""A model's endpoint for tests: real HTTP on loopback, both dialects, and every fault a provider can show.

    with ModelServer(lambda asked: f"You said {asked.turns[-1][1]}") as server:
        handle = make_lm("openai/any", api_base=server.openai, cache=None)

What it was asked is in `server.asked`, in the order of arrival.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

import msgspec
from aiohttp import web

FAULTS = ("rate_limited", "server_error", "unreadable", "empty", "cut_off", "timeout")
"""Kinds of `agent_gym.lm.faults` that the server can act out."""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    turns: tuple[tuple[str, str], ...]
    """Role and words, in OpenAI's roles whatever the dialect."""
    client_port: int
    """Tells connections apart."""


@dataclass(frozen=True)
class Faults:
    """Which requests fail, and how: the same question's attempts fare the same in every run, in whatever order they come."""

    share: float = 0.2
    seed: int = 0
    kinds: Sequence[str] = FAULTS
    in_a_row: int = 2
    """After so many faults, the same question is answered."""

    def pick(self, question: str, attempt: int) -> str | None:
        random = Random(f"{self.seed} {attempt} {question}")
        return random.choice(self.kinds) if attempt < self.in_a_row and random.random() < self.share else None


def echo(asked: Asked) -> str:
    return f"answer to: {asked.turns[-1][1]}"


@dataclass
class ModelServer:
    """An endpoint at `server.openai` and `server.gemini` while the context lasts."""

    reply: Callable[[Asked], str] = echo
    latency: float = 0.0
    crowd: int = 0
    """Nobody is answered before so many wait at once."""
    faults: Faults = field(default_factory=lambda: Faults(share=0.0))
    response: Callable[[Asked], web.Response | None] = lambda asked: None
    """Answers in place of all the rest, when it gives something."""

    def __post_init__(self) -> None:
        self.asked: list[Asked] = []
        self.acted: Counter[str] = Counter()
        self._waiting = 0
        self._attempts: Counter[str] = Counter()

    @property
    def openai(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def gemini(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1beta"

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model-server")
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._done, self._crowded = asyncio.Event(), asyncio.Event()
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        self._done.set()
        await self._runner.cleanup()

    async def _answer(self, http: web.Request) -> web.Response:
        asked = _read(http, await http.read())
        self.asked.append(asked)
        self._waiting += 1
        if self._waiting >= self.crowd:
            self._crowded.set()
        await self._crowded.wait()
        if (response := self.response(asked)) is not None:
            return response
        question = repr(asked.turns)
        fault = self.faults.pick(question, self._attempts[question])
        self._attempts[question] += 1
        if self.latency:
            await asyncio.sleep(self.latency)
        if fault is None:
            return say(asked, self.reply(asked))
        self.acted[fault] += 1
        match fault:
            case "rate_limited":
                return web.Response(status=429, headers={"Retry-After": "0"}, text='{"error": {"message": "slow down"}}')
            case "server_error":
                return web.Response(status=500, text="something broke")
            case "unreadable":
                return web.Response(text="<html>not what you asked for</html>")
            case "empty":
                return say(asked, "")
            case "cut_off":
                return say(asked, self.reply(asked)[:5], finish="length")
            case _:
                # Longer than any client waits: it hangs up, or the server ends.
                await self._done.wait()
                return web.Response(status=503)


def say(asked: Asked, text: str, *, finish: str = "stop") -> web.Response:
    """An answer in the dialect of the question."""
    tokens = sum(len(words) for _, words in asked.turns), len(text)
    if asked.path.endswith(":generateContent"):
        body: dict[str, Any] = {
            "candidates": [
                {
                    "content": {"role": "model", "parts": [{"text": text}]},
                    "finishReason": {"stop": "STOP", "length": "MAX_TOKENS"}[finish],
                }
            ],
            "usageMetadata": {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1]},
        }
    else:
        body = {
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
            "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]},
        }
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def _read(http: web.Request, raw: bytes) -> Asked:
    body: dict[str, Any] = msgspec.json.decode(raw)
    if "contents" in body:
        system = body.get("systemInstruction", {"parts": []})["parts"]
        turns = [("system", part["text"]) for part in system]
        turns += [("assistant" if c["role"] == "model" else c["role"], c["parts"][0]["text"]) for c in body["contents"]]
    else:
        turns = [(message["role"], message["content"]) for message in body["messages"]]
    peer: tuple[str, int] = http.get_extra_info("peername")
    return Asked(http.path, dict(http.headers), body, tuple(turns), peer[1])
