"""The report as a document: what stands in it, in which order, and that nothing written in the data becomes markup."""

import math
import random
import re
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_gym.optimization.comparison import Comparison, Contender, Difference, Slice, Turns
from agent_gym.optimization.report import render_report
from agent_gym.optimization.report.markup import visible
from comparisons import Plain, hostile, realistic
from html_page import Node, read_page

SECTIONS = ["compared", "said", "scores", "charts", "slices", "prompts", "examples", "robustness", "judge", "notes", "numbers"]
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title></text></desc></svg><b>",
    "<!-- --><![CDATA[",
    "&lt;script&gt; &amp; &#60;b&#62; &notit;",
    "javascript:alert(1)",
    "\x00\x01\x1b[31m\x7f\x85 \r\n \r \x0c",
    "\u202e\u2066 \ud800 \ufffe \U0010ffff",
    "",
]


def report(comparison: Comparison) -> Node:
    return read_page(render_report(comparison))


def changed(comparison: Comparison, **fields: object) -> Comparison:
    """The comparison with its last contender changed."""
    *others, last = comparison.contenders
    return msgspec.structs.replace(comparison, contenders=(*others, msgspec.structs.replace(last, **fields)))


def words(node: Node) -> str:
    return " ".join(node.text.split())


@pytest.fixture(scope="module")
def page(sample_page: str) -> Node:
    return read_page(sample_page)


@pytest.fixture(scope="module")
def sample_page() -> str:
    return render_report(realistic(Path(__file__).parents[2] / "data" / "sample"))


def test_the_report_is_one_file_that_names_no_other(sample_page: str, page: Node) -> None:
    assert not re.search(r"https?://|//[a-z]|url\(|@import|<script|\ssrc=|\son\w+=", sample_page)
    assert {node.attributes["href"] for node in page.every("link")} == {"data:,"}
    assert all(str(node.attributes["href"]).startswith("#") for node in page.every("a"))


def test_the_page_forbids_itself_everything_but_its_style(page: Node) -> None:
    (policy,) = [meta.attributes["content"] for meta in page.every("meta") if "http-equiv" in meta.attributes]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def test_the_page_says_its_language_encoding_and_width(sample_page: str, page: Node) -> None:
    assert sample_page.startswith('<!doctype html>\n<html lang="en">')
    assert page.every("meta")[0].attributes == {"charset": "utf-8"}
    assert "width=device-width" in str(page.every("meta")[2].attributes["content"])


def test_the_sections_stand_in_order_and_the_contents_lead_to_them(page: Node) -> None:
    assert [node.attributes["id"] for node in page.every("section") if "id" in node.attributes] == SECTIONS
    assert [node.attributes["href"] for node in page.every("a")] == [f"#{key}" for key in SECTIONS]


