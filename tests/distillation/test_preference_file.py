"""From rollouts to pairs on disk: the same bytes whatever the order, each pair once, and a report that adds up."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.distillation import PreferenceReport, collect_turns, write_preferences
from agent_gym.distillation.preference_report import PreferenceCounts, Spread, spread, wilson
from agent_gym.distillation.preferences import NoPair, Pair
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import AgentGymError, DataError, UsageError
from agent_gym.messages import Assistant, User
from agent_gym.metrics import CombinedMetric
from agent_gym.testing import ScriptedAgent
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.store import write_traces


def sample_of(task: str, number: int, said: str, reward: float | None, heard: str = "Hello") -> Trace:
    return Trace(
        conversation_id=f"{task}~{number}",
        messages=(User(heard), Assistant(said)),
        scores={} if reward is None else {"reward": reward},
        metadata={"task": task, "sample": number, "start": 0},
    )


def written(folder: Path, rollouts: Sequence[Trace], **options: Any) -> tuple[PreferenceReport, list[dict[str, Any]]]:
    write_traces(folder / "r.jsonl", rollouts)
    report = write_preferences(folder / "r.jsonl", folder / "p.jsonl", **options)
    return report, [json.loads(line) for line in (folder / "p.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def played(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Turns of the sample, answered at random."""
    path = tmp_path_factory.mktemp("played") / "r.jsonl"
    (tasks,) = draw_tasks(SGDLoader(sample), "train", [30])
    random = Random(7)
    said = ("Which city?", "What date would you like?", "Is there anything else I can help you with today?")
    agent = ScriptedAgent(lambda messages, tools: random.choice(said))
    collect_turns(agent, tasks, CombinedMetric(), ReplayEnvironment(Recordings(())), output=path, concurrency=1)
    return path


def test_the_order_of_the_rollouts_does_not_show_in_the_pairs(played: Path, tmp_path: Path) -> None:
    first = write_preferences(played, tmp_path / "a.jsonl", margin=0.01)
    lines = played.read_bytes().splitlines(keepends=True)
    Random(3).shuffle(lines)
    (tmp_path / "shuffled.jsonl").write_bytes(b"".join(lines))
    assert write_preferences(tmp_path / "shuffled.jsonl", tmp_path / "b.jsonl", margin=0.01) == first
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_the_report_adds_up(played: Path, tmp_path: Path) -> None:
    report = write_preferences(played, tmp_path / "p.jsonl", ("best-worst", "gold-worst"))
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert (report.rollouts, report.tasks, report.unscored) == (120, 30, 0)
    assert report.pairs == len(rows) == sum(report.sources.values())
    assert report.decisions == report.pairs + sum(report.without.values())
    assert report.margin is not None
    assert report.margin.low == min(row["margin"] for row in rows)
    assert all(row["tools"][0]["type"] == "function" for row in rows)


def test_a_pair_is_written_once_and_never_turned_round(tmp_path: Path) -> None:
    better, worse = [("Hi!", 1.0), ("What?", 0.0)], [("Hi!", 0.0), ("What?", 1.0)]
    rollouts = [
        sample_of(task, number, said, reward)
        for task, samples in {"a": better, "b": better, "c": worse}.items()
        for number, (said, reward) in enumerate(samples)
    ]
    report, rows = written(tmp_path, rollouts)
    assert [(row["task"], row["chosen"][0]["content"]) for row in rows] == [("a", "Hi!")]
    assert report.without == {"a pair that came up before": 1, "the opposite of a pair that came up before": 1}


def test_rollouts_without_a_reward_are_counted_and_left_out(tmp_path: Path) -> None:
    rollouts = [sample_of("a", 0, "Hi!", 1.0), sample_of("a", 1, "What?", 0.0), sample_of("a", 2, "No.", None)]
    report, rows = written(tmp_path, rollouts)
    assert (report.rollouts, report.unscored, len(rows)) == (3, 1, 1)


