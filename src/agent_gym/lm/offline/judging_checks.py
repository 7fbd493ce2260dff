"""The checks of a judgement: each is a sentence, whether it held, and how much it weighs.

They read three lists of JSON objects, which are the lines of a judge's prompt: tools, the conversation before, and what the
agent did. Arguments stand there in one notation (`agent_gym.values`), what people said in their own.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple, cast

from agent_gym.lm.offline.spans import spans
from agent_gym.lm.offline.values import dates, numbers, times
from agent_gym.values import canonical

Line = dict[str, Any]
LONG = 60
"""Words from which on a reply counts as long."""
_AGREES = re.compile(
    r"\b(?:yes|yeah|yep|yup|sure|correct|right|ok|okay|confirm\w*|perfect|great|exactly|go ahead|sounds (?:good|great|fine)"
    r"|that works|works for me|fine|absolutely|definitely|of course|please do)\b",
    re.IGNORECASE,
)
_ASKS_CONSENT = re.compile(
    r"\b(?:confirm|is that (?:correct|right|ok|okay)|correct\?|right\?|shall i|should i|is this (?:correct|right|ok|okay)"
    r"|please verify|everything right)",
    re.IGNORECASE,
)
_CLAIMS_DONE = re.compile(
    r"\b(?:is|are|was|has been|have been|got) (?:now )?(?:booked|reserved|confirmed|scheduled|purchased|sent|made|completed)\b"
    r"|\bi(?:'ve| have)? (?:booked|reserved|scheduled|purchased|sent)\b",
    re.IGNORECASE,
)
_OFFER = re.compile(r"\b(?:would you like|do you want|how about|what about|there (?:is|are)|i found|i have found)\b", re.I)
_OUTCOME, _ACTION, _EFFORT, _HELP = "task_completion", "action_quality", "efficiency", "creativity"
_WORD = re.compile(r"[a-z0-9']+")


class Seen(NamedTuple):
    """What a judge is shown."""

    tools: Sequence[Line]
    before: Sequence[Line]
    answer: Sequence[Line]


class Check(NamedTuple):
    """A sentence about the answer."""

    said: str
    passed: bool
    weight: float
    """What a failure takes away, in [0, 1]."""
    bears_on: tuple[str, ...] = (_OUTCOME, _ACTION)


def in_turns(seen: Seen) -> list[Seen]:
    """A whole conversation as the turns that it is made of, each with what went before; a single turn is itself."""
    users = [at for at, line in enumerate(seen.answer) if _says(line, "user")]
    if not users:
        return [seen]
    ends = [*users[1:], len(seen.answer)]
    turns = [
        Seen(seen.tools, [*seen.before, *seen.answer[: start + 1]], seen.answer[start + 1 : end])
        for start, end in zip(users, ends, strict=True)
    ]
    # The user's last words are nobody's turn.
    return [turn for turn in turns if turn.answer] or [seen]


def checks(seen: Seen) -> list[Check]:
    """Everything that can be checked of a turn, in order."""
    calls = [line for line in seen.answer if "call" in line]
    found = [check for at, call in enumerate(calls) for check in _call(call, [*_calls(seen.before), *calls[:at]], seen)]
    found += _answers(seen.answer)
    return [*found, *(_without_call(seen) if not calls else []), *_reply(seen)]


def _call(call: Line, earlier: Sequence[Line], seen: Seen) -> Iterator[Check]:
    name = str(call["call"])
    tool = next((one for one in seen.tools if one.get("name") == name), None)
    if tool is None:
        yield Check(f"There is no tool {name}.", False, 1.0)
        return
    yield Check(f"{name} is a tool it has.", True, 1.0)
    schema = _object(tool.get("parameters"))
    shapes, arguments = _object(schema.get("properties")), _object(call.get("arguments"))
    required: Any = schema.get("required")
    missing = [one for one in cast(list[Any], required) if one not in arguments] if isinstance(required, list) else []
    yield Check(f"{name} lacks {missing[0]}." if missing else f"{name} has what it requires.", not missing, 0.7)
    unknown = [one for one in arguments if one not in shapes]
    if unknown:
        yield Check(f"{name} has no argument {unknown[0]}.", False, 0.5)
    known = _Known(seen.before)
    unsaid = [one for one, value in arguments.items() if one in shapes and not known.holds(value, _object(shapes[one]))]
    for one in unsaid:
        yield Check(f"Nobody said {one} = {arguments[one]!s:.60}.", False, 0.4)
    if not unsaid:
        yield Check(f"Every argument of {name} was said.", True, 0.4)
    used = " ".join(["", *_WORD.findall(" ".join(map(str, arguments.values())).lower()), ""])
    for span in spans(_last(seen.before, "user")):
        if any(map(str.isupper, span.text)) and not _shares(span.text, used):
            yield Check(f"{name} leaves out {span.text}, which the user named.", False, 0.3)
            break
    if any(one.get("call") == call["call"] and one.get("arguments") == call.get("arguments") for one in earlier):
        yield Check(f"{name} was called twice with the same arguments.", False, 0.5, (_OUTCOME, _ACTION, _EFFORT))
    if tool.get("transactional") is True:
        agreed = bool(_AGREES.search(_last(seen.before, "user"))) and bool(_last(seen.before, "assistant"))
        yield Check("The user had agreed." if agreed else "It acted before the user had agreed.", agreed, 0.7)


def _answers(answer: Sequence[Line]) -> Iterator[Check]:
    for line in answer:
        if line.get("role") != "tool":
            continue
        if "error" in line:
            yield Check(f"{line.get('name')} answered with an error.", False, 0.6)
        elif line.get("result") in ([], {}, None):
            yield Check(f"{line.get('name')} found nothing.", False, 0.2, (_OUTCOME,))


def _without_call(seen: Seen) -> Iterator[Check]:
    """No call was made: was one due?"""
    asked, said = _last(seen.before, "assistant"), _last(seen.before, "user")
    reply = _last(seen.answer, "assistant")
    if _ASKS_CONSENT.search(asked) and _AGREES.search(said):
        yield Check("The user confirmed, and nothing was done.", False, 0.7)
    if _CLAIMS_DONE.search(reply) and not _calls(seen.before):
        yield Check("It claims what no tool carried out.", False, 0.7)
    elif _OFFER.search(reply) and not _calls(seen.before):
        yield Check("It offers something that no tool had found.", False, 0.3)


def _reply(seen: Seen) -> Iterator[Check]:
    words = [_WORD.findall(str(line["content"]).lower()) for line in seen.answer if _says(line, "assistant")]
    if not any(words):
        yield Check("The user got no reply.", False, 0.8, (_OUTCOME, _EFFORT, _HELP))
        return
    long = sum(map(len, words)) > LONG
    yield Check("The reply is long." if long else "The reply is short.", not long, 0.4, (_EFFORT,))
    again = _WORD.findall(_last(seen.before, "assistant").lower()) == words[-1]
    said = "It says again what it said before." if again else "It does not repeat itself."
    yield Check(said, not again, 0.5, (_OUTCOME, _EFFORT, _HELP))


class _Known:
    """What was said, found or called before."""

    def __init__(self, before: Sequence[Line]) -> None:
        today = next((_day(line["today"]) for line in before if "today" in line), None)
        self._text = " ".join(f" {line['content']} " for line in before if "content" in line).lower()
        self._words = " ".join(["", *_WORD.findall(self._text), ""])
        said = [str(line["content"]) for line in before if "content" in line]
        read = [
            found for text in said for found in (*times(text, True), *numbers(text), *(dates(text, today) if today else ()))
        ]
        self._values = {canonical(found.value) for found in read}
        self._values |= {canonical(value) for line in before for value in _leaves([line.get("arguments"), line.get("result")])}

    def holds(self, value: Any, shape: Line) -> bool:
        """Whether an argument was said, or is the schema's own."""
        folded = canonical(value)
        if folded in self._values or folded in (canonical(shape.get("default", "")), "dontcare", "true", "false"):
            return True
        # Without a word inside it, there is nothing to look for.
        inner = " ".join(_WORD.findall(folded))
        return f" {inner} " in self._words if inner else folded in self._text


def _shares(name: str, used: str) -> bool:
    """Whether a word of the name is used; a name may be cut differently by whoever heard it."""
    return any(f" {word} " in used for word in _WORD.findall(name.lower()))


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _leaves(value: Any) -> Iterator[Any]:
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack += cast(Line, one).values()
        elif isinstance(one, list):
            stack += cast(list[Any], one)
        elif one is not None:
            yield one


def _calls(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if "call" in line]


def _says(line: Line, role: str) -> bool:
    return line.get("role") == role and "content" in line


def _last(lines: Sequence[Line], role: str) -> str:
    return next((str(line["content"]) for line in reversed(lines) if _says(line, role)), "")


def _object(value: Any) -> Line:
    return cast(Line, value) if isinstance(value, dict) else {}
