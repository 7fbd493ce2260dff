"""Charts as inline SVG: text that is drawn, so it prints sharply, scales on a phone and is read aloud by its title.

All are 360 units wide, about the width of a phone, so that their words are never smaller there than they should be. Colours
come from the page's style sheet.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from agent_gym.optimization.report.axes import Axis, linear, spread
from agent_gym.optimization.report.markup import Html, element, joined
from agent_gym.optimization.report.numbers import decimal, interval, money

WIDTH = 360
NAME = 15
"""Characters of a name that fit beside a chart."""
BINS = 40
"""Steps of a judge's score that are drawn apart."""
NEAR = 0.1
"""Scores that differ by no more are called near."""
CELLS = 20
"""Steps of both, where they are drawn against each other."""
_LETTER = 7.0
"""Mean width of a character of a label."""


class Mark(NamedTuple):
    """A score to draw."""

    name: str
    value: float
    interval: tuple[float, float]
    x: float = 0.0
    """What it costs, in the scatter plot."""
    hollow: bool = False
    """The one that the others are held against."""


class Box(NamedTuple):
    """Room that a label or a point takes."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Whether both want the same room."""
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


def intervals(marks: Sequence[Mark], *, key: str, title: str) -> Html:
    """One row a score: its dot and its 95 % interval; a dotted line goes down from the hollow one."""
    axis = linear([end for mark in marks for end in (mark.value, *mark.interval)], 116, 314, floor=0.0, ceiling=1.0)
    bottom = 16 + 27 * len(marks)
    drawn = [_tick(axis.at(tick), bottom, decimal(tick, axis.digits)) for tick in axis.ticks]
    drawn += [_line(axis.at(m.value), 8, axis.at(m.value), bottom, "reference") for m in marks if m.hollow]
    for index, mark in enumerate(marks):
        y = 24 + 27 * index
        x, (low, high) = axis.at(mark.value), map(axis.at, mark.interval)
        drawn += [
            _text(0, y + 4, _short(mark.name), "name"),
            _line(low, y, high, y, "interval"),
            _dot(x, y, mark.hollow),
            _text(WIDTH, y + 4, decimal(mark.value), "figure", "end"),
        ]
    said = "; ".join(f"{mark.name} {decimal(mark.value)}, {interval(mark.interval)}" for mark in marks)
    return _chart(key, bottom + 26, title, f"Score and 95 % interval of each: {said}.", drawn)


def scatter(marks: Sequence[Mark], *, key: str, title: str, below: str) -> Html:
    """Score upwards, dollars to the right, which `below` says what for; every point named."""
    height = 270
    up = linear([end for mark in marks for end in (mark.value, *mark.interval)], height - 44, 22, floor=0.0, ceiling=1.0)
    right = spread([mark.x for mark in marks], 44, WIDTH - 14)
    drawn = [_text(0, 10, "score", "axis")]
    for tick in up.ticks:
        drawn += [
            _line(40, up.at(tick), WIDTH, up.at(tick), "grid"),
            _text(34, up.at(tick) + 4, decimal(tick, up.digits), "axis", "end"),
        ]
    drawn += [_text(right.at(tick), height - 24, words, "axis", "middle") for tick, words in _apart(right)]
    drawn += [_text(WIDTH, height - 5, below + (" (logarithmic)" if right.logarithmic else ""), "axis", "end")]
    points = [(right.at(mark.x), up.at(mark.value)) for mark in marks]
    taken = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    for mark, (x, y) in zip(marks, points, strict=True):
        low, high = map(up.at, mark.interval)
        drawn += [_line(x, low, x, high, "interval"), _dot(x, y, mark.hollow)]
    for mark, (x, y) in zip(marks, points, strict=True):
        box = _room(x, y, _short(mark.name), taken)
        taken.append(box)
        if not box.top < y < box.bottom:
            drawn.append(_line(x, y, box.left if x < box.left else box.right, box.bottom - 7, "leader"))
        drawn.append(_text(box.left, box.bottom - 3, _short(mark.name), "label"))
    write = money(mark.x for mark in marks)
    said = "; ".join(f"{mark.name} {decimal(mark.value)} at {write(mark.x)}" for mark in marks)
    return _chart(key, height, title, f"Score against {below}: {said}.", drawn)


def verdicts(points: Sequence[tuple[float, bool]], threshold: float | None, *, key: str, title: str) -> Html:
    """A judge's scores to the right, passed and failed in a row each; a circle's area is the number of equal scores.

    Args:
        points: score in [0, 1], and whether it passed.
        threshold: where a line goes; None for none.
    """
    axis = Axis(0.0, 1.0, 66, WIDTH - 26, (0.0, 0.25, 0.5, 0.75, 1.0))
    rows, bottom = {True: 38, False: 92}, 124
    drawn = [_tick(axis.at(tick), bottom, decimal(tick, axis.digits)) for tick in axis.ticks]
    if threshold is not None:
        drawn.append(_line(axis.at(threshold), 8, axis.at(threshold), bottom, "reference"))
    counts = sorted(Counter((round(score * BINS) / BINS, passed) for score, passed in points).items())
    # The most frequent score's circle fills its row.
    most = max((count for _, count in counts), default=1)
    for (score, passed), count in counts:
        drawn.append(_dot(axis.at(score), rows[passed], not passed, radius=max(2.5, 22 * (count / most) ** 0.5)))
    drawn += [_text(0, y + 4, "passed" if passed else "failed", "name") for passed, y in rows.items()]
    drawn.append(_text(WIDTH, bottom + 34, "judge's score", "axis", "end"))
    said = "; ".join(f"{'passed' if passed else 'failed'} at {decimal(score)}: {count}" for (score, passed), count in counts)
    cut = f" Threshold {decimal(threshold)}." if threshold is not None else ""
    return _chart(key, bottom + 38, title, f"Judge's scores of passed and failed rollouts: {said}.{cut}", drawn)


