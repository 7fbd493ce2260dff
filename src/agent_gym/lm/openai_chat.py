"""The dialect of OpenAI's chat completions, which vLLM, Ollama, `transformers serve` and most gateways speak too.

    POST {base}/chat/completions
    {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}
    {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
     "usage": {"prompt_tokens": 8, "completion_tokens": 1}}

What a model thinks before it answers is part of its completion tokens already.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from agent_gym.lm.base import Completion, Request

OPENAI_BASE = "https://api.openai.com/v1"
# These think before they answer: they take no temperature, and count their thoughts as part of the completion.
_REASONING = re.compile(r"(o[1345]|gpt-5)(?!.*-chat)(?![0-9a-z])")

Count = Annotated[int, msgspec.Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True):
    text: str = ""


class _Message(msgspec.Struct, frozen=True):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Details(msgspec.Struct, frozen=True):
    reasoning_tokens: Count | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    completion_tokens_details: _Details | None = None


class _Reply(msgspec.Struct, frozen=True):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    usage: _Usage | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Reply)


class OpenAIChat:
    """Chat completions for one model."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._reasoning = _REASONING.match(model.rsplit("/", 1)[-1]) is not None

    def path(self) -> str:
        return "/chat/completions"

    def headers(self, key: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def encode(self, request: Request) -> bytes:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in request.turns],
        }
        if request.temperature is not None and not self._reasoning:
            body["temperature"] = request.temperature
        if request.max_tokens is not None:
            body["max_completion_tokens" if self._reasoning else "max_tokens"] = request.max_tokens
        return _encoder.encode(body)

    def decode(self, body: bytes) -> Completion:
        reply = _decoder.decode(body)
        choice = reply.choices[0]
        content = choice.message.content
        if isinstance(content, list):
            content = "".join(part.text for part in content)
        usage = reply.usage or _Usage()
        return Completion(
            # A refusal is what the model said to the user, in a field of its own.
            text=content or choice.message.refusal or "",
            finish=choice.finish_reason or "stop",
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            reasoning_tokens=usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else None,
        )
