"""The dialect of Gemini's generateContent.

    POST {base}/models/gemini-3-pro-preview:generateContent
    {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], "generationConfig": {"temperature": 0.0}}
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
     "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 1, "thoughtsTokenCount": 60}}

Thoughts are counted beside the candidate's tokens but paid like them, so a completion's tokens are their sum.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from agent_gym.lm.base import Completion, Request

GEMINI_BASE = "https://generativelanguage.googleapis.com/v1beta"

Count = Annotated[int, msgspec.Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True):
    text: str = ""
    thought: bool = False


class _Content(msgspec.Struct, frozen=True):
    parts: tuple[_Part, ...] = ()


class _Candidate(msgspec.Struct, frozen=True, rename="camel"):
    content: _Content = _Content()
    finish_reason: str = "STOP"


class _Feedback(msgspec.Struct, frozen=True, rename="camel"):
    block_reason: str | None = None


class _Usage(msgspec.Struct, frozen=True, rename="camel"):
    prompt_token_count: Count | None = None
    candidates_token_count: Count | None = None
    thoughts_token_count: Count | None = None


class _Reply(msgspec.Struct, frozen=True, rename="camel"):
    candidates: tuple[_Candidate, ...] = ()
    prompt_feedback: _Feedback = _Feedback()
    usage_metadata: _Usage = _Usage()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Reply)
_FINISH = {"STOP": "stop", "MAX_TOKENS": "length"}
_ROLE = {"user": "user", "assistant": "model"}


class Gemini:
    """generateContent for one model."""

    def __init__(self, model: str) -> None:
        self._model = model

    def path(self) -> str:
        return f"/models/{quote(self._model, safe='')}:generateContent"

    def headers(self, key: str) -> Mapping[str, str]:
        return {"x-goog-api-key": key}

    def encode(self, request: Request) -> bytes:
        system = [{"text": turn.content} for turn in request.turns if turn.role == "system"]
        contents: list[dict[str, Any]] = [
            {"role": _ROLE[turn.role], "parts": [{"text": turn.content}]} for turn in request.turns if turn.role != "system"
        ]
        body: dict[str, Any] = {"contents": contents}
        if not contents:
            # An instruction alone is refused; it is then what the user says.
            body["contents"] = [{"role": "user", "parts": system}]
        elif system:
            body["systemInstruction"] = {"parts": system}
        config: dict[str, Any] = {}
        if request.temperature is not None:
            config["temperature"] = request.temperature
        if request.max_tokens is not None:
            config["maxOutputTokens"] = request.max_tokens
        if config:
            body["generationConfig"] = config
        return _encoder.encode(body)

    def decode(self, body: bytes) -> Completion:
        reply = _decoder.decode(body)
        usage = reply.usage_metadata
        written, thought = usage.candidates_token_count, usage.thoughts_token_count
        if reply.candidates:
            candidate = reply.candidates[0]
            text = "".join(part.text for part in candidate.content.parts if not part.thought)
            finish = _FINISH.get(candidate.finish_reason, candidate.finish_reason)
        elif reply.prompt_feedback.block_reason:
            text, finish = "", reply.prompt_feedback.block_reason
        else:
            raise ValueError("no candidates")
        return Completion(
            text=text,
            finish=finish,
            prompt_tokens=usage.prompt_token_count,
            completion_tokens=None if written is None and thought is None else (written or 0) + (thought or 0),
            reasoning_tokens=thought,
        )
