"""How an agent's state becomes a prompt, and an answer becomes an action.

The system turn holds, in this order: the instruction, how to answer, the worked examples, the tools, and what the agent is told
beside the conversation (the date). What changes seldom comes first, so that a provider's prompt cache serves the longest
prefix; the part that depends on program and tool set is rendered once and kept. The catalog is sent once, not once per example,
and a worked example shows its tool calls in exactly the words the model must use.

    system     INSTRUCTION … # Answer … # Worked examples … # Tools … # Context …
    user       I want to eat at Sino in San Jose
    assistant  {"tool_calls": [{"name": "Restaurants_2-FindRestaurants", "arguments": {"city": "San Jose"}}]}
    user       Result of Restaurants_2-FindRestaurants: [{"restaurant_name": "Sino"}]
    assistant  Sino is a restaurant in San Jose.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, cast

import msgspec

from agent_gym.errors import AnswerError
from agent_gym.lm.base import Turn
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolSpec, User

ANSWER = """\
# Answer
Write either your words to the user, or, to call a tool, nothing but one JSON object:
{"tool_calls": [{"name": "TOOL", "arguments": {"ARGUMENT": "VALUE"}}]}
The tool's result comes with the next turn; then tell the user what it means."""
EXAMPLES = "# Worked examples"
EXAMPLE_OPEN, EXAMPLE_CLOSE = "<example>", "</example>"
TOOLS = "# Tools"
CONTEXT = "# Context"
UNSAID = (("type", "object"), ("additionalProperties", False))
EXAMPLE_ROWS = 2
"""Rows of a tool's result that a worked example shows: enough to see what an answer is made of."""
RESULT_OF, ERROR_OF = "Result of ", "Error of "
_CALLS = re.compile(r"""["']tool_calls["']\s*:""")
_BETWEEN = " \t\r\n,;`json"
"""Characters of what may stand between two objects of one answer: white space, commas, a fence."""
_DECODER = json.JSONDecoder()


@lru_cache(maxsize=4096)
def render_tools(tools: tuple[ToolSpec, ...]) -> str:
    """One compact JSON object a line; what every schema here says (an object, of strings, nothing else) is left unsaid."""
    return "\n".join(
        _json(
            {
                "name": tool.name,
                "description": tool.description,
                **({"transactional": True} if tool.transactional else {}),
                "parameters": _compact(tool.parameters),
                **({"results": tool.results} if tool.results else {}),
            }
        )
        for tool in tools
    )


def _compact(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in schema.items() if (name, value) not in UNSAID}
    properties: Mapping[str, Any] = schema.get("properties") or {}
    if properties:
        kept["properties"] = {name: _compact_shape(shape) for name, shape in properties.items()}
    return kept


def _compact_shape(shape: Any) -> Any:
    # JSON schema allows `true` for "anything".
    if not isinstance(shape, dict):
        return shape
    return {key: value for key, value in cast(dict[str, Any], shape).items() if (key, value) != ("type", "string")}


@lru_cache(maxsize=64)
def told_date(today: str) -> str:
    """What an agent is told of an ISO date, weekday included; any other text as it stands."""
    try:
        day = date.fromisoformat(today)
    except ValueError:
        return f"Today is {today}."
    return f"Today is {day:%A}, {day.day} {day:%B %Y} ({today})."


def render_examples(demos: Iterable[Mapping[str, Any]]) -> str:
    """Worked examples, each a conversation and the action that was right there. Demos without an action are passed over."""
    shown = [
        _json({"conversation": _shortened(demo["conversation"]), "action": demo["action"]})
        for demo in demos
        if demo.get("action") and demo.get("conversation")
    ]
    return "\n".join(f"{EXAMPLE_OPEN}\n{one}\n{EXAMPLE_CLOSE}" for one in shown)


def _shortened(conversation: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{**turn, "content": _shortened_result(turn["content"])} for turn in conversation]


@lru_cache(maxsize=1024)
def _shortened_result(content: str) -> str:
    head, colon, result = content.partition(": ")
    if not content.startswith(RESULT_OF) or not colon:
        return content
    try:
        rows = msgspec.json.decode(result)
    except msgspec.DecodeError:
        return content
    if not isinstance(rows, list) or len(cast(list[Any], rows)) <= EXAMPLE_ROWS:
        return content
    more = len(cast(list[Any], rows)) - EXAMPLE_ROWS
    return f'{head}: {_json(cast(list[Any], rows)[:EXAMPLE_ROWS])[:-1]},"… {more} more"]'


