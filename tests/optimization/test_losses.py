"""What an optimizer went without is told: proposals that never came, rollouts that nobody judged."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from agent_gym.lm import Usage
from agent_gym.lm.usage import Transport
from agent_gym.optimization import OptimizationResult, OptimizationRunner
from agent_gym.optimization.losses import Lost, unproposed, unscored
from servers import Asked, ModelServer

Prepare = Callable[..., OptimizationRunner]
SILENT = {"gepa": {"max_metric_calls": 15}, "simba": {"bsize": 4, "max_steps": 1, "num_candidates": 1}}
CRITERIA = ("task_completion", "action_quality", "efficiency", "creativity")


def failing(asked: Asked) -> web.Response:
    return web.Response(status=500, text="down")


@pytest.mark.parametrize("strategy", SILENT)
def test_a_run_whose_prompt_model_is_down_says_that_nothing_could_be_proposed(prepare: Prepare, strategy: str) -> None:
    with ModelServer(response=failing) as server:
        models = {"model": "offline", "prompt_model": "openai/prompt", "api_base": server.openai, "attempts": 1}
        found = prepare(strategy=strategy, **models, **SILENT[strategy]).run()
    failures = found.usage["prompt"].failures
    assert failures == len(server.asked) > 0
    assert (
        f"warning: {strategy} could propose nothing, for all {failures} questions to the prompt model openai/prompt "
        "failed at the endpoint (server_error): mend that and run again"
    ) in found.notes


def asked_for(requests: int, failures: int, hits: int = 0) -> Usage:
    faults = {"timeout": failures} if failures else {}
    return Usage(requests=requests, failures=failures, cache_hits=hits, transport=Transport(faults=faults))


def test_some_failures_are_no_warning_and_none_are_not_told() -> None:
    some = unproposed("gepa", "openai/prompt", asked_for(5, 2))
    assert some == (
        "2 of 5 questions to the prompt model openai/prompt failed at the endpoint (timeout); "
        "gepa went on without those proposals"
    )
    assert not (unproposed("gepa", "openai/prompt", asked_for(2, 2, hits=1)) or "").startswith("warning")
    assert unproposed("gepa", "openai/prompt", asked_for(5, 0)) is None
    assert unproposed("bootstrap", "", None) is None


def test_every_kind_of_unscored_rollout_has_its_sentence() -> None:
    assert unscored(Lost()) == []
    assert [one.split()[0] for one in unscored(Lost(failed=2, unjudged=1))] == ["2", "the"]


class Moody:
    """Judges every other rollout, and says nothing that can be read of the rest."""

    def __init__(self) -> None:
        self.said: dict[str, bool] = {}

    def __call__(self, asked: Asked) -> str:
        readable = self.said.setdefault(asked.turns[-1][1], len(self.said) % 2 == 0)
        fields: dict[str, Any] = {f"{name}_reason": "So." for name in CRITERIA} | dict.fromkeys(CRITERIA, 5)
        return json.dumps(fields) if readable else "hm"


def run_with_a_moody_judge(prepare: Prepare) -> OptimizationResult:
    with ModelServer(Moody()) as server:
        models = {"model": "offline", "judge_model": "openai/judge", "api_base": server.openai}
        return prepare(weights={"tool_accuracy": 0.5, "judge": 0.5}, **models).run()


def test_rollouts_that_were_not_judged_are_told_while_optimizing_and_while_measuring(prepare: Prepare) -> None:
    found = run_with_a_moody_judge(prepare)
    assert found.baseline.unjudged > 0
    told = f"baseline: the judge gave no score for {found.baseline.unjudged} of 8 examples; they are not scored"
    assert told in found.notes
    assert any("rollouts while optimizing; the other parts spoke for each" in note for note in found.notes)
