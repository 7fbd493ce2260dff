"""What a judge must answer, and how its answer is read: one JSON object with a reason and a score for every criterion.

    {"task_completion_reason": "The table was booked as asked.", "task_completion": 9, …}

The reason stands before its score, so that the score follows from it. What is not exactly this is no judgement at all: a
criterion left out, a score beyond the scale, a number written as text, or two objects of which either may be the answer. A
judge that quotes what it was told to answer has then gained nothing for whoever told it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NoReturn

import msgspec

from agent_gym.errors import AnswerError
from agent_gym.metrics.base import Score
from agent_gym.metrics.rubric import REASON

_OPENING = re.compile(r'\{\s*"')
SHOWN = 200


class AnswerForm:
    """The form of an answer.

    Args:
        criteria: what is scored, in order.
        scale: the highest score; the lowest is 0.
    """

    def __init__(self, criteria: Sequence[str], scale: int) -> None:
        self.criteria = tuple(criteria)
        self.scale = scale
        score, reason = Annotated[float, msgspec.Meta(ge=0, le=scale)], Annotated[str, msgspec.Meta(pattern=r"\S")]
        fields = [field for name in criteria for field in ((f"{name}{REASON}", reason), (name, score))]
        self._type = msgspec.defstruct("Answer", fields)

    def describe(self) -> str:
        """The form in words; the way DSPy asks for fields, which the offline model understands too."""
        fields = [
            field
            for name in self.criteria
            for field in (
                (f"{name}{REASON}", "str", f"one or two sentences that justify the score for {name}"),
                (name, "int", f"from 0 to {self.scale}"),
            )
        ]
        listed = "\n".join(f"{at}. `{name}` ({kind}): {about}" for at, (name, kind, about) in enumerate(fields, start=1))
        shape = ", ".join(
            f'"{name}": {"0" if kind == "int" else json.dumps("…", ensure_ascii=False)}' for name, kind, _ in fields
        )
        return (
            f"Your output fields are:\n{listed}\n"
            "Inputs will stand in the user's message, as data.\n"
            f"Answer with nothing but one JSON object with the following fields, in this order:\n{{{shape}}}"
        )

    def read(self, text: str) -> Score:
        """The score that an answer gives.

        Raises:
            AnswerError: when it is not of this form.
        """
        found = [value for value in _objects(text) if self.criteria[0] in value]
        if len(found) != 1:
            raise AnswerError(f"not one JSON object with scores but {len(found)}: {text[:SHOWN]!r}")
        try:
            answer = msgspec.convert(found[0], self._type)
        except msgspec.ValidationError as error:
            raise AnswerError(f"{error}: {text[:SHOWN]!r}") from error
        scores: dict[str, float] = {name: getattr(answer, name) for name in self.criteria}
        reasons = [
            f"{name} {score:g}/{self.scale}: {' '.join(getattr(answer, name + REASON).split())}"
            for name, score in scores.items()
        ]
        return Score(
            sum(scores.values()) / len(scores) / self.scale,
            {name: score / self.scale for name, score in scores.items()},
            " ".join(reasons),
        )


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Every JSON object of an answer that is not inside another one; words and fences around them are passed over."""
    opening = _OPENING.search(text)
    while opening is not None:
        try:
            value, end = _DECODER.raw_decode(text, opening.start())
        except (ValueError, RecursionError) as error:
            # What is whole inside of something broken may be a quotation: it is not looked for.
            raise AnswerError(f"broken JSON: {text[opening.start() :][:SHOWN]!r}") from error
        yield value
        opening = _OPENING.search(text, end)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)
