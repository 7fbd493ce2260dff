"""A conversation pattern: what a user says in which order, and what each line waits for. Data, in a JSON file:

    {"about": "A file is asked for, then changed",
     "goal": "Write a poem into poem.md",
     "files": {"README.md": "Poems go here."},
     "lines": [
       {"say": ["A poem about rain, please, in poem.md.", "Could you write a poem about rain into poem.md?"],
        "until": [{"tools": ["create_file"], "arguments": {"path": "*poem.md"}}],
        "answers": [{"when": {"says": "*rhyme*"}, "say": ["It need not rhyme."]}],
        "nudge": ["I do not see poem.md yet."]}],
     "farewell": ["Lovely, thank you."]}

A line is said, then repeated as a nudge until one of the things it waits for has happened; the patience of a user is the number
of nudges they give. Other patterns than those that come with the package are files of the same form.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import msgspec

from agent_gym.errors import ArgumentsError, FileRefused, UsageError
from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolSpec
from agent_gym.tools.recordings import answered_calls
from agent_gym.traces import Trace

FOLDER = Path(__file__).with_name("patterns")
NUDGES = ("That is not done yet, as far as I can see. Could you try again?", "I am still waiting for that. Please do it now.")
GIVES_UP = ("This is taking too long. I will do it myself, thank you.", "Never mind, I will ask somebody else.")

Texts = Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1)], ...], msgspec.Meta(min_length=1)]
"""Variants of one thing to say."""


class Happening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that the agent may have done. In texts `*` stands for any characters and `?` for one, as in file names; a
    question mark itself is `[?]`."""

    tools: tuple[str, ...] = ()
    """A call of one of these that was answered without an error."""
    arguments: Mapping[str, str] = {}
    """Argument name to what it must look like."""
    result: Mapping[str, str] = {}
    """Field of the answer to what it must look like."""
    says: str = ""
    """Or words of the agent that look like this, in lower case."""

    def in_messages(self, messages: tuple[Message, ...]) -> bool:
        """Whether it happened in these messages."""
        if self.says and any(fnmatchcase(one.content.lower(), self.says) for one in messages if isinstance(one, Assistant)):
            return True
        pairs = answered_calls(Trace(conversation_id="", messages=messages)) if self.tools else []
        return any(self._is(call, answer) for call, answer in pairs)

    def _is(self, call: ToolCall, answer: Tool) -> bool:
        if call.name not in self.tools or answer.error is not None:
            return False
        try:
            given = call.parsed()
        except ArgumentsError:
            return False
        return _look_like(given, self.arguments) and _look_like(answer.result, self.result)


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a user answers, once, when the agent did something else than what a line waits for."""

    when: Happening
    say: Texts


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a user wants."""

    say: Texts
    until: tuple[Happening, ...] = ()
    """What it waits for, one of them; nothing but an answer when empty."""
    again: bool = False
    """Only what happens after the line was said counts, not what the agent had done before."""
    unless: tuple[Happening, ...] = ()
    """The line is left out when one of them has happened."""
    answers: tuple[Reply, ...] = ()
    nudge: Texts = NUDGES


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A conversation as a user plans it."""

    name: str = ""
    """The file's, without its ending."""
    about: str
    goal: str
    files: Mapping[str, str] = {}
    """Path to text of what the workspace must hold at the beginning."""
    patience: Annotated[int, msgspec.Meta(ge=0)] = 4
    """Nudges that the user gives in a conversation before leaving."""
    lines: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1)]
    farewell: Texts
    gives_up: Texts = GIVES_UP

    def task(self, tools: tuple[ToolSpec, ...]) -> Trace:
        """The pattern as a task of an environment: its goal in words, nothing recorded.

        Args:
            tools: what the agent may call, e.g. `tuple(workspace.catalog.values())`.
        """
        return Trace(conversation_id=self.name, messages=(), tools=tools, metadata={"goal": self.goal})


def patterns() -> tuple[str, ...]:
    """The names of the patterns that come with the package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def load_pattern(name: str | Path) -> Pattern:
    """A pattern of the package by its name, or another one by its file.

    Raises:
        UsageError: when there is no pattern of that name.
        FileRefused: when a file cannot be read as a pattern; says what is wrong where.
    """
    path = Path(name)
    if path.suffix != ".json":
        if str(name) not in patterns():
            raise UsageError(f"there is no pattern {str(name)!r}; there are {', '.join(patterns())}, or name a .json file")
        path = FOLDER / f"{name}.json"
    try:
        pattern = msgspec.json.decode(path.read_bytes(), type=Pattern)
    except OSError as error:
        raise FileRefused(f"cannot read the pattern {str(path)!r} ({error.strerror})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileRefused(f"{path} is no conversation pattern: {error}") from error
    return msgspec.structs.replace(pattern, name=path.stem)


def _look_like(values: Any, wanted: Mapping[str, str]) -> bool:
    if not wanted:
        return True
    return isinstance(values, dict) and all(
        name in values and fnmatchcase(str(values[name]), shape)  # pyright: ignore[reportUnknownArgumentType]
        for name, shape in wanted.items()
    )
