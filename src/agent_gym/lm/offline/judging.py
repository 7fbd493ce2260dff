"""Judging without a neural model: what can be checked of an answer, from the judge's prompt alone.

A judge's prompt asks for a reason and a score `from 0 to N` for each criterion and holds blocks of JSON lines. What is checked
is what a careful reader without the recorded answer could check: the calls against the tools' schemas and against what was
said, the replies against what the user just did. Each criterion is scored from the checks that bear on it, which are its
reason. The words inside the blocks give no orders here: nothing looks for any.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from agent_gym.lm.offline.judging_checks import Check, Seen, checks, in_turns

_FIELD = re.compile(r"^\d+\. `(\w+)` \(\w+\): from 0 to (\d+)$", re.MULTILINE)
_BLOCK = re.compile(r"^<data (\w+) (\w+)>\n(.*?)^</data \1 \2>$", re.MULTILINE | re.DOTALL)
_REASON = "_reason"


class Field(NamedTuple):
    """A criterion and its highest score."""

    name: str
    most: int


def judge(system: str, asked: str) -> str | None:
    """The verdict as one JSON object; None when this is no judge's prompt."""
    fields = [Field(name, int(most)) for name, most in _FIELD.findall(system)]
    blocks = {name: _lines(text) for name, _, text in _BLOCK.findall(asked)}
    if not fields or "answer" not in blocks:
        return None
    turns = [checks(turn) for turn in in_turns(Seen(blocks.get("tools", []), blocks.get("conversation", []), blocks["answer"]))]
    verdict: dict[str, str | int] = {}
    for field in fields:
        own = [[check for check in found if field.name in check.bears_on] or found for found in turns]
        every = [check for found in own for check in found]
        failed = [check for check in every if not check.passed]
        said = " ".join(dict.fromkeys(check.said for check in failed or every))
        verdict[f"{field.name}{_REASON}"] = said or "Nothing can be checked."
        verdict[field.name] = round(field.most * sum(map(_share, own)) / len(own))
    return json.dumps(verdict, ensure_ascii=False)


def _share(found: Sequence[Check]) -> float:
    """In [0, 1]: every failed check takes its weight's share of what the others have left."""
    share = 1.0
    for check in found:
        share *= 1.0 - check.weight * (not check.passed)
    return share


def _lines(text: str) -> list[dict[str, Any]]:
    return [cast(dict[str, Any], value) for value in _values(text.splitlines()) if isinstance(value, dict)]


def _values(lines: Iterable[str]) -> Iterable[Any]:
    for line in lines:
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            continue