@pytest.mark.parametrize(("long", "side"), [("a", "chosen"), ("b", "rejected"), ("", None)])
def test_a_length_bias_is_said(tmp_path: Path, long: str, side: str | None) -> None:
    rollouts: list[Trace] = []
    for number in range(20):
        longer = long or "ab"[number % 2]
        for letter, reward in (("a", 1.0), ("b", 0.0)):
            said = f"{letter} {number:02}{' and more' if letter == longer else ''}"
            rollouts.append(sample_of(f"t{number}", int(letter == "b"), said, reward, heard=f"Hello {number}"))
    report, _ = written(tmp_path, rollouts)
    assert (report.pairs, report.length_bias) == (20, side)
    assert report.longer == {"a": 1.0, "b": 0.0, "": 0.5}[long]


def test_sides_of_one_length_say_nothing_of_a_bias(tmp_path: Path) -> None:
    report, _ = written(tmp_path, [sample_of("a", 0, "one", 1.0), sample_of("a", 1, "two", 0.0)])
    assert (report.longer, report.longer_interval, report.length_bias) == (None, None, None)
    assert report.chosen == report.rejected == Spread(3, 3, 3, 3, 3)


def test_the_interval_of_a_share_is_wilsons() -> None:
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


@given(st.lists(st.integers(-9, 9), min_size=1))
def test_a_spread_is_in_order_and_made_of_the_numbers(values: list[int]) -> None:
    found = spread(values)
    assert found is not None
    numbers = list(msgspec.structs.astuple(found))
    assert numbers == sorted(numbers)
    assert set(numbers) <= set(values)
    assert (numbers[0], numbers[-1]) == (min(values), max(values))


def test_nothing_counted_is_nothing_known() -> None:
    report = PreferenceCounts().report()
    assert (report.decisions, report.margin, report.longer) == (0, None, None)


def test_counting_keeps_the_most_frequent_reason_first() -> None:
    counts = PreferenceCounts()
    for reason in ("a tie", "margin too small", "margin too small"):
        counts.add(NoPair(reason))
    said = {"role": "assistant", "content": "Hi"}
    counts.add(Pair(task="t", source="best-worst", prompt=[], chosen=said, rejected=said, tools=[], margin=0.5))
    report = counts.report()
    assert list(report.without.items()) == [("margin too small", 2), ("a tie", 1)]
    assert (report.decisions, report.pairs, report.sources) == (4, 1, {"best-worst": 1})


def refused(act: Callable[[], object], kind: type[AgentGymError], why: str) -> None:
    with pytest.raises(kind, match=why) as error:
        act()
    assert "\n" not in str(error.value)


def test_where_no_pair_is_found_nothing_is_written(tmp_path: Path) -> None:
    alike = [sample_of("a", number, "Hi!", 1.0) for number in range(2)]
    refused(lambda: written(tmp_path, alike), UsageError, "none of 1 decisions gave one .all samples decided the same 1.")
    refused(lambda: written(tmp_path, [sample_of("a", 0, "Hi!", None)]), UsageError, "none of the 1 rollouts has a decision")
    assert os.listdir(tmp_path) == ["r.jsonl"]


def test_what_is_no_file_of_rollouts_is_refused(tmp_path: Path) -> None:
    path, out = tmp_path / "r.jsonl", tmp_path / "p.jsonl"
    refused(lambda: write_preferences(path, out), UsageError, "there is no file of rollouts")
    write_traces(path, [sample_of("a", 0, "Hi!", 1.0)])
    refused(lambda: write_preferences(path, path), UsageError, "holds the rollouts")
    refused(lambda: write_preferences(path, tmp_path), UsageError, "it is a folder")
    whole = path.read_bytes()
    for text in (whole + whole[:40], b'{"messages": []}\n', b"[1]\n", b"\xff\n"):
        path.write_bytes(text)
        refused(lambda: write_preferences(path, out), DataError, r"line \d, is no rollout")
    assert not out.exists()
