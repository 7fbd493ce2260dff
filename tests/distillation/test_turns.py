"""Rollouts of single turns: every sample with answers of its own, scored by part, kept as it ends, never paid twice."""

import gc
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from agent_gym.agents import Agent, PromptAgent
from agent_gym.distillation import collect_turns
from agent_gym.environment import ReplayEnvironment, RolloutSummary
from agent_gym.errors import AnswerError, FileRefused, JudgeFailed, ModelTimeout, UsageError
from agent_gym.lm import make_handle
from agent_gym.messages import Assistant
from agent_gym.metrics import CombinedMetric, Score
from agent_gym.testing import RecordedAgent, ScriptedAgent, ScriptedLM
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader, Trace, read_traces
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task
from agent_gym.traces.trace import load_trace
from seeded_episodes import lines

NOTHING = ReplayEnvironment(Recordings(()))
METRIC = CombinedMetric()
COLLECT = """
import sys
from pathlib import Path
from agent_gym.distillation import collect_turns
from agent_gym.environment import ReplayEnvironment
from agent_gym.metrics import CombinedMetric
from agent_gym.testing import RecordedAgent
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks

(tasks,) = draw_tasks(SGDLoader(sys.argv[1]), "train", [60])
collect_turns(RecordedAgent(tasks), tasks, CombinedMetric(), ReplayEnvironment(Recordings(())), samples=8, concurrency=1,
              output=Path(sys.argv[2]), on_trace=lambda trace: print(trace.conversation_id, flush=True))
"""


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "train", [60])
    return drawn


def collected(
    agent: Agent, tasks: Sequence[Task], *, samples: int = 4, output: Path | None = None
) -> tuple[RolloutSummary, list[Trace]]:
    traces: list[Trace] = []
    summary = collect_turns(agent, tasks, METRIC, NOTHING, samples=samples, output=output, on_trace=traces.append)
    return summary, sorted(traces, key=lambda trace: trace.conversation_id)


def test_a_turn_is_played_as_often_as_asked_and_says_what_it_is(tasks: list[Task]) -> None:
    summary, traces = collected(RecordedAgent(tasks[:1]), tasks[:1], samples=3)
    task = tasks[0]
    assert (summary.episodes, summary.reward) == (3, 1.0)
    assert [trace.conversation_id for trace in traces] == [task.id, f"{task.id}~1", f"{task.id}~2"]
    assert all(trace.scores["reward"] == 1.0 and trace.scores["tool_accuracy"] == 1.0 for trace in traces)
    assert [(trace.metadata["task"], trace.metadata["sample"]) for trace in traces] == [(task.id, n) for n in range(3)]


def test_the_recorded_answer_goes_with_the_rollout(tasks: list[Task]) -> None:
    _, traces = collected(ScriptedAgent(lambda messages, tools: "Hello."), tasks, samples=1)
    answers = {task.id: task.expected for task in tasks}
    for trace in traces:
        kept = load_trace({"conversation_id": "", "messages": trace.metadata["expected"]})
        assert kept.messages == answers[trace.conversation_id]


def test_each_sample_asks_the_model_anew_at_the_agents_temperature(tasks: list[Task], tmp_path: Path) -> None:
    model = ScriptedLM(lambda request: f"Hello {request.sample}.")
    agent = PromptAgent(make_handle(model, cache=tmp_path / "c.sqlite"), "Help.", temperature=1.0)
    _, traces = collected(agent, tasks[:1], samples=3)
    said = [trace.messages[-1] for trace in traces]
    assert said == [Assistant("Hello ."), Assistant("Hello sample 1."), Assistant("Hello sample 2.")]
    assert {request.temperature for request in model.asked} == {1.0}
    collected(agent, tasks[:1], samples=3)
    assert len(model.asked) == 3