def render_system(instruction: str, examples: str, tools: str, context: str) -> str:
    """The system turn; all four parts are already text."""
    parts = [instruction.strip(), ANSWER]
    if examples:
        parts.append(f"{EXAMPLES}\n{examples}")
    parts.append(f"{TOOLS}\n{tools or '(none)'}")
    if context:
        parts.append(f"{CONTEXT}\n{context}")
    return "\n\n".join(parts)


def render_conversation(messages: Sequence[Message]) -> list[Turn]:
    """The conversation as chat turns; tool results travel as user turns, which every provider accepts."""
    return [render_message(message) for message in messages if not isinstance(message, System)]


def render_message(message: User | Assistant | Tool) -> Turn:
    """One message as one chat turn."""
    match message:
        case User(content):
            return Turn("user", content)
        case Assistant():
            return Turn("assistant", render_action(message))
        case Tool(name, result, error):
            if error is not None:
                return Turn("user", f"{ERROR_OF}{name}: {error}")
            return Turn("user", f"{RESULT_OF}{name}: {_json(result)}")


def render_action(action: Assistant) -> str:
    """The text a model must write to do this: plain words, or the JSON of its calls."""
    if not action.tool_calls:
        return action.content
    calls = ", ".join(f'{{"name": {_json(call.name)}, "arguments": {call.arguments}}}' for call in action.tool_calls)
    said = f', "content": {_json(action.content)}' if action.content else ""
    return f'{{"tool_calls": [{calls}]{said}}}'


def parse_action(text: str) -> Assistant:
    """Read a model's answer. Calls may be fenced, or stand beside words; slightly broken JSON is repaired.

    Raises:
        AnswerError: when nothing was written, or calls were begun that cannot be read.
    """
    stripped = text.strip()
    if not stripped:
        raise AnswerError("the model wrote nothing")
    mark = _CALLS.search(stripped)
    if mark is None:
        return Assistant(stripped)
    try:
        objects, opening = _read_objects(stripped, mark.start())
        listed = [call for value in objects for call in _listed(value.get("tool_calls"))]
        calls = tuple(_read_call(call, index) for index, call in enumerate(listed))
        content = next((value["content"] for value in objects if value.get("content")), "")
        action = Assistant(str(content or _outside(stripped, opening)), calls)
        # One half of a surrogate pair can be read from JSON, but not be sent with the next turn.
        render_action(action).encode()
    except (RecursionError, UnicodeEncodeError) as error:
        raise AnswerError(f"tool calls that are not JSON ({type(error).__name__}): {stripped[:200]!a}") from error
    if not action.tool_calls and not action.content:
        raise AnswerError(f"neither words nor a call: {stripped[:200]!r}")
    return action


def _read_objects(text: str, mark: int) -> tuple[list[dict[str, Any]], int]:
    """The object whose tool calls are at `mark`, with those that follow it at once; and where the first one begins."""
    nearest = opening = text.rfind("{", 0, mark)
    found = None
    # The nearest brace may belong to something else in the answer, such as the model's thoughts.
    while opening >= 0 and (found := _object_at(text, opening)) is None:
        opening = text.rfind("{", 0, opening)
    if found is None:
        return [_repaired(text, nearest)], nearest
    objects: list[dict[str, Any]] = []
    while found is not None:
        value, end = found
        objects.append(value)
        text = text[end:].lstrip(_BETWEEN)
        found = _object_at(text, 0)
    return objects, opening


def _object_at(text: str, start: int) -> tuple[dict[str, Any], int] | None:
    """An object with tool calls, and where it ends; None when there is none at this place."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except ValueError:
        return None
    return (cast(dict[str, Any], value), end) if isinstance(value, dict) and "tool_calls" in value else None


def _repaired(text: str, opening: int) -> dict[str, Any]:
    import json_repair

    value: Any = json_repair.loads(text[opening:].split("```")[0]) if opening >= 0 else None
    if isinstance(value, list) and value:
        value = cast(list[Any], value)[0]
    if not isinstance(value, dict):
        raise AnswerError(f"tool calls that are not JSON: {text[:200]!r}")
    return cast(dict[str, Any], value)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return cast(list[Any], value) if isinstance(value, list) else [value]


def _read_call(value: Any, index: int) -> ToolCall:
    call = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    name = call.get("name")
    if not isinstance(name, str) or not name:
        raise AnswerError(f"a tool call without a name: {_json(value)[:200]}")
    arguments = call.get("arguments", {})
    return ToolCall(name, arguments if isinstance(arguments, str) else _json(arguments), f"call_{index}")


def _outside(text: str, opening: int) -> str:
    """Words before the calls; a lone code fence is not a word."""
    return text[:opening].replace("```json", "").replace("```", "").strip()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