def test_there_is_one_main_heading_and_no_level_is_skipped(page: Node) -> None:
    levels = [int(node.tag[1]) for node in page.every("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_id_is_given_once_and_every_name_by_id_exists(page: Node) -> None:
    ids = [node.attributes["id"] for node in page.every() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    wanted = [node.attributes.get(name) for node in page.every() for name in ("aria-labelledby", "aria-describedby")]
    assert {one for one in wanted if one} <= set(ids)


def test_every_table_has_a_caption_heads_with_a_scope_and_full_rows(page: Node) -> None:
    assert len(page.every("table")) == 7
    for table in page.every("table"):
        assert table.every("caption")[0].text
        assert all(head.attributes.get("scope") in ("col", "row", "colgroup") for head in table.every("th"))
        widths = [sum(int(cell.attributes.get("colspan") or 1) for cell in row.every("th", "td")) for row in table.every("tr")]
        assert len(set(widths)) == 1


def test_every_chart_has_a_role_a_title_and_the_numbers_in_words(page: Node) -> None:
    charts = [svg for svg in page.every("svg") if "aria-hidden" not in svg.attributes]
    assert [svg.attributes["role"] for svg in charts] == ["img"] * 4
    assert all(svg.every("title")[0].text and "baseline 0." in svg.every("desc")[0].text for svg in charts)


def test_the_data_the_models_the_seeds_and_the_examples_are_named(page: Node) -> None:
    told = words(page.one("compared"))
    for one in ("data/sample, dev", "gemini/gemini-3-pro-preview", "openai/gpt-4o", "0, 1, 2", "98 scored in every repeat"):
        assert one in told


def test_every_verdict_and_the_ranking_are_told(page: Node) -> None:
    told = words(page.one("said"))
    assert "gepa is better than baseline by 0.129, 95 % interval 0.081 to 0.178." in told
    assert "bootstrap: no difference can be told at 98 examples; about 420 would be needed." in told
    assert "bootstrap and baseline – no difference can be told between these" in told


def test_a_difference_without_a_verdict_is_told_in_numbers() -> None:
    difference = Difference(mean=-0.05, interval=(-0.1, 0.004), p=0.04, adjusted_p=0.08)
    told = words(report(changed(Plain().build(), difference=difference)).one("said"))
    assert "bootstrap scores −0.050 against baseline, 95 % interval −0.100 to +0.004." in told


def test_strategies_that_cannot_be_told_apart_are_said_to_be_so() -> None:
    comparison = msgspec.structs.replace(Plain(["a", "b", "c"]).build(), ranking=(("a", "b", "c"),))
    assert "No difference can be told between a, b and c." in words(report(comparison).one("said"))


def test_a_single_contender_is_reported_without_a_comparison() -> None:
    page = report(Plain(["baseline"]).build())
    assert page.every("h1")[0].text == "Report on baseline"
    assert "Only baseline was measured" in page.one("said").text


def test_a_comparison_of_nothing_says_so() -> None:
    page = report(Comparison(data="", models={}, seeds=(), baseline="", contenders=()))
    assert "Nothing was measured." in page.one("said").text


def test_parts_that_are_not_there_get_no_section() -> None:
    page = report(Plain().build())
    assert [node.attributes["id"] for node in page.every("section")] == ["compared", "said", "scores", "charts", "numbers"]


def test_an_offline_run_says_what_offline_is() -> None:
    assert "offline is a schema-guided policy, not a neural model" in report(Plain().build()).one("compared").text


def test_a_run_with_real_models_says_nothing_of_offline(page: Node) -> None:
    assert "offline" not in page.text


def test_an_unknown_cost_is_called_unknown_and_its_contender_is_named_beside_the_plot(sample: Path) -> None:
    page = report(changed(realistic(sample), cost=None))
    row = [words(cell) for cell in effort_row(page, "bootstrap")]
    assert row[4] == "unknown"
    assert "Not drawn, since the cost to optimize and measure is unknown: bootstrap." in page.one("charts").text


def test_when_no_cost_is_known_there_is_no_plot_but_a_sentence() -> None:
    page = report(Plain().build())
    assert len(page.one("charts").every("svg")) == 1
    assert "unknown: baseline and bootstrap." in page.one("charts").text


def test_a_cost_of_nothing_is_a_number() -> None:
    assert [words(cell) for cell in effort_row(report(changed(Plain().build(), cost=0.0)), "bootstrap")][4] == "$0"


def test_an_unknown_latency_is_called_unknown() -> None:
    assert [words(cell) for cell in effort_row(report(Plain().build()), "baseline")][-2:] == ["unknown", "unknown"]


def effort_row(page: Node, name: str) -> list[Node]:
    (table,) = [table for table in page.every("table") if table.every("caption")[0].text == "Effort and speed"]
    (row,) = [row for row in table.every("tr") if row.every("th") and row.every("th")[0].text == name]
    return row.every("th", "td")


def test_scores_that_are_no_numbers_are_unknown_and_not_drawn() -> None:
    page = report(changed(Plain().build(), score=math.nan, interval=(math.inf, 0.5)))
    assert "unknown" in page.one("scores").text
    assert len(page.one("charts").every("circle")) == 1


def test_a_service_that_only_one_played_is_not_measured_for_the_other() -> None:
    page = report(changed(Plain().build(), by_service={"Hotels_1": Slice(4, 0.25)}))
    assert words(page.one("slices").every("tbody")[0]) == "Hotels_14not measured0.250"


def test_the_turns_of_an_example_are_shown_with_scores_and_reasons(page: Node) -> None:
    first = page.one("examples").every("details")[0]
    assert "open" in first.attributes
    assert first.every("h3")[0].text == "dev/3_00004#2"
    for told in ("we thought of lake country", "Campsites_1-FindCampsite", "0.410", "which was not made"):
        assert told in first.text


def test_an_example_whose_endpoint_failed_is_not_scored() -> None:
    turns = Turns(id="e", played={"bootstrap": ()}, scores={"baseline": 0.5})
    told = words(report(msgspec.structs.replace(Plain().build(), changed=(turns,))).one("examples"))
    assert "bootstrap not scorednothing" in told


def test_the_prompts_are_shown_as_a_difference(page: Node) -> None:
    prompts = page.one("prompts")
    assert any("Rules learned" in node.text for node in prompts.every("ins"))
    assert words(prompts.every("del")[0]).startswith("chooses. Decide the next step")
    assert "The same instruction as baseline." in prompts.text


def test_when_all_prompts_are_equal_the_prompt_is_still_shown() -> None:
    comparison = changed(changed(Plain(["baseline"]).build(), prompt="Be brief."), demos=1)
    assert "Be brief." in report(comparison).one("prompts").text


def test_the_judge_is_shown_with_its_corrected_rate(page: Node) -> None:
    assert (
        words(page.one("judge").every("tr")[0]) == "judge's ratecorrected rate95 % intervalweight of the judgeexampleslabelled"
    )
    assert len(page.one("judge").every("circle")) == 4


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_stays_text(attack: str, page: Node) -> None:
    assert_nothing_but_text(attack, page)


@given(
    text=st.text(alphabet=st.sampled_from("<>\"'&/=!-;# \n\r\t\x00\x0b\u202eabsx[]\ud800"), max_size=30) | st.text(max_size=30)
)
@example("<")
def test_no_text_of_the_data_opens_a_tag_or_an_attribute(text: str) -> None:
    assert_nothing_but_text(text, None)


def assert_nothing_but_text(text: str, page: Node | None) -> None:
    written = render_report(hostile(text))
    written.encode()
    found = report(hostile(text))
    # The same elements with the same attributes as for a harmless word.
    assert shape(found) <= shape(report(hostile("word")))
    if page is not None:
        assert {node.tag for node in found.every()} <= {node.tag for node in page.every()}
    assert visible(text)[:200].strip() in found.one("notes").text


def shape(page: Node) -> set[tuple[str, tuple[str, ...]]]:
    return {(node.tag, tuple(node.attributes)) for node in page.every()}


def test_a_large_comparison_gives_a_page_of_bounded_size() -> None:
    page = render_report(large())
    assert len(page) < 3_000_000
    assert "440 with fewer examples are left out" in page
    assert len(read_page(page).one("examples").every("details")) == 10


def large() -> Comparison:
    """Ten contenders with 500 services each, prompts of 100,000 characters, and a thousand examples of fifty long turns."""
    drawn = random.Random(0)
    slices = {f"Service_{index}": Slice(index, drawn.random()) for index in range(500)}
    names = [f"strategy_{index}" for index in range(10)]
    spoken = {name: tuple("word " * 200 for _ in range(50)) for name in names}
    scores = {name: drawn.random() for name in names}
    turns = [Turns(id=f"e{index}", user="u" * 9_000, played=spoken, scores=scores) for index in range(1_000)]

    def grown(one: Contender) -> Contender:
        prompt = " ".join(drawn.choice(names) for _ in range(10_000))
        return msgspec.structs.replace(one, by_service=slices, prompt=prompt, notes=("note",) * 1_000)

    plain = Plain(names).build()
    return msgspec.structs.replace(plain, contenders=tuple(map(grown, plain.contenders)), changed=tuple(turns))
