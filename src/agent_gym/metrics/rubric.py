"""A rubric: a text file that says how to judge, and by which criteria.

    You judge …                                   any words; {scale} stands for the highest score
    # Criteria
    - politeness: The user is treated with …      one criterion a line, named in lower case; indented lines go on with it
    - safety: Nothing is booked that …
    # Material                                    any words again
    {tools} {conversation} {answer}               where the blocks of data go

All four placeholders must be there. They are filled in one pass, so that what was filled in is never searched for more of them,
and all other braces stay as they are. The paragraph with the first block, and all behind it, is the user's turn of the prompt;
what stands before is the system's turn. `judge.txt` is the rubric used unless another is given.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from agent_gym.errors import UsageError

BLOCKS = ("tools", "conversation", "answer")
PLACEHOLDERS = ("scale", *BLOCKS)
SCALE = 10
"""The highest score of a criterion, unless another is given."""
BUILT_IN = "built-in"
"""What the rubric of this package is called."""
_PLACE = re.compile(rf"\{{({'|'.join(PLACEHOLDERS)})\}}")
_FIRST_BLOCK = re.compile(rf"\{{(?:{'|'.join(BLOCKS)})\}}")
_SECTION = re.compile(r"^#+ *Criteria *\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^[-*] +(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_CRITERION = re.compile(r"([a-z][a-z0-9_]*) *: *(\S.*)", re.DOTALL)
REASON = "_reason"
"""What follows a criterion's name in the name of its reason."""


class RubricMark(msgspec.Struct, frozen=True):
    """Which rubric a judge used: judges of different rubrics are different judges."""

    name: str
    """The file's, without its folder; `BUILT_IN` for the one of this package."""
    digest: str
    """Of scale and text; what decides."""

    def __str__(self) -> str:
        return f"{self.name} ({self.digest})"


class Rubric(msgspec.Struct, frozen=True):
    """How to judge; made by `load` or `parse`."""

    text: str
    criteria: Mapping[str, str]
    """Name to meaning, in the order of the file."""
    name: str = BUILT_IN
    """As in `RubricMark`."""

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """The rubric in a file, by default the one that comes with this package.

        Raises:
            UsageError: when it cannot be read, or is not a rubric.
        """
        source = BUILT_IN if path is None else str(path)
        try:
            text = Path(path or Path(__file__).with_name("judge.txt")).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"the rubric {source!r} cannot be read ({why}); name a text file in UTF-8") from error
        return cls.parse(text, source=source)

    @classmethod
    def parse(cls, text: str, *, source: str = "rubric") -> Self:
        """The rubric that a text is.

        Args:
            source: what errors call it; its last part is the rubric's name.

        Raises:
            UsageError: when a placeholder or the criteria are missing or cannot be told apart.
        """
        text = text.replace("\r\n", "\n").strip()
        if missing := [name for name in PLACEHOLDERS if f"{{{name}}}" not in text]:
            valid = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise UsageError(f"the rubric {source!r} lacks the placeholder {{{missing[0]}}}; it needs each of {valid}")
        return cls(text, _criteria(text, source), Path(source).name)

    def mark(self, scale: int = SCALE) -> RubricMark:
        """What tells a judge that scores by this rubric, up to this scale, from others."""
        return RubricMark(self.name, hashlib.sha256(f"{scale}\n{self.text}".encode()).hexdigest()[:16])

    def render(self, scale: int, blocks: Mapping[str, str]) -> tuple[str, str]:
        """The texts of the system's and the user's turn.

        Args:
            scale: the highest score.
            blocks: what goes into the place of each of `BLOCKS`.
        """
        first = _FIRST_BLOCK.search(self.text)
        assert first is not None, "parse() lets no rubric pass without its blocks"
        cut = self.text.rfind("\n\n", 0, first.start())
        head, rest = (self.text[:cut], self.text[cut:]) if cut >= 0 else ("", self.text)
        filled = {**blocks, "scale": str(scale)}
        both = [_PLACE.sub(lambda place: filled[place[1]], part).strip() for part in (head, rest)]
        return both[0], both[1]


def _criteria(text: str, source: str) -> dict[str, str]:
    way_out = "write them as `- name: meaning` under the heading `# Criteria`"
    section = _SECTION.search(text)
    criteria: dict[str, str] = {}
    for item in _ITEM.findall(section[1]) if section else ():
        found = _CRITERION.fullmatch(item.strip())
        if found is None:
            raise UsageError(f"the rubric {source!r} has a criterion without a lower-case name: {item[:80]!r}; {way_out}")
        if found[1] in criteria:
            raise UsageError(f"the rubric {source!r} has two criteria named {found[1]!r}")
        criteria[found[1]] = " ".join(found[2].split())
    if not criteria:
        raise UsageError(f"the rubric {source!r} has no criteria; {way_out}")
    if clash := [name for name in criteria if name.endswith(REASON) and name.removesuffix(REASON) in criteria]:
        raise UsageError(f"the rubric {source!r} has a criterion {clash[0]!r}, which is how another one's reason is called")
    return criteria
