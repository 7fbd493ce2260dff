"""Many episodes at once: the same ones in any order, what is done is kept, what an outage cut short is played again."""

import gc
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.agents import PromptAgent
from agent_gym.environment.rollouts.many import rollout_many
from agent_gym.environment.rollouts.sample import sample_seed
from agent_gym.environment.rollouts.summary import SHOWN, RolloutSummary
from agent_gym.errors import AnswerError, BudgetSpent, JudgeFailed, ModelTimeout, UsageError
from agent_gym.lm import make_handle
from agent_gym.messages import Assistant, Message, ToolSpec, User
from agent_gym.metrics import Score
from agent_gym.testing import ScriptedAgent, ScriptedLM
from agent_gym.traces import Trace
from agent_gym.traces.store import read_traces
from seeded_episodes import Faulty, Parrot, Poor, environment, lines, tasks

PLAY = """
import sys
from pathlib import Path
from seeded_episodes import Parrot, environment
from agent_gym.environment.rollouts.many import rollout_many

rollout_many(Parrot({f"t{n}": n for n in range(400)}), environment(400), output=Path(sys.argv[1]), concurrency=4,
             on_trace=lambda trace: print(trace.conversation_id, flush=True))
"""


def played(count: int = 5, samples: int = 1, seed: int = 0) -> list[Trace]:
    """The traces of a run, by id."""
    traces: list[Trace] = []
    rollout_many(Parrot(), environment(count), on_trace=traces.append, samples=samples, seed=seed)
    return sorted(traces, key=lambda trace: trace.conversation_id)


class Unsteady(Parrot):
    """Its endpoint fails at some tasks, until it is mended."""

    def __init__(self, *failing: str) -> None:
        super().__init__()
        self.failing = failing

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        heard = messages[-1]
        assert isinstance(heard, User)
        if heard.content.split()[0] in self.failing:
            raise ModelTimeout("nothing came in 120 s")
        return await super().act(messages, tools)


def test_every_task_is_played_as_often_as_asked_with_ids_and_seeds_of_its_own() -> None:
    traces = played(2, samples=3, seed=7)
    assert [trace.conversation_id for trace in traces] == ["t0", "t0~1", "t0~2", "t1", "t1~1", "t1~2"]
    assert [trace.metadata["sample"] for trace in traces] == [0, 1, 2, 0, 1, 2]
    assert [trace.metadata["seed"] for trace in traces] == [sample_seed(7, f"t{n}", k) for n in (0, 1) for k in (0, 1, 2)]


def test_the_seed_of_a_sample_is_the_same_for_ever() -> None:
    assert [sample_seed(0, "t0", 0), sample_seed(0, "t0", 1), sample_seed(1, "t0", 0)] == [298092772, 1254883985, 1317511908]


@given(
    delays=st.dictionaries(st.sampled_from([f"t{number}" for number in range(6)]), st.integers(0, 9)),
    concurrency=st.integers(1, 9),
)
def test_whatever_ends_first_the_episodes_are_the_same(
    delays: dict[str, int], concurrency: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    rollout_many(Parrot(), environment(6), samples=2, output=folder / "plain.jsonl")
    rollout_many(Parrot(delays), environment(6), samples=2, concurrency=concurrency, output=folder / "shuffled.jsonl")
    assert lines(folder / "plain.jsonl") == lines(folder / "shuffled.jsonl")


def test_another_seed_gives_other_episodes() -> None:
    assert played(seed=1) == played(seed=1) != played(seed=2)


def test_as_many_are_in_flight_as_allowed_and_no_more() -> None:
    agent = Parrot({f"t{number}": 5 for number in range(40)})
    rollout_many(agent, environment(40), concurrency=7)
    assert agent.most == 7


def test_tasks_are_read_as_they_are_needed() -> None:
    read: list[int] = []
    ended: list[Trace] = []
    ahead: list[int] = []

    def stream() -> Iterator[Trace]:
        for number, task in enumerate(tasks(50)):
            read.append(number)
            ahead.append(len(read) - len(ended))
            yield task

    rollout_many(Parrot(), environment(1), tasks=stream(), concurrency=4, on_trace=ended.append)
    assert len(ended) == 50
    assert max(ahead) <= 5


def test_memory_stays_flat(tmp_path: Path) -> None:
    every = tasks(1500)
    used: list[int] = []

    def look(trace: Trace) -> None:
        if int(trace.conversation_id[1:]) in (300, 1400):
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        rollout_many(Parrot(), environment(1), tasks=every, concurrency=1, output=tmp_path / "r.jsonl", on_trace=look)
    finally:
        tracemalloc.stop()
    before, after = used
    # An episode's trace takes some 3,000 bytes; the digest of a task's id a hundred.
    assert after - before < 1100 * 300


def test_what_the_agent_breaks_is_an_episode(tmp_path: Path) -> None:
    agent = ScriptedAgent(lambda messages, tools: AnswerError("the answer is empty"))
    summary = rollout_many(agent, environment(3), output=tmp_path / "r.jsonl")
    assert (summary.episodes, summary.lost, summary.outcomes, summary.faults) == (3, 0, {"failure": 3}, {"agent": 3})
    assert [trace.error for trace in read_traces(tmp_path / "r.jsonl")] == ["the answer is empty"] * 3


def test_what_an_endpoint_lost_is_told_and_played_again(tmp_path: Path) -> None:
    agent, seen = Unsteady("t1", "t3"), list[Trace]()
    first = rollout_many(agent, environment(5), output=tmp_path / "r.jsonl", on_trace=seen.append)
    assert (first.episodes, first.lost) == (3, 2)
    assert {(loss.conversation_id, loss.fault, loss.error) for loss in first.losses} == {
        ("t1", "endpoint", "nothing came in 120 s"),
        ("t3", "endpoint", "nothing came in 120 s"),
    }
    assert len(seen) == 5
    agent.failing = ()
    second = rollout_many(agent, environment(5), output=tmp_path / "r.jsonl")
    assert (second.episodes, second.resumed, second.lost) == (5, 3, 0)
    rollout_many(Unsteady(), environment(5), output=tmp_path / "steady.jsonl")
    assert lines(tmp_path / "r.jsonl") == lines(tmp_path / "steady.jsonl")


def test_only_the_first_losses_are_named() -> None:
    summary = rollout_many(Unsteady(*(f"t{number}" for number in range(50))), environment(50))
    assert (summary.lost, len(summary.losses), summary.success) == (50, SHOWN, None)


def test_an_episode_without_a_verdict_is_lost() -> None:
    class Silent:
        async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
            return Score(0.0)

        async def of_episode(self, task: Trace, episode: Trace) -> Score:
            raise JudgeFailed("the judge said nothing")

    summary = rollout_many(Parrot(), environment(2, Silent()))
    assert (summary.episodes, summary.lost, summary.losses[0].fault) == (0, 2, "judge")


def test_a_spent_budget_keeps_what_was_under_way_and_begins_nothing_more(tmp_path: Path) -> None:
    with pytest.raises(BudgetSpent, match="1 request"):
        rollout_many(Poor(), environment(20), output=tmp_path / "r.jsonl", concurrency=2, settings={"agent": "x"})
    assert [trace.conversation_id for trace in read_traces(tmp_path / "r.jsonl")] == ["t0"]
    summary = rollout_many(Parrot(), environment(20), output=tmp_path / "r.jsonl", settings={"agent": "x"})
    assert (summary.episodes, summary.resumed) == (20, 1)


def test_a_fault_of_the_program_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="a fault of the program"):
        rollout_many(Faulty(), environment(3), output=tmp_path / "r.jsonl")


