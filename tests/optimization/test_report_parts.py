"""The parts of the report: markup, figures, axes and charts, the difference of prompts, the colours."""

import math
import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.optimization.report import numbers
from agent_gym.optimization.report.axes import linear, spread
from agent_gym.optimization.report.charts import Mark, intervals, scatter
from agent_gym.optimization.report.difference import marked
from agent_gym.optimization.report.markup import clipped, element, visible
from html_page import read_page

ANYTHING = st.text(st.characters(exclude_categories=[]))
SHARES = st.floats(0, 1)
COSTS = st.floats(1e-6, 1e4) | st.just(0.0)
STYLE = files("agent_gym.optimization.report").joinpath("style.css").read_text("utf-8")


@given(text=ANYTHING)
def test_any_text_is_one_text_and_one_attribute(text: str) -> None:
    written = element("p", text, title=text)
    written.encode()
    (node,) = read_page(written).every()
    assert (node.text, node.attributes) == (visible(text), {"title": visible(text)})


def test_markup_that_is_cut_or_added_to_is_text_again() -> None:
    bold = element("b", "x")
    assert element("p", bold) == "<p><b>x</b></p>"
    assert element("p", bold + "") == element("p", bold[:]) == "<p>&lt;b&gt;x&lt;/b&gt;</p>"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\x00b\x1b", "a\u2400b\u241b"),
        ("one\r\ntwo\tthree\n", "one\ntwo\tthree\n"),
        ("\u202eevil", "[U+202E]evil"),
        ("\ud800\ufffe\x85", "\ufffd\ufffd\ufffd"),
        ("naïve 日本 🙂 שלום", "naïve 日本 🙂 שלום"),
    ],
)
def test_what_cannot_be_seen_is_made_visible_and_the_rest_is_left_alone(text: str, told: str) -> None:
    assert visible(text) == told


def test_a_long_text_says_how_much_is_missing() -> None:
    assert clipped("x" * 12_345, 345) == "x" * 345 + " … (12,000 more characters)"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (numbers.decimal(0.71449), "0.714"),
        (numbers.decimal(-0.0004), "0.000"),
        (numbers.signed(-0.0521), "−0.052"),
        (numbers.signed(0.0), "0.000"),
        (numbers.signed(0.06), "+0.060"),
        (numbers.interval((0.1, 0.25)), "0.100 to 0.250"),
        (numbers.interval((math.nan, 0.25)), numbers.UNKNOWN),
        (numbers.chance(0.0001), "< 0.001"),
        (numbers.chance(0.24), "0.240"),
        (numbers.count(1234567), "1,234,567"),
        (numbers.milliseconds(1.84), "1,840"),
        (numbers.milliseconds(0.0003), "0.3"),
        (numbers.milliseconds(None), numbers.UNKNOWN),
        (numbers.duration(0.84), "0.8 s"),
        (numbers.duration(59.7), "1 min 00 s"),
        (numbers.duration(4320), "1 h 12 min"),
        (numbers.listed(["a"]), "a"),
    ],
)
def test_figures_are_written_for_people(written: str, told: str) -> None:
    assert written == told


def test_a_column_of_costs_has_one_number_of_decimals_and_no_made_up_zero() -> None:
    write = numbers.money([1.5, 0.0231, 0.0, None])
    assert [write(cost) for cost in (1.5, 0.0231, 0.0, None)] == ["$1.500", "$0.023", "$0", numbers.UNKNOWN]


@given(values=st.lists(SHARES, min_size=1))
def test_an_axis_holds_its_values_in_order_with_ticks_inside(values: list[float]) -> None:
    axis = linear(values, 100.0, 300.0, floor=0.0, ceiling=1.0)
    places = [axis.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(100.0 <= place <= 300.0 for place in places)
    assert axis.ticks
    assert all(axis.low - 1e-9 <= tick <= axis.high + 1e-9 for tick in axis.ticks)
    assert len({f"{tick:.{axis.digits}f}" for tick in axis.ticks}) == len(axis.ticks)


def test_costs_far_apart_stand_on_a_logarithmic_axis() -> None:
    axis = spread([0.01, 0.02, 5.0], 0.0, 100.0)
    assert axis.logarithmic
    assert axis.at(0.02) - axis.at(0.01) > 5


def test_a_cost_of_nothing_keeps_the_axis_linear() -> None:
    assert not spread([0.0, 5.0], 0.0, 100.0).logarithmic


@given(rows=st.lists(st.tuples(SHARES, SHARES, SHARES, COSTS), min_size=1, max_size=12))
def test_whatever_the_numbers_the_charts_stay_inside_their_frame(rows: list[tuple[float, float, float, float]]) -> None:
    marks = [
        Mark(f"strategy {index}", sorted(row[:3])[1], (min(row[:3]), max(row[:3])), row[3]) for index, row in enumerate(rows)
    ]
    for svg in (intervals(marks, key="a", title="t"), scatter(marks, key="b", title="t", below="cost")):
        (chart,) = read_page(svg).every("svg")
        width, height = map(float, str(chart.attributes["viewbox"]).split()[2:])
        xs = [float(str(node.attributes["cx"])) for node in chart.every("circle")]
        ys = [float(str(node.attributes["cy"])) for node in chart.every("circle")]
        assert len(xs) == len(marks)
        assert all(0 <= x <= width for x in xs)
        assert all(0 <= y <= height for y in ys)


def test_labels_of_points_close_together_do_not_cover_each_other() -> None:
    marks = [Mark(f"strategy_{index}", 0.5 + index / 500, (0.45, 0.6), 1.0 + index / 100) for index in range(5)]
    (chart,) = read_page(scatter(marks, key="k", title="t", below="cost")).every("svg")
    labels = [node for node in chart.every("text") if node.attributes["class"] == "label"]
    places = [(float(str(node.attributes["x"])), float(str(node.attributes["y"]))) for node in labels]
    apart = [abs(x1 - x2) > 70 or abs(y1 - y2) > 11 for i, (x1, y1) in enumerate(places) for x2, y2 in places[:i]]
    assert all(apart)


def test_a_word_that_changed_is_marked_on_both_sides() -> None:
    left, right = marked("Call the tool at once, please.", "Call the tool only then, please.")
    assert left == "Call the tool <del>at once,</del> please."
    assert right == "Call the tool <ins>only then,</ins> please."


def test_a_single_equal_word_between_changes_is_not_left_alone() -> None:
    left, _ = marked("one two the three four end of it", "five six the seven eight end of it")
    assert left == "<del>one two the three four</del> end of it"


@given(before=st.text("ab \n<", max_size=40), after=st.text("ab \n<", max_size=40))
def test_the_difference_loses_no_text_and_the_unmarked_words_are_the_same(before: str, after: str) -> None:
    left, right = (read_page(side) for side in marked(before, after))
    assert (left.text, right.text) == (before, after)
    unmarked = [" ".join(part for part in side.parts if isinstance(part, str)).split() for side in (left, right)]
    assert unmarked[0] == unmarked[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper", "least"),
    [
        *(("--ink", paper, 7.0) for paper in ("--paper", "--wash")),
        *(("--soft", paper, 4.5) for paper in ("--paper", "--wash")),
        ("--accent", "--paper", 4.5),
        ("--gone", "--gone-wash", 4.5),
        ("--come", "--come-wash", 4.5),
        ("--accent", "--track", 3.0),
    ],
)
def test_colours_are_told_apart(scheme: str, ink: str, paper: str, least: float) -> None:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", blocks[["light", "dark"].index(scheme)]))
    lighter, darker = sorted((_luminance(colours[ink]), _luminance(colours[paper])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    shares = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
