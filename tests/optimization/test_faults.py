"""An endpoint that fails one request in five: with retries the result is the faultless one, without it says what failed."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from agent_gym.errors import ModelError
from agent_gym.evaluation import Report
from agent_gym.lm import Usage
from agent_gym.lm.tally import Spent
from agent_gym.optimization import OptimizationResult, OptimizationRunner
from servers import FAULTS, Asked, Faults, ModelServer
from stand_in import StandIn

Prepare = Callable[..., OptimizationRunner]
MANY = 24
"""Examples with which every kind of fault is met, whichever requests the plan picks."""
QUICK = tuple(kind for kind in FAULTS if kind != "timeout")


def run(
    prepare: Prepare, server: ModelServer, folder: Path, *, examples: int = 6, timeout: float = 120.0, attempts: int = 4
) -> OptimizationResult:
    """A run with a cache of its own; the same run every time, for its folder is not what is compared."""
    runner = prepare(
        strategy="mipro",
        num_train=examples,
        num_val=examples,
        model="openai/stand-in",
        api_base=server.openai,
        output_path=folder / "agent.json",
        cache=folder / "completions.sqlite",
        timeout=timeout,
        attempts=attempts,
    )
    return runner.run()


@pytest.mark.slow
def test_with_retries_the_result_is_the_faultless_one(prepare: Prepare, sample: Path, tmp_path: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        faultless = run(prepare, server, tmp_path / "faultless", examples=MANY)
    with ModelServer(StandIn(sample), faults=Faults(share=0.2, kinds=FAULTS)) as server:
        faulty = run(prepare, server, tmp_path / "faulty", examples=MANY, timeout=1.0)
        assert {*server.acted} == {*FAULTS}, "not every kind of fault was met"
    assert without_tokens(faulty) == without_tokens(faultless)
    transport = faulty.usage["agent"].transport
    assert transport.retries == sum(transport.faults.values()) > 0
    assert faulty.notes == ()


def without_tokens(result: OptimizationResult) -> OptimizationResult:
    """Nothing of times; and an empty or cut-off answer was paid for too, which tokens rightly say."""

    def free(usage: Mapping[str, Usage]) -> dict[str, Usage]:
        return {
            role: msgspec.structs.replace(used, prompt_tokens=0, completion_tokens=0, reasoning_tokens=0)
            for role, used in usage.items()
        }

    def unspent(report: Report) -> Report:
        examples = tuple(msgspec.structs.replace(example, spent=Spent()) for example in report.examples)
        return msgspec.structs.replace(report, turn_tokens=0.0, examples=examples)

    timeless = result.timeless()
    return msgspec.structs.replace(
        timeless,
        usage=free(timeless.usage),
        baseline=unspent(timeless.baseline),
        optimized=unspent(timeless.optimized),
        events=tuple(msgspec.structs.replace(event, usage=free(event.usage)) for event in timeless.events),
    )


@pytest.mark.parametrize("kinds", [[kind] for kind in QUICK], ids=QUICK)
def test_without_retries_the_run_ends_and_says_what_failed(
    prepare: Prepare, sample: Path, tmp_path: Path, kinds: list[str]
) -> None:
    faults = Faults(share=0.2, kinds=kinds, in_a_row=1)
    with ModelServer(StandIn(sample), faults=faults) as server:
        result = run(prepare, server, tmp_path, attempts=1)
    failures = sum(usage.failures for usage in result.usage.values())
    assert failures == server.acted[kinds[0]] > 0
    assert result.usage["agent"].transport.faults == {kinds[0]: result.usage["agent"].failures}
    for report, phase in ((result.baseline, "baseline"), (result.optimized, "optimized")):
        assert report.n + report.failed == 8
        assert sum(example.score is None for example in report.examples) == report.failed
        said = f"{phase}: {report.failed} of 8 examples failed at the endpoint and are not scored"
        assert (said in result.notes) == (report.failed > 0)
    assert result.baseline.failed > 0
    assert any("rollouts failed at the endpoint while optimizing" in note for note in result.notes)


def test_a_failed_question_is_asked_again_by_the_next_run_and_the_answered_are_not(
    prepare: Prepare, sample: Path, tmp_path: Path
) -> None:
    faults = Faults(share=0.2, kinds=QUICK, in_a_row=1)
    with ModelServer(StandIn(sample), faults=faults) as server:
        first = run(prepare, server, tmp_path, attempts=1)
        asked = len(server.asked)
        second = run(prepare, server, tmp_path, attempts=1)
    failed = sum(usage.failures for usage in first.usage.values())
    assert failed > 0
    assert len(server.asked) - asked >= failed
    assert second.baseline.failed == 0


class FirstProposalsFail:
    """Answers 500 when a proposal is asked for the first time."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, asked: Asked) -> web.Response | None:
        question = repr(asked.turns)
        if "Your output fields are:" not in question or question in self.seen:
            return None
        self.seen.add(question)
        return web.Response(status=500, text="something broke")


def test_proposals_that_fail_are_asked_for_again(prepare: Prepare, sample: Path, tmp_path: Path) -> None:
    with ModelServer(StandIn(sample), response=FirstProposalsFail()) as server:
        result = run(prepare, server, tmp_path, attempts=1)
    assert result.usage["prompt"].failures > 0
    assert result.usage["agent"].failures == 0
    assert len({candidate.prompt for candidate in result.candidates}) > 1


def test_a_prompt_model_that_always_fails_ends_the_run_with_one_error(prepare: Prepare, sample: Path, tmp_path: Path) -> None:
    def refuse(asked: Asked) -> web.Response | None:
        return web.Response(status=500, text="something broke") if "Your output fields are:" in repr(asked.turns) else None

    said = r"openai/stand-in at http://127\.0\.0\.1:\d+ answered 500: something broke"
    with ModelServer(StandIn(sample), response=refuse) as server, pytest.raises(ModelError, match=said):
        run(prepare, server, tmp_path, attempts=1)
    assert not (tmp_path / "agent.json").exists()
