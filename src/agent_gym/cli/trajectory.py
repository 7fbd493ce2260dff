"""A trace as a page: who said what, which tools answered, what it earned, and what the judge made of it.

What stands in a trace was written by models, tools and strangers. It is shown, never obeyed: a control character becomes its
escape, so that no text can move the cursor, change a colour or retitle the window of whoever reads it.

    3 user    Please create the config.
      agent   Sure.                                                              +0.50
      call    create_file path="api_config.json" content='{"retries": 3}'
      result  created=true

A rollout keeps what its steps earned in `metadata["rewards"]`: first the opening, then every action, then what was paid at the
end for no action of its own.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent_gym.errors import ArgumentsError
from agent_gym.messages import Assistant, System, Tool, ToolCall, User
from agent_gym.traces import Trace

LONGEST = 1_200
"""Characters of one text that are shown."""
MOST_ROWS = 3
"""Rows of a tool's result that are shown."""
UNREADABLE = 60
"""Characters of arguments that are shown where they cannot be read: the tool's answer says the rest."""
WIDE = 72
"""Characters up to which arguments stand in one line."""
STYLES = {"user": "bold cyan", "agent": "bold green", "call": "yellow", "error": "red", "fault": "red", "judge": "magenta"}
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What makes a terminal show letters in another order than they are written."""


class Row(NamedTuple):
    """A line of the page, or some."""

    who: str
    text: str
    turn: str = ""
    reward: str = ""
    quiet: bool = False
    """Stands in the background."""
    aside: str = ""
    """What is added in the background."""


def print_trajectory(out: Console, trace: Trace) -> None:
    """Print a trace, turn by turn."""
    out.print(Text(printable(trace.conversation_id), style="bold"))
    out.print(Text(printable(" · ".join(_facts(trace)))))
    rows = [*_head(trace), *_conversation(trace), *_end(trace)]
    table = Table(box=box.SIMPLE, show_header=False, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for row in rows:
        if row.turn and table.row_count:
            table.add_row()
        text = Text(printable(_shortened(row.text)), style="dim" if row.quiet else "")
        text.append(printable(f"  {row.aside}") if row.aside else "", style="dim")
        style = "red" if row.reward.startswith("-") or row.reward == "unknown" else "green"
        table.add_row(row.turn, Text(row.who, style=STYLES.get(row.who, "dim")), text, Text(row.reward, style=style))
    out.print(table)


def printable(text: str) -> str:
    """The text with an escape in place of every control character but line breaks, of half surrogate pairs and of marks that
    turn the direction of writing; a tab is four spaces."""
    expanded = text.replace("\r\n", "\n").replace("\t", "    ")
    return "".join(_escaped(character) if _is_control(character) else character for character in expanded)


def _is_control(character: str) -> bool:
    return character in _DIRECTIONS or (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character != "\n")


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _facts(trace: Trace) -> Iterator[str]:
    """What the whole came to, a phrase each."""
    facts = trace.metadata
    if trace.outcome:
        yield trace.outcome
    for name, value in trace.scores.items():
        # The outcome says so already.
        if (name, trace.outcome) not in (("success", "success"), ("success", "failure")):
            yield f"{name} {value:.2f}"
    if trace.satisfaction_score is not None:
        yield f"satisfaction {trace.satisfaction_score:g}"
    turns = sum(isinstance(message, User) for message in trace.messages)
    yield f"{turns} turn{'' if turns == 1 else 's'}, {len(trace.calls)} call{'' if len(trace.calls) == 1 else 's'}"
    if facts.get("ended"):
        yield f"ended: {facts['ended']}{' (truncated)' if facts.get('truncated') else ''}"
    if facts.get("user_left"):
        yield f"the user left: {facts['user_left']}"
    for name in ("user", "seed", "sample", "date"):
        if name in facts:
            yield f"{name} {facts[name]}"


def _head(trace: Trace) -> Iterator[Row]:
    goal = trace.metadata.get("goal")
    if isinstance(goal, str) and goal:
        yield Row("goal", goal)
    for intent in trace.goal.intents if trace.goal else ():
        slots = {name: values[0] for name, values in intent.slots.items() if values}
        asked = f"  asks for {', '.join(intent.requested)}" if intent.requested else ""
        yield Row("goal", f"{intent.tool} {_fields(slots)}{asked}")
    if trace.tools:
        yield Row("tools", ", ".join(spec.name for spec in trace.tools), quiet=True)


def _conversation(trace: Trace) -> Iterator[Row]:
    acts, rewards = iter(_listed(trace.metadata.get("acts"))), iter(_listed(trace.metadata.get("rewards"))[1:])
    turn = parallel = 0
    for message in trace.messages:
        match message:
            case User(content):
                turn += 1
                yield Row("user", content, str(turn))
                if meant := ", ".join(map(str, _listed(next(acts, None)))):
                    yield Row("", meant, quiet=True)
            case Assistant(content, calls):
                reward = _paid(next(rewards, 0))
                if content or not calls:
                    yield Row("agent", content or "(no words)", reward=reward)
                for number, call in enumerate(calls):
                    yield Row("call", _call(call), reward="" if content or number else reward)
                parallel = len(calls)
            case Tool(name, result, error):
                which = f"{name}: " if parallel > 1 else ""
                if error is None:
                    yield Row("result", which + _result(result), aside=message.source)
                else:
                    yield Row("error", which + error)
            case System(content):
                yield Row("system", content, quiet=True)
    for left in rewards:
        if paid := _paid(left):
            yield Row("", "paid at the end", reward=paid, quiet=True)


def _end(trace: Trace) -> Iterator[Row]:
    facts = trace.metadata
    verdict: Any = facts.get("judge")
    if isinstance(verdict, dict):
        yield Row("judge", _verdict(cast(Mapping[str, Any], verdict)))
    if facts.get("unjudged"):
        yield Row("judge", f"gave no score: {facts['unjudged']}")
    for one in _listed(facts.get("missing")):
        yield Row("missing", str(one))
    if facts.get("fault"):
        yield Row("fault", str(facts["fault"]))
    if trace.error:
        yield Row("error", trace.error)


def _verdict(verdict: Mapping[str, Any]) -> str:
    parts: Any = verdict.get("parts") or {}
    named = cast(Mapping[str, Any], parts if isinstance(parts, dict) else {})
    score = "  ".join([_number(verdict.get("value")), *(f"{name} {_number(part)}" for name, part in named.items())])
    reason = str(verdict.get("reason") or "")
    for name in named:
        # Each criterion's reason begins with its name.
        reason = reason.replace(f" {name} ", f"\n{name} ")
    return f"{score}\n{reason}".rstrip()


def _call(call: ToolCall) -> str:
    try:
        return f"{call.name} {_fields(call.parsed())}".rstrip()
    except ArgumentsError:
        begins = call.arguments if len(call.arguments) <= UNREADABLE else f"{call.arguments[:UNREADABLE]}…"
        return f"{call.name} (no JSON object) {begins}"


def _result(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _fields(cast(dict[str, Any], value), indent="").removeprefix("\n") or "{}"
    rows = _listed(value)
    if rows and all(isinstance(row, dict) for row in rows):
        more = [f"… {len(rows) - MOST_ROWS} more rows"] if len(rows) > MOST_ROWS else []
        shown = [", ".join(_named(row)) for row in rows[:MOST_ROWS]]
        return "\n".join([*(f"{number}. {row}" for number, row in enumerate(shown, start=1)), *more] if rows[1:] else shown)
    return _value(value)


def _fields(values: Mapping[str, Any], indent: str = "  ") -> str:
    """Names and values in one line, or, where that is not enough, one below the other."""
    named = _named(values)
    line = ", ".join(named)
    return line if len(line) <= WIDE and "\n" not in line else "".join(f"\n{indent}{one}" for one in named)


def _named(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_value(value)}" for name, value in values.items()]


def _value(value: Any) -> str:
    """As JSON; a text in the quotes that it does not hold itself, and one of several lines as a block."""
    if not isinstance(value, str):
        return _json(value)
    if "\n" in value.rstrip("\n"):
        return "".join(f"\n    │ {line}" for line in value.rstrip("\n").split("\n"))
    quote = next((quote for quote in "\"'" if quote not in value), "`")
    return quote + value.rstrip("\n") + quote


def _json(value: Any) -> str:
    # Python's own encoder: it writes half a surrogate pair, which a trace in memory may hold.
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "(nested too deep to be shown)"


def _number(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _paid(reward: Any) -> str:
    if isinstance(reward, int | float):
        return f"{reward:+.2f}" if reward else ""
    return "unknown"


def _shortened(text: str) -> str:
    left = len(text) - LONGEST
    return text if left <= 0 else f"{text[:LONGEST]} … {left:,} more characters; --json prints them"


def _listed(value: Any) -> Sequence[Any]:
    return cast(Sequence[Any], value) if isinstance(value, list | tuple) else ()
