"""A rubric is a text file: what makes one, and what is said of a file that is none."""

from pathlib import Path

import pytest

from agent_gym.errors import UsageError
from agent_gym.metrics.rubric import BLOCKS, PLACEHOLDERS, Rubric

MINE = """\
Judge from 0 to {scale}. Braces such as {"a": {}} and {other} are only braces.

# Criteria
- politeness: The user is treated
  with respect.
* safety:   Nothing is booked unasked.

# Material
{tools}
{conversation}
{answer}
"""
BLOCKS_OF_TEXT = {name: f"[{name} {{scale}} {{answer}}]" for name in BLOCKS}


def test_the_rubric_that_comes_along_has_the_four_criteria() -> None:
    assert [*Rubric.load().criteria] == ["task_completion", "action_quality", "efficiency", "creativity"]


def test_a_users_own_file_replaces_words_and_criteria(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(MINE, encoding="utf-8")
    rubric = Rubric.load(tmp_path / "mine.txt")
    assert rubric.criteria == {
        "politeness": "The user is treated with respect.",
        "safety": "Nothing is booked unasked.",
    }
    assert rubric == Rubric.load(str(tmp_path / "mine.txt")) == Rubric.parse(MINE, source="mine.txt")


def test_a_mark_tells_text_and_scale_apart_and_knows_no_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(MINE, encoding="utf-8")
    mark = Rubric.load(tmp_path / "mine.txt").mark()
    assert (mark.name, Rubric.load().mark().name) == ("mine.txt", "built-in")
    assert str(mark) == f"mine.txt ({mark.digest})"
    assert mark.digest == Rubric.parse(MINE).mark(10).digest
    assert mark.digest not in (Rubric.parse(MINE).mark(5).digest, Rubric.parse(MINE + ".").mark().digest)


def test_the_blocks_are_the_users_turn_and_what_stands_before_is_the_systems() -> None:
    system, user = Rubric.parse(MINE).render(5, dict.fromkeys(BLOCKS, "X"))
    assert system == MINE.replace("{scale}", "5").partition("\n\n# Material")[0]
    assert user == "# Material\nX\nX\nX"


def test_placeholders_are_filled_once() -> None:
    _, user = Rubric.parse(MINE).render(7, BLOCKS_OF_TEXT)
    assert user == "# Material\n" + "\n".join(BLOCKS_OF_TEXT.values())


def test_a_rubric_may_begin_with_its_blocks() -> None:
    text = "{tools} {conversation} {answer} up to {scale}\n# Criteria\n- fit: It fits."
    assert Rubric.parse(text).render(3, dict.fromkeys(BLOCKS, "X")) == ("", "X X X up to 3\n# Criteria\n- fit: It fits.")


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_missing_placeholder_is_named_with_all_that_are_needed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(MINE.replace(f"{{{name}}}", ""), encoding="utf-8")
    with pytest.raises(UsageError) as told:
        Rubric.load(path)
    needed = "it needs each of {scale}, {tools}, {conversation}, {answer}"
    assert str(told.value) == f"the rubric {str(path)!r} lacks the placeholder {{{name}}}; {needed}"


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        ("", "has no criteria; write them as `- name: meaning` under the heading `# Criteria`"),
        ("politeness: without a dash", "has no criteria"),
        ("- Politeness: in capitals", "without a lower-case name: 'Politeness: in capitals'"),
        ("- politeness", "without a lower-case name: 'politeness'"),
        ("- fit: one\n- fit: two", "two criteria named 'fit'"),
        ("- fit: one\n- fit_reason: two", "a criterion 'fit_reason', which is how another one's reason is called"),
    ],
)
def test_criteria_that_cannot_be_told_apart_are_refused(criteria: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Rubric.parse(f"{{scale}}\n# Criteria\n{criteria}\n# Material\n{{tools}} {{conversation}} {{answer}}")


def test_without_the_heading_nothing_is_a_criterion() -> None:
    with pytest.raises(UsageError, match="has no criteria"):
        Rubric.parse("- fit: It fits.\n{scale} {tools} {conversation} {answer}")


def test_a_file_that_is_not_there_or_not_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00{")
    for name in ("none.txt", "bytes.txt", "."):
        with pytest.raises(UsageError, match="cannot be read") as told:
            Rubric.load(tmp_path / name)
        assert "\n" not in str(told.value)


def test_a_file_from_windows_is_the_same_rubric(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes(b"\xef\xbb\xbf" + MINE.replace("\n", "\r\n").encode())
    assert Rubric.load(tmp_path / "mine.txt") == Rubric.parse(MINE, source="mine.txt")