def test_a_rerun_sums_up_like_the_unbroken_run(tmp_path: Path) -> None:
    def timeless(summary: RolloutSummary) -> dict[str, object]:
        return {name: getattr(summary, name) for name in summary.__struct_fields__ if name not in ("seconds", "resumed")}

    rollout_many(Parrot(), environment(9), tasks=tasks(4), output=tmp_path / "r.jsonl")
    gone_on = rollout_many(Parrot(), environment(9), samples=2, output=tmp_path / "r.jsonl")
    assert gone_on.resumed == 4
    assert timeless(gone_on) == timeless(rollout_many(Parrot(), environment(9), samples=2))


def test_samples_ask_the_model_anew_and_a_rerun_does_not(tmp_path: Path) -> None:
    lm = ScriptedLM(lambda request: f"noted {request.sample}")
    agent = PromptAgent(make_handle(lm, cache=tmp_path / "cache.sqlite"), "Be brief.")
    first, second = (list[Trace]() for _ in range(2))
    summary = rollout_many(agent, environment(2), samples=3, on_trace=first.append)
    assert {request.sample for request in lm.asked} == {"", "sample 1", "sample 2"}
    asked = len(lm.asked)
    assert asked == summary.requests == summary.turns
    rollout_many(agent, environment(2), samples=3, on_trace=second.append)
    assert len(lm.asked) == asked
    assert {trace.conversation_id: trace for trace in first} == {trace.conversation_id: trace for trace in second}


def test_agent_and_environment_may_be_made_by_functions() -> None:
    assert rollout_many(Parrot, environment).episodes == 20


def test_two_tasks_of_one_id_are_refused() -> None:
    with pytest.raises(UsageError, match="two tasks are called 't0'"):
        rollout_many(Parrot(), environment(1), tasks=tasks(1) * 2)


@pytest.mark.parametrize(
    ("options", "what"),
    [({"samples": 0}, "samples=0"), ({"concurrency": 0}, "concurrency=0"), ({"executor": "dask"}, "no executor 'dask'")],
)
def test_what_cannot_be_played_is_said_first(options: dict[str, str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        rollout_many(Parrot(), environment(1), **options)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_ended_goes_on_to_the_same_file(end: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PLAY, str(tmp_path / "r.jsonl")]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        for _ in range(20):
            assert run.stdout.readline()
        run.send_signal(end)
        run.stdout.read()
    assert run.returncode != 0
    seen = len((tmp_path / "r.jsonl").read_bytes().splitlines())
    assert 20 <= seen < 400
    gone_on = rollout_many(Parrot(), environment(400), output=tmp_path / "r.jsonl")
    assert gone_on.resumed >= 20
    rollout_many(Parrot(), environment(400), output=tmp_path / "unbroken.jsonl")
    assert lines(tmp_path / "r.jsonl") == lines(tmp_path / "unbroken.jsonl")
