"""The result file: what is written is read back, and what is not ours is refused in one line."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import FileRefused
from agent_gym.evaluation import ExampleScore, Report
from agent_gym.lm import Transport, Usage
from agent_gym.metrics import CallCounts
from agent_gym.optimization import OptimizationResult
from agent_gym.optimization.result import RESULT_VERSION, CandidateScore, Event

words = st.text(max_size=12)
shares = st.floats(0, 1)
counts = st.integers(0, 2**53)
calls = st.builds(CallCounts, counts, counts, counts)
by_name = st.dictionaries(words, shares, max_size=2)
transports = st.builds(
    Transport,
    replayed=counts,
    faults=st.dictionaries(words, counts, max_size=2),
    latencies=st.dictionaries(st.integers(0, 2000), counts, max_size=3),
)
usages = st.dictionaries(words, st.builds(Usage, requests=counts, picodollars=counts, transport=transports), max_size=2)
examples = st.builds(ExampleScore, words, st.none() | shares, by_name, calls, words, st.none() | words)
reports = st.builds(
    Report,
    n=counts,
    failed=counts,
    broken=counts,
    score=shares,
    parts=by_name,
    interval=st.tuples(shares, shares),
    call_precision=shares,
    call_recall=shares,
    call_f1=shares,
    calls=calls,
    mocked=by_name,
    examples=st.lists(examples, max_size=2).map(tuple),
    seconds=st.floats(0, 1e6),
)
events = st.builds(Event, kind=st.sampled_from(["phase_finished", "note"]), phase=words, total=st.none() | counts, usage=usages)
demos = st.fixed_dictionaries(
    {
        "conversation": st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": words}), max_size=2),
        "action": words,
    }
)
results = st.builds(
    OptimizationResult,
    strategy=words,
    options=st.dictionaries(words, words | counts | shares, max_size=2),
    models=st.dictionaries(words, words, max_size=2),
    seed=st.integers(0, 2**32),
    weights=by_name,
    data=st.dictionaries(words, words, max_size=2),
    packages=st.dictionaries(words, words, max_size=2),
    baseline=reports,
    optimized=reports,
    validation=by_name,
    kept=st.sampled_from(["optimized", "baseline"]),
    initial_prompt=words,
    optimized_prompt=words,
    few_shot_demos=st.lists(demos, max_size=2).map(tuple),
    candidates=st.lists(st.builds(CandidateScore, words, counts, shares, counts), max_size=2).map(tuple),
    usage=usages,
    costs=st.dictionaries(words, st.none() | shares, max_size=2),
    agent_path=words,
    events=st.lists(events, max_size=2).map(tuple),
    notes=st.lists(words, max_size=2).map(tuple),
    times=st.dictionaries(words, shares, max_size=2),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@given(result=results)
def test_a_saved_result_reads_back_as_it_was(folder: Path, result: OptimizationResult) -> None:
    path = folder / "a_result.json"
    result.save(path)
    assert OptimizationResult.load(path) == result
    assert OptimizationResult.load(str(path)) == result


@given(results)
def test_what_is_timeless_stays_the_same_without_times(result: OptimizationResult) -> None:
    timeless = result.timeless()
    assert timeless.timeless() == timeless
    assert (timeless.times, timeless.baseline.seconds) == ({}, 0.0)
    assert [example.score for example in timeless.baseline.examples] == [example.score for example in result.baseline.examples]
    assert all(usage.transport == Transport() for event in timeless.events for usage in event.usage.values())


def a_report(score: float) -> Report:
    return Report(n=1, failed=0, broken=0, score=score, parts={}, interval=(0, 1), call_precision=0, call_recall=0, call_f1=0)


def a_result(baseline: float = 0.5, optimized: float = 0.6) -> OptimizationResult:
    return OptimizationResult(
        strategy="bootstrap",
        options={},
        models={"agent": "offline"},
        seed=0,
        weights={},
        data={},
        packages={},
        baseline=a_report(baseline),
        optimized=a_report(optimized),
        validation={},
        kept="optimized",
        initial_prompt="",
        optimized_prompt="",
        few_shot_demos=(),
        candidates=(),
        usage={},
        costs={},
        agent_path="agent.json",
        events=(),
    )


@pytest.mark.parametrize(
    ("before", "after", "percent"), [(0.5, 0.6, 20.0), (0.5, 0.4, -20.0), (0.0, 0.25, 25.0), (0.0, 0.0, 0.0)]
)
def test_the_improvement_is_in_percent_of_the_baseline(before: float, after: float, percent: float) -> None:
    assert a_result(before, after).improvement_pct == pytest.approx(percent)


def test_a_result_takes_the_place_of_an_older_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "agent_result.json"
    a_result().save(path)
    a_result(optimized=0.9).save(path)
    assert OptimizationResult.load(path).optimized.score == 0.9
    assert [one.name for one in tmp_path.iterdir()] == ["agent_result.json"]


@given(share=st.floats(0, 0.999))
def test_a_truncated_result_is_refused(folder: Path, share: float) -> None:
    a_result().save(folder / "whole.json")
    whole = (folder / "whole.json").read_bytes().rstrip()
    (folder / "cut.json").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FileRefused, match=r"cut.json is truncated or not JSON \(.*\): write it again$"):
        OptimizationResult.load(folder / "cut.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x80\x04\x95", "is truncated or not JSON"),
        (b"[" * 100_000, "is truncated or not JSON"),
        (b"null", "is no agent-gym result file: name one that this program wrote"),
        (b"[1, 2]", "is no agent-gym result file"),
        (b'{"version": 1}', "is no agent-gym result file"),
        (b'{"kind": "agent-gym agent", "version": 1}', "is no agent-gym result file but an agent-gym agent file"),
        (b'{"kind": "agent-gym result"}', "has version None"),
        (
            b'{"kind": "agent-gym result", "version": %d}' % (RESULT_VERSION + 1),
            "has version 2, the newest known here is 1: update",
        ),
        (b'{"kind": "agent-gym result", "version": 1}', "is not a whole result .*: run the optimization again"),
    ],
    ids="pickle nested-without-end null list no-kind an-agent no-version newer fields-missing".split(),
)
def test_what_is_not_a_result_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=said) as caught:
        OptimizationResult.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_field_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    path = tmp_path / "agent_result.json"
    a_result().save(path)
    value = msgspec.json.decode(path.read_bytes())
    value["baseline"]["score"] = "high"
    path.write_bytes(msgspec.json.encode(value))
    with pytest.raises(FileRefused, match=r"Expected `float`, got `str` - at `\$\.baseline\.score`"):
        OptimizationResult.load(path)


@pytest.mark.parametrize("name", ["absent.json", "."], ids=["absent", "a-folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileRefused, match="cannot read"):
        OptimizationResult.load(tmp_path / name)
