"""Throws broken and hostile input at everything that reads what strangers wrote, for as long as it is told to.

    python scripts/fuzz.py [--minutes 10] [--seed 0] [--only import]

Nothing may raise but what is promised: the importers tell faults and go on, the readers of an agent's text give back what is
broken as data, the workspace answers with errors and writes nothing outside its root. Rounds of examples by Hypothesis take
turns until the time is up; the seed of a round is the run's and the round's number. A finding is shrunk and printed with the
seed that gives it again, and the exit code is 1. What runs found stands in `docs/fuzzing.md`.
"""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from agent_gym.actions import BrokenAction, StructuredAction, find_actions, spoken
from agent_gym.errors import AnswerError, ArgumentsError, DataError
from agent_gym.lm.prompt import parse_action, render_action
from agent_gym.messages import ToolCall
from agent_gym.tools import Workspace, execute
from agent_gym.traces import Trace, dump_trace, load_trace
from agent_gym.traces.parsers import FORMATS, Entry, read_logs
from agent_gym.traces.redaction import Redactor

ROUND = 250
"""Examples of one target before the next has its turn."""
SHOWN = 1500
"""Characters of a line of a finding."""

WORDS = (
    *"role user assistant tool system function developer content name id type text value from human gpt observation".split(),
    *"messages conversations conversation_id tool_calls function_call arguments parameters action_type result error".split(),
    *"resourceSpans scopeSpans spans attributes key stringValue traceId spanId gen_ai.input.messages".split(),
    *"gen_ai.output.messages gen_ai.operation.name chat execute_tool parts tool_call tool_call_response response".split(),
    *"create_file read_file edit_file api_call complete_task ask_user path old new url method headers body summary".split(),
)
HOSTILE = (
    *("../x", "/etc/passwd", "a/../../x", "C:\\x", "\\\\h\\s", "CON", "nul.txt", "a\0b", "~", "x" * 300, "link/x", "..", "."),
    *("http://127.0.0.1/", "http://169.254.169.254/", "file:///etc/passwd", "http://[::1]/", "http://a@b/", "gopher://x"),
    *("```json\n", "```", "{", "}", "[", '"', "\\", "\ud800", "\u202e", "NaN", "1e999", "-0", "9" * 400, "{" * 40, "[{" * 40),
)
texts = st.one_of(st.text(max_size=30), st.sampled_from(WORDS), st.sampled_from(HOSTILE))
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5), max_leaves=25
)

LOGS: list[Any] = [
    {"conversation_id": "c", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
    {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"city": "Rome"}'}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": '{"sun": true}'},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    },
    {"conversations": [{"from": "human", "value": "Hi"}, {"from": "function_call", "value": '{"name": "f", "arguments": {}}'}]},
    {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "t",
                                "spanId": "s",
                                "attributes": [
                                    {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                                    {
                                        "key": "gen_ai.input.messages",
                                        "value": {
                                            "stringValue": '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]'
                                        },
                                    },
                                ],
                            }
                        ]
                    }
                ]
            }
        ]
    },
]


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, the value itself first."""
    found = [here]
    if isinstance(value, dict | list):
        inside = cast(dict[Any, Any], value).items() if isinstance(value, dict) else enumerate(cast(list[Any], value))
        for name, item in inside:
            found += places(item, (*here, name))
    return found


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """The value with another one at a place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = replaced(copy[place[0]], place[1:], new)
    return copy


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A log of some format in which a few things are something else."""
    log = draw(st.sampled_from(LOGS))
    for _ in range(draw(st.integers(0, 3))):
        log = replaced(log, draw(st.sampled_from(places(log))), draw(values))
    return log


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """What may stand in a file of logs."""
    rows = draw(st.lists(mutated() | values, min_size=1, max_size=4))
    text = draw(
        st.sampled_from([json.dumps(rows), "\n".join(map(json.dumps, rows)), "\r\n".join(map(json.dumps, rows)), str(rows)])
    )
    data = text.encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(data)))
    return draw(st.sampled_from([data, data[:at], data[:at] + draw(st.binary(max_size=6)) + data[at:], b"\xef\xbb\xbf" + data]))


def check_import(data: bytes, kind: str, folder: Path) -> str:
    """An importer tells faults; what it reads is a trace that survives being written, and redacted."""
    file = folder / "log.jsonl"
    file.write_bytes(data)
    read = list(read_logs(file, kind))
    redactor = Redactor()
    for one in read:
        if isinstance(one, Entry):
            same(one.trace)
            same(redactor.redacted(one.trace))
    return "read" if any(isinstance(one, Entry) for one in read) else "refused"


def same(trace: Trace) -> None:
    """A trace that is written and read again is the same."""
    again = load_trace(json.loads(json.dumps(dump_trace(trace))))
    assert again == trace, f"{trace!r} came back as {again!r}"


def check_trace(value: Any) -> str:
    """Any JSON value is a trace or refused as data."""
    try:
        same(load_trace(value))
    except DataError:
        return "refused"
    return "read"


def an_action(name: str, **parameters: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    """A name and the parameters that it takes."""
    return st.tuples(st.just(name), st.fixed_dictionaries(parameters))


well_meant: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    an_action("create_file", path=texts, content=texts),
    an_action("read_file", path=texts),
    an_action("edit_file", path=texts, old=texts, new=texts),
    an_action("api_call", method=st.sampled_from(["GET", "POST", "get", "X"]), url=texts),
    an_action("complete_task", summary=texts),
    an_action("ask_user", question=texts),
)
named = st.one_of(well_meant, st.tuples(st.sampled_from(WORDS) | texts, values))
action_values: st.SearchStrategy[Any] = st.one_of(
    named.map(lambda one: {"action_type": one[0], "parameters": one[1]}),
    named.map(lambda one: {"tool_calls": [{"name": one[0], "arguments": one[1]}]}),
)


@st.composite
def answers(draw: st.DrawFn) -> str:
    """What an agent may write."""
    pieces: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        pieces.append(draw(texts))
        body = json.dumps(draw(action_values | values | st.lists(action_values, max_size=3)))
        cut = draw(st.integers(0, len(body)))
        pieces.append(draw(st.sampled_from([body, f"```json\n{body}\n```", f"```\n{body}", body[:cut], body[cut:]])))
    return "".join(pieces)


def check_actions(text: str, folder: Path) -> str:
    """Whatever an agent writes is read without raising, and what it asks for stays inside the workspace."""
    spoken(text)
    root, outside = folder / "root", folder / "outside"
    root.mkdir(exist_ok=True)
    outside.write_text("canary")
    if not (root / "link").is_symlink():
        (root / "link").symlink_to(folder)
    workspace = Workspace(root)
    found = find_actions(text)
    for one in found:
        if isinstance(one, BrokenAction):
            continue
        again = StructuredAction.from_json(one.to_json())
        assert again == one, f"{one!r} came back as {again!r}"
        answer = execute(workspace, one.to_tool_call())
        json.dumps([answer.result, answer.error])
    assert sorted(path.name for path in folder.iterdir()) == ["log.jsonl", "outside", "root"], "something was written outside"
    assert outside.read_text() == "canary", "the canary was touched"
    return "found" if any(isinstance(one, StructuredAction) for one in found) else "none"


def check_calls(text: str) -> str:
    """A model's answer is an action or an `AnswerError`; its arguments are an object or an `ArgumentsError`."""
    try:
        action = parse_action(text)
    except AnswerError:
        return "refused"
    for call in action.tool_calls:
        try:
            call.parsed()
        except ArgumentsError:
            return "broken arguments"
    parse_action(render_action(action) or "-")
    return "calls" if action.tool_calls else "words"