def against_truth(points: Sequence[tuple[float, float, bool]], *, key: str, title: str) -> Html:
    """A judge's scores to the right, the graded truth upwards; on the dotted line the two are equal. A circle's area is the
    number of rollouts in its place.

    Args:
        points: the judge's score and the truth, both in [0, 1], and whether the rollout passed.
    """
    ticks = (0.0, 0.25, 0.5, 0.75, 1.0)
    right, up = Axis(0.0, 1.0, 44, WIDTH - 26, ticks), Axis(0.0, 1.0, 292, 24, ticks)
    drawn = [_text(0, 10, "graded score", "axis")]
    for tick in ticks:
        y = up.at(tick)
        drawn += [_line(40, y, WIDTH - 22, y, "grid"), _text(34, y + 4, decimal(tick, up.digits), "axis", "end")]
        drawn.append(_text(right.at(tick), 316, decimal(tick, right.digits), "axis", "middle"))
    drawn.append(_line(right.at(0), up.at(0), right.at(1), up.at(1), "reference"))
    counts = Counter((round(x * CELLS) / CELLS, round(y * CELLS) / CELLS, passed) for x, y, passed in points)
    most = max(counts.values(), default=1)
    # The largest circle fills its cell, so that none hides its neighbour; of two in one cell the smaller lies on top.
    for (x, y, passed), count in counts.most_common():
        drawn.append(_dot(right.at(x), up.at(y), not passed, radius=max(2.0, 5.5 * (count / most) ** 0.5)))
    drawn.append(_text(WIDTH, 336, "judge's score", "axis", "end"))
    near = sum(abs(x - y) <= NEAR for x, y, _ in points)
    said = f"Judge's score against graded score of {len(points)} rollouts; in {near} the two differ by {NEAR} or less."
    return _chart(key, 340, title, said, drawn)


def bar(share: float) -> Html:
    """A thin bar for a share in [0, 1], beside the number that says the same."""
    length = round(100 * min(max(share, 0.0), 1.0), 1)
    track = element("rect", class_="track", width=100, height=4)
    filled = element("rect", class_="fill", width=str(length), height=4)
    return element("svg", track, filled, class_="bar", viewBox="0 0 100 4", preserveAspectRatio="none", aria_hidden="true")


def _apart(axis: Axis) -> list[tuple[float, str]]:
    """The ticks, in dollars, whose words do not run into each other."""
    kept: list[tuple[float, str]] = []
    free = 0.0
    for tick in axis.ticks:
        words = f"${decimal(tick, axis.digits and max(2, axis.digits))}" if tick else "$0"
        half = len(words) * _LETTER / 2
        if axis.at(tick) - half >= free and axis.at(tick) + half <= WIDTH:
            kept.append((tick, words))
            free = axis.at(tick) + half + 8
    return kept


def _room(x: float, y: float, name: str, taken: Sequence[Box]) -> Box:
    """Where a label goes: right, left, then ever higher or lower, until it meets nothing."""
    width = len(name) * _LETTER
    places = [(left, y + step) for step in (0, -13, 13, -26, 26, -39, 39, -52, 52) for left in (x + 9, x - 9 - width)]
    boxes = [Box(left, middle - 7.5, left + width, middle + 7.5) for left, middle in places]
    inside = [box for box in boxes if box.left >= 0 and box.right <= WIDTH and box.top >= 0] or boxes
    return next((box for box in inside if not any(box.meets(other) for other in taken)), inside[0])


def _chart(key: str, height: int, title: str, said: str, drawn: Sequence[Html]) -> Html:
    named, described = f"{key}-title", f"{key}-desc"
    words = [element("title", title, id=named), element("desc", said, id=described)]
    view = f"0 0 {WIDTH} {height}"
    return element(
        "svg", *words, *drawn, class_="chart", viewBox=view, role="img", aria_labelledby=named, aria_describedby=described
    )


def _short(name: str) -> str:
    """A name that fits; of a long path the last part, where its name stands."""
    name = name if len(name) <= NAME else name.rpartition("/")[2] or name
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"


def _tick(x: float, bottom: float, words: str) -> Html:
    return joined([_line(x, 8, x, bottom, "grid"), _text(x, bottom + 17, words, "axis", "middle")])


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    return element("line", x1=f"{x1:g}", y1=f"{y1:g}", x2=f"{x2:g}", y2=f"{y2:g}", class_=kind)


def _dot(x: float, y: float, hollow: bool, radius: float = 4.5) -> Html:
    return element("circle", cx=f"{x:g}", cy=f"{y:g}", r=f"{radius:.3g}", class_="dot hollow" if hollow else "dot")


def _text(x: float, y: float, words: str, kind: str, anchor: str | None = None) -> Html:
    return element("text", words, x=f"{x:g}", y=f"{y:g}", class_=kind, text_anchor=anchor)