def test_what_is_in_the_file_is_not_played_again(tasks: list[Task], tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    collected(RecordedAgent(tasks), tasks[:5], samples=2, output=file)
    again, traces = collected(RecordedAgent(tasks), tasks[:7], samples=3, output=file)
    assert (again.episodes, again.resumed, len(traces)) == (21, 10, 11)
    collected(RecordedAgent(tasks), tasks[:7], samples=3, output=tmp_path / "whole.jsonl")
    assert lines(file) == lines(tmp_path / "whole.jsonl")


def test_a_killed_run_goes_on_and_ends_as_the_unbroken_one(tasks: list[Task], sample: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed.jsonl"
    command = [sys.executable, "-c", COLLECT, str(sample), str(killed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(40)]
        process.send_signal(signal.SIGKILL)
    assert len(told) == 40
    summary, _ = collected(RecordedAgent(tasks), tasks, samples=8, output=killed)
    assert summary.episodes == 480
    assert summary.resumed >= 40
    collected(RecordedAgent(tasks), tasks, samples=8, output=tmp_path / "unbroken.jsonl")
    assert lines(killed) == lines(tmp_path / "unbroken.jsonl")


def test_what_the_agent_breaks_is_a_rollout_and_what_its_endpoint_loses_is_not(tasks: list[Task], tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    broken, _ = collected(ScriptedAgent(lambda messages, tools: AnswerError("empty")), tasks[:2], samples=1, output=file)
    assert (broken.episodes, broken.outcomes, broken.faults, broken.reward) == (2, {"broken": 2}, {"agent": 2}, 0.0)
    assert [(trace.error, trace.scores) for trace in read_traces(file)] == [("empty", {"reward": 0.0})] * 2
    down, _ = collected(ScriptedAgent(lambda messages, tools: ModelTimeout("nothing came")), tasks[2:4], samples=1, output=file)
    assert (down.episodes, down.lost, {loss.fault for loss in down.losses}) == (2, 2, {"endpoint"})
    mended, _ = collected(ScriptedAgent(lambda messages, tools: "Hello."), tasks[2:4], samples=1, output=file)
    assert (mended.episodes, mended.lost) == (4, 0)


def test_what_a_judge_loses_is_not_kept(tasks: list[Task]) -> None:
    class Silent:
        name = "similarity"

        def score(self, task: Task, trace: Trace) -> Score:
            raise JudgeFailed("it said nothing")

    metric = CombinedMetric({"similarity": 1.0}, [Silent()])
    summary = collect_turns(RecordedAgent(tasks), tasks[:2], metric, NOTHING, samples=1)
    assert (summary.episodes, summary.lost, {loss.fault for loss in summary.losses}) == (0, 2, {"judge"})


def test_another_metric_is_another_run(tasks: list[Task], tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    collected(RecordedAgent(tasks), tasks[:1], output=file)
    with pytest.raises(FileRefused, match="weights"):
        collect_turns(RecordedAgent(tasks), tasks[:1], CombinedMetric({"tool_accuracy": 1.0}), NOTHING, output=file)


def test_less_than_one_of_anything_and_two_turns_of_one_name_are_mistakes(tasks: list[Task]) -> None:
    with pytest.raises(UsageError, match="samples=0"):
        collected(RecordedAgent(tasks), tasks, samples=0)
    with pytest.raises(UsageError, match="two tasks are called"):
        collected(RecordedAgent(tasks), [tasks[0], tasks[0]])


def test_memory_stays_flat(tasks: list[Task], tmp_path: Path) -> None:
    traced = tasks[0].trace
    every = (Task(msgspec.structs.replace(traced, conversation_id=f"t{n}"), tasks[0].start, tasks[0].end) for n in range(500))
    used: list[int] = []
    seen = 0

    def look(trace: Trace) -> None:
        nonlocal seen
        seen += 1
        if seen in (300, 1900):
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])

    agent = RecordedAgent(tasks[:1])
    tracemalloc.start()
    try:
        collect_turns(agent, every, METRIC, NOTHING, concurrency=1, output=tmp_path / "r.jsonl", on_trace=look)
    finally:
        tracemalloc.stop()
    before, after = used
    # A rollout's trace takes some 3,000 bytes; the digest of a task's id, one in four rollouts, a hundred.
    assert after - before < 1600 * 150