def check_workspace(name: str, arguments: str, folder: Path) -> str:
    """Any call is answered."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    answer = execute(Workspace(root), ToolCall(name, arguments))
    return "refused" if answer.error is not None else "done"


def targets(folder: Path) -> dict[str, Callable[[Counter[str]], Callable[[], None]]]:
    """A check by its name; each counts what became of its examples."""

    def of(strategy: st.SearchStrategy[tuple[Any, ...]], check: Callable[..., str]) -> Any:
        def target(seen: Counter[str]) -> Callable[[], None]:
            def run(arguments: tuple[Any, ...]) -> None:
                seen[check(*arguments)] += 1

            return cast(Callable[[], None], given(strategy)(run))

        return target

    inside = st.just(folder)
    arguments = well_meant.map(lambda one: (one[0], json.dumps(one[1]), folder))
    written = named.map(lambda one: f"Sure.\n```json\n{json.dumps({'action_type': one[0], 'parameters': one[1]})}\n```")
    return {
        "import": of(st.tuples(files(), st.sampled_from([kind for kind in FORMATS if kind != "sgd"]), inside), check_import),
        "trace": of(st.tuples(mutated() | values), check_trace),
        "actions": of(st.tuples(answers() | written, inside), check_actions),
        "workspace": of(arguments | st.tuples(st.sampled_from(WORDS), texts | values.map(json.dumps), inside), check_workspace),
        "calls": of(st.tuples(answers() | texts), check_calls),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["import", "trace", "actions", "workspace", "calls"])
    options = parser.parse_args()
    findings = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log.jsonl").touch()
        chosen = {name: make for name, make in targets(folder).items() if options.only in (None, name)}
        seen: dict[str, Counter[str]] = {name: Counter() for name in chosen}
        until, number = time.monotonic() + options.minutes * 60, 0
        while time.monotonic() < until and chosen:
            for target, make in list(chosen.items()):
                drawn = options.seed * 1_000_003 + number
                run = settings(
                    max_examples=ROUND,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate, Phase.shrink],
                    suppress_health_check=[
                        HealthCheck.too_slow,
                        HealthCheck.data_too_large,
                        HealthCheck.filter_too_much,
                        HealthCheck.large_base_example,
                    ],
                    print_blob=False,
                )(seed(drawn)(make(seen[target])))
                try:
                    run()
                except Exception as error:
                    findings += 1
                    print(f"FOUND in {target}, seed {options.seed}, round {number}:", file=sys.stderr)
                    # The example stands in a note; the strategies that made it, thousands of characters, would follow.
                    for line in traceback.format_exception(error):
                        print(line[:SHOWN].rstrip(), file=sys.stderr)
                    # One finding of a target hides the next: it is mended first.
                    del chosen[target]
            number += 1
    for target, counts in seen.items():
        print(
            f"{target}: {counts.total():,} examples ({', '.join(f'{name} {count:,}' for name, count in counts.most_common())})"
        )
    print(f"seed {options.seed}, {number} rounds, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
