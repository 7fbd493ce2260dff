"""The report in a real browser: Debian's Chromium, without a network.

What a person would see is looked at from outside: how wide the page is on a phone, what dark mode and paper make of it, whether
anything is asked of the network, and what axe finds wrong with it.
"""

import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from agent_gym.optimization.report import render_report
from agent_gym.optimization.report.judge_page import render_calibration
from comparisons import Plain, hostile, realistic
from made_calibrations import TRUTH, made, rollouts

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
WIDTHS = {"desk": 1280, "phone": 360}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
ATTACK = (
    """"><script>document.title='broken'</script><img src=http://127.0.0.1:9/x onerror="document.title='broken'">' <b>\x00"""
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        # A profile of its own, thrown away at the end, is what Playwright gives each browser.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports."""
    folder = tmp_path_factory.mktemp("reports")
    comparisons = {
        "real": realistic(Path(__file__).parents[2] / "data" / "sample"),
        "plain": Plain().build(),
        "hostile": hostile(ATTACK),
        "unbreakable": hostile("unbreakable" * 30),
    }
    judge = made(rollouts([0.2 + 0.6 * truth for truth in TRUTH]))
    comparisons["trusted"] = msgspec.structs.replace(comparisons["plain"], rubric=judge.rubric, calibration=judge)
    for name, comparison in comparisons.items():
        (folder / f"{name}.html").write_text(render_report(comparison), "utf-8")
    (folder / "judge.html").write_text(render_calibration(judge), "utf-8")
    return folder


@pytest.fixture
def asked() -> list[str]:
    """Every address the page asked for, and what it complained about."""
    return []


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, scheme: Any, asked: list[str]) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": WIDTHS["desk"], "height": 900}, color_scheme=scheme)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.on("pageerror", lambda error: asked.append(str(error)))
    yield page
    page.close()


def visit(page: Page, path: Path, width: str = "desk") -> None:
    page.set_viewport_size({"width": WIDTHS[width], "height": 900})
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


@pytest.mark.parametrize("name", ["real", "plain", "hostile", "unbreakable", "judge", "trusted"])
def test_the_page_asks_for_nothing_but_itself_and_has_no_complaints(
    page: Page, reports: Path, asked: list[str], name: str
) -> None:
    visit(page, reports / f"{name}.html")
    assert asked == [(reports / f"{name}.html").as_uri()]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["real", "hostile", "judge", "trusted"])
def test_axe_finds_nothing_wrong(page: Page, reports: Path, name: str, width: str) -> None:
    visit(page, reports / f"{name}.html", width)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found: Any = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert len(found["passes"]) > 20


@pytest.mark.parametrize("width", WIDTHS)
def test_a_screenshot_shows_the_whole_page_in_the_wished_colours(
    page: Page, reports: Path, scheme: str, width: str, tmp_path: Path
) -> None:
    visit(page, reports / "real.html", width)
    picture = page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") == WIDTHS[width]
    red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g)[0]")
    assert (int(red) < 64) == (scheme == "dark")


@pytest.mark.parametrize("name", ["real", "hostile", "unbreakable", "judge", "trusted"])
def test_a_phone_never_scrolls_the_page_sideways(page: Page, reports: Path, name: str) -> None:
    visit(page, reports / f"{name}.html", "phone")
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS["phone"]
    # No word of a chart is smaller than can be read.
    sizes = "[...document.querySelectorAll('.chart')].map(one => 11.5 * one.getBoundingClientRect().width / 360)"
    assert min(page.evaluate(sizes)) > 10


def test_what_the_data_says_is_text_to_the_browser_too(page: Page, reports: Path) -> None:
    visit(page, reports / "hostile.html")
    assert page.title() == "Two strategies compared – Agent Gym"
    assert page.evaluate("document.scripts.length + document.images.length + document.querySelectorAll('b').length") == 0
    assert "<script>" in page.evaluate("document.getElementById('notes').innerText")


def test_on_paper_everything_is_unfolded_and_black_on_white(page: Page, reports: Path) -> None:
    page.goto((reports / "real.html").as_uri())
    page.emulate_media(media="print")
    shown = "[...document.querySelectorAll('.played')].every(one => one.getBoundingClientRect().height > 0)"
    assert page.evaluate(shown)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 27, 26)"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_keyboard_reaches_links_tables_and_folds_and_shows_where_it_is(page: Page, reports: Path) -> None:
    page.goto((reports / "real.html").as_uri())
    reached: set[str] = set()
    for _ in range(page.evaluate("document.querySelectorAll('a, summary, [tabindex]').length")):
        page.keyboard.press("Tab")
        seen: Any = page.evaluate("[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]")
        assert seen[1] == "solid"
        reached.add(seen[0])
    assert reached >= {"A", "DIV", "SUMMARY"}
