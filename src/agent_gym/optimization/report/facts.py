"""Measurements whose form is their own: how well a score survives paraphrased schemas, and what a judge said.

They come as JSON. Objects of objects become a table, other values a list of terms, whatever the names are; a judge's rates, in
the form of `evaluation/corrected.py`, are also named in full and drawn.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from agent_gym.optimization.comparison import Comparison, Contender
from agent_gym.optimization.report.charts import Mark, intervals
from agent_gym.optimization.report.markup import Html, clipped, element, joined
from agent_gym.optimization.report.numbers import UNKNOWN, UNMEASURED, count, decimal, interval, known
from agent_gym.optimization.report.tables import LONGEST_NAME, ROWS, framed, words

JUDGED: Mapping[str, str] = {
    "judged": "judge's rate",
    "value": "corrected rate",
    "interval": "95 % interval",
    "weight": "weight of the judge",
    "n": "examples",
}
"""What the fields of a corrected rate are called in the report."""


def robustness(comparison: Comparison) -> Html | None:
    """What `Comparison.robustness` holds."""
    return _facts("robustness", "Scores with paraphrased schemas", comparison.robustness) if comparison.robustness else None


def judge(comparison: Comparison) -> Html | None:
    """What the judge said of every contender: its rate, and the rate corrected for its measured error."""
    judged = {
        one.name: {JUDGED.get(name, name): value for name, value in one.judge.items()}
        for one in comparison.contenders
        if one.judge
    }
    if not judged:
        return None
    marks = [mark for one in comparison.contenders if (mark := _corrected(one, comparison))]
    title = "The rate, corrected for the judge's measured error"
    chart = element("figure", element("h3", title), intervals(marks, key="judge-chart", title=title)) if marks else None
    return joined([_facts("judge", "What the judge said", judged), chart])


def _corrected(one: Contender, comparison: Comparison) -> Mark | None:
    rate, ends = one.judge.get("value"), _pair(one.judge.get("interval"))
    if not isinstance(rate, int | float) or not known(rate) or ends is None:
        return None
    return Mark(one.name, rate, ends, hollow=one.name == comparison.baseline)


def _facts(key: str, caption: str, values: Mapping[str, Any]) -> Html:
    """An object as terms and, for the objects in it, tables."""
    plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    nested = {name: cast(Mapping[str, Any], value) for name, value in values.items() if isinstance(value, Mapping)}
    terms = [element("div", element("dt", words(name)), element("dd", _value(value))) for name, value in plain.items()]
    inner = {name: value for name, value in nested.items() if value and all(isinstance(v, Mapping) for v in value.values())}
    rows = {name: value for name, value in nested.items() if name not in inner}
    return joined(
        [
            element("dl", *terms[:ROWS], class_="facts") if terms else None,
            _table(key, caption, rows) if rows else None,
            *(
                _table(f"{key}-{index}", f"{caption}: {words(name)}", value)
                for index, (name, value) in enumerate(inner.items())
            ),
        ]
    )


def _table(key: str, caption: str, rows: Mapping[str, Mapping[str, Any]]) -> Html:
    names = [*dict.fromkeys(name for row in rows.values() for name in row)][:ROWS]
    heads = element("tr", element("td"), *(element("th", words(name), scope="col") for name in names))
    body = [
        element(
            "tr",
            element("th", clipped(head, LONGEST_NAME), scope="row"),
            *(element("td", _value(row[name]) if name in row else UNMEASURED) for name in names),
        )
        for head, row in [*rows.items()][:ROWS]
    ]
    return framed(key, caption, element("thead", heads), element("tbody", *body))


def _value(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return decimal(value)
    if isinstance(value, str):
        return clipped(value)
    if ends := _pair(value):
        return interval(ends)
    return clipped(json.dumps(value, ensure_ascii=False, default=str))


def _pair(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return None
    numbers = [one for one in cast(Sequence[Any], value) if isinstance(one, int | float) and known(one)]
    return (float(numbers[0]), float(numbers[1])) if len(numbers) == 2 == len(cast(Sequence[Any], value)) else None
