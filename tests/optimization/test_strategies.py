# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Ten strategies by name: what each changes, what each learns from and chooses by, and the traps of DSPy's that each closes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import dspy
import pytest
from aiohttp import web

from agent_gym.agents.dspy_agent import INSTRUCTION, SGDAgentModule
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import ModelError, UsageError
from agent_gym.lm import make_lm
from agent_gym.lm.prompt import TOOLS, render_action
from agent_gym.messages import Assistant
from agent_gym.metrics import CombinedMetric
from agent_gym.optimization import OptimizationRunner
from agent_gym.optimization.compile import compile_agent
from agent_gym.optimization.examples import Examples
from agent_gym.optimization.losses import Lost
from agent_gym.optimization.program import PlayedAgent
from agent_gym.optimization.strategies import STRATEGIES, Candidate, Strategy, Workbench, make_strategy, options_of
from agent_gym.tools.recordings import read_recordings
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from servers import Asked, Faults, ModelServer
from stand_in import StandIn

Prepare = Callable[..., OptimizationRunner]

SMALL: dict[str, dict[str, Any]] = {
    "baseline": {},
    "labeled": {"max_labeled_demos": 3},
    "bootstrap": {"max_bootstrapped_demos": 2, "max_labeled_demos": 3},
    "bootstrap_random_search": {"num_candidate_programs": 2, "max_bootstrapped_demos": 2, "max_labeled_demos": 2},
    "mipro": {"minibatch_size": 2, "max_bootstrapped_demos": 1, "max_labeled_demos": 1},
    "gepa": {"max_metric_calls": 30},
    "simba": {"bsize": 4, "num_candidates": 2, "max_steps": 2, "max_demos": 2},
    "copro": {"breadth": 2, "depth": 2},
    "infer_rules": {"num_candidates": 2, "num_rules": 3, "max_bootstrapped_demos": 1, "max_labeled_demos": 1},
    "better_together": {
        "max_metric_calls": 25,
        "num_candidate_programs": 1,
        "max_bootstrapped_demos": 1,
        "max_labeled_demos": 1,
    },
}
LEAST = dict.fromkeys(("mipro",), (2, 2)) | {"gepa": (3, 1), "simba": (16, 1), "better_together": (3, 1)}
PLAYING = [name for name in SMALL if name not in ("baseline", "labeled")]
RULES = "\n\nPlease adhere to the following rules when making your prediction:\n"


class Watched:
    """A metric that keeps which examples programs were compared on, and which had to teach."""

    def __init__(self, metric: Callable[..., Any]) -> None:
        self.metric = metric
        self.compared: set[str] = set()
        self.taught: set[str] = set()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Watched":
        return self

    def __call__(self, gold: Any, pred: Any, trace: Any = None, pred_name: str | None = None, pred_trace: Any = None) -> Any:
        (self.compared if trace is None and pred_name is None else self.taught).add(gold.task.id)
        return self.metric(gold, pred, trace, pred_name, pred_trace)


class Looking:
    """A strategy that is watched."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.metric_threshold = strategy.metric_threshold
        self.bench: Workbench | None = None

    name: ClassVar[str] = "watched"
    proposes: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ()

    def check(self, num_train: int, num_val: int) -> None:
        self.strategy.check(num_train, num_val)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        self.bench = replace(bench, metric=Watched(bench.metric))
        return self.strategy.compile(program, self.bench)


@pytest.fixture(scope="module")
def examples(sample: Path) -> Examples:
    loader = SGDLoader(sample)
    train, val = draw_tasks(loader, "train", [6, 4])
    return Examples(train, val, draw_tasks(loader, "dev", [1])[0])


@pytest.fixture(scope="module")
def environment(sample: Path) -> ReplayEnvironment:
    recordings = read_recordings(SGDLoader(sample))
    return ReplayEnvironment(lambda: recordings)


Compiled = tuple[SGDAgentModule, list[Candidate], Watched, SGDAgentModule]
Compile = Callable[..., Compiled]


@pytest.fixture
def compiled(examples: Examples, environment: ReplayEnvironment) -> Compile:
    """Compiles a strategy; gives the tuned agent, the candidates, what was scored, and the agent it began with."""

    def run(name: str, *, seed: int = 0, repeat: int = 0, **options: Any) -> Compiled:
        before = SGDAgentModule()
        looking = Looking(make_strategy(name, {**SMALL[name], **options}))
        models = {"agent": make_lm("offline", cache=None), "prompt": make_lm("offline", role="prompt", cache=None)}
        tuned, tried, lost = compile_agent(
            looking, before, examples, environment, CombinedMetric(), models, 4, seed, repeat, lambda done: None
        )
        assert lost == Lost()
        assert looking.bench is not None
        assert isinstance(looking.bench.metric, Watched)
        return tuned, tried, looking.bench.metric, before

    return run


def test_ten_strategies_have_their_names() -> None:
    assert [*STRATEGIES] == [*SMALL]
    assert [strategy.name for strategy in STRATEGIES.values()] == [*SMALL]


@pytest.mark.parametrize("name", SMALL)
def test_every_strategy_runs_whole_and_leaves_the_agent_it_was_given_alone(prepare: Prepare, name: str) -> None:
    result = prepare(strategy=name, num_train=6, num_val=4, num_test=4, **SMALL[name]).run()
    assert result.initial_prompt == INSTRUCTION == SGDAgentModule().instruction
    assert result.strategy == name
    assert result.options.items() >= SMALL[name].items()
    assert ("prompt" in result.models) == ("prompt" in result.usage) == STRATEGIES[name].proposes
    assert all(0.0 <= one.score <= 1.0 and one.examples in (2, 4, 6) for one in result.candidates)
    assert result.notes == () or result.kept == "baseline"


def test_baseline_changes_nothing(compiled: Compile) -> None:
    tuned, tried, scored, before = compiled("baseline")
    assert tuned is before
    assert (tuned.instruction, tuned.demos, tried) == (INSTRUCTION, [], [])
    assert scored.compared == scored.taught == set()


def test_labeled_shows_recorded_first_steps_and_asks_no_model(compiled: Compile, examples: Examples) -> None:
    tuned, _, scored, _ = compiled("labeled")
    recorded = {render_action(step) for task in examples.train for step in task.expected if isinstance(step, Assistant)}
    assert len(tuned.demos) == 3
    assert {demo["action"] for demo in tuned.demos} <= recorded
    assert tuned.instruction == INSTRUCTION
    assert scored.compared == scored.taught == set()


@pytest.mark.parametrize("name", ["bootstrap", "bootstrap_random_search"])
def test_few_shot_strategies_change_worked_examples_only(compiled: Compile, examples: Examples, name: str) -> None:
    tuned, tried, scored, _ = compiled(name)
    assert 1 <= len(tuned.demos) <= 3
    assert {tuned.instruction, *(one.program.agent.instruction for one in tried)} == {INSTRUCTION}
    assert scored.taught <= {task.id for task in examples.train}


@pytest.mark.parametrize("name", ["gepa", "copro"])
def test_instruction_strategies_write_no_worked_examples(compiled: Compile, name: str) -> None:
    tuned, tried, _, _ = compiled(name)
    assert tuned.demos == []
    assert len({one.program.agent.instruction for one in tried} | {INSTRUCTION}) >= 2
    assert tuned.instruction in {one.program.agent.instruction for one in tried}


def test_mipro_searches_both_together(compiled: Compile) -> None:
    _, tried, _, _ = compiled("mipro")
    assert {len(one.program.agent.demos) for one in tried} == {0, 1}
    assert len({one.program.agent.instruction for one in tried}) >= 2


def test_simba_adds_rules_and_worked_examples_and_drops_neither_instruction(compiled: Compile) -> None:
    tuned, tried, scored, _ = compiled("simba")
    assert all(one.program.agent.instruction.startswith(INSTRUCTION) for one in tried)
    assert max(len(one.program.agent.demos) for one in tried) >= 1
    assert len(tuned.demos) <= 2
    assert len(scored.compared) == 6, "the training examples"


def test_better_together_keeps_the_best_state_on_the_way(compiled: Compile) -> None:
    tuned, tried, _, before = compiled("better_together")
    best = max(tried, key=lambda one: one.score)
    assert (tuned.instruction, tuned.demos) == (best.program.agent.instruction, best.program.agent.demos)
    assert len(tried) == 3, "the baseline and a state after each step"
    assert (before.instruction, before.demos) == (INSTRUCTION, [])


@pytest.mark.parametrize("name", ["bootstrap_random_search", "mipro", "gepa", "copro", "infer_rules", "better_together"])
def test_programs_are_compared_on_the_validation_examples_and_on_all_of_them(
    compiled: Compile, examples: Examples, name: str
) -> None:
    _, _, scored, _ = compiled(name)
    assert scored.compared >= {task.id for task in examples.val}
    if name not in ("gepa", "better_together"):
        assert scored.compared == {task.id for task in examples.val}, "GEPA alone accepts by the examples it reflects on"


def rules_of(candidate: Candidate) -> str:
    instruction = candidate.program.agent.instruction
    assert instruction.startswith(INSTRUCTION + RULES)
    return instruction.removeprefix(INSTRUCTION + RULES)


class Inventive:
    """The stand-in, with other rules every time it is asked for some."""

    def __init__(self, sample: Path) -> None:
        self._stand_in = StandIn(sample)
        self._count = count(1)

    def __call__(self, asked: Asked) -> str:
        return self._stand_in(asked).replace(": be brief.", f": be brief {next(self._count)}.")


def test_rules_stay_with_the_candidate_that_they_were_written_for(prepare: Prepare, sample: Path) -> None:
    with ModelServer(Inventive(sample)) as server:
        options = {**SMALL["infer_rules"], "num_candidates": 4}
        result = prepare(strategy="infer_rules", model="openai/stand-in", api_base=server.openai, **options).run()
    written = [one.prompt for one in result.candidates]
    assert len({*written}) == 4
    assert all(prompt.startswith(INSTRUCTION + RULES) and prompt.count(RULES) == 1 for prompt in written)
    best = max(result.candidates, key=lambda one: one.score)
    assert (result.kept, result.optimized_prompt) == ("optimized", best.prompt)
    assert best.prompt != written[-1], "the last is what the stock optimizer would have kept"


@pytest.mark.parametrize("name", ["gepa", "simba", "copro", "infer_rules", "better_together"])
def test_a_prompt_model_that_always_fails_is_no_fault_of_the_program(prepare: Prepare, sample: Path, name: str) -> None:
    def refuse(asked: Asked) -> web.Response | None:
        return None if f"\n{TOOLS}\n" in asked.turns[0][1] else web.Response(status=500, text="something broke")

    with ModelServer(StandIn(sample), response=refuse) as server:
        runner = prepare(strategy=name, model="openai/stand-in", api_base=server.openai, attempts=1, **SMALL[name])
        if name in ("copro", "infer_rules"):
            with pytest.raises(ModelError, match="answered 500: something broke"):
                runner.run()
            return
        result = runner.run()
    assert result.usage["prompt"].failures > 0
    assert result.optimized_prompt == INSTRUCTION, "no instruction without a model that writes one"


def test_rules_are_written_into_no_other_agent(compiled: Compile) -> None:
    tuned, tried, _, before = compiled("infer_rules")
    assert before.instruction == SGDAgentModule().instruction == INSTRUCTION
    assert [bool(rules_of(one)) for one in tried] == [True, True]
    assert tuned.instruction in {one.program.agent.instruction for one in tried}


def test_the_prompt_model_reads_as_many_examples_as_it_is_told(prepare: Prepare, sample: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        models = {"model": "openai/agent", "prompt_model": "openai/writer", "api_base": server.openai}
        prepare(strategy="infer_rules", rule_examples=2, **SMALL["infer_rules"], **models).run()
    asked = [str(one.turns) for one in server.asked if one.body["model"] == "writer"]
    assert asked
    assert {one.count("Output Fields:") for one in asked} == {2}
    assert all("(as given)" in one and '"parameters"' not in one for one in asked), "the catalog of tools"


def test_gepa_is_told_which_call_was_expected(prepare: Prepare, sample: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        models = {"model": "openai/agent", "prompt_model": "openai/writer", "api_base": server.openai}
        prepare(strategy="gepa", **SMALL["gepa"], **models).run()
    reflections = [str(one.turns) for one in server.asked if one.body["model"] == "writer"]
    assert any("Expected the call " in one for one in reflections)


def test_a_seed_of_0_is_a_seed(compiled: Compile, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    class Noted(dspy.MIPROv2):
        def __init__(self, *arguments: Any, seed: int, **options: Any) -> None:
            seeds.append(seed)
            super().__init__(*arguments, seed=seed, **options)

    monkeypatch.setattr(dspy, "MIPROv2", Noted)
    for seed, repeat in ((0, 0), (8, 0), (0, 1), (2**32 - 2, 1)):
        compiled("mipro", seed=seed, repeat=repeat)
    assert seeds == [1, 9, 1001, 1000], "DSPy takes 0 for 9, Optuna nothing above 32 bits"


@pytest.mark.parametrize("name", ["labeled", "bootstrap"])
def test_a_repeat_draws_other_worked_examples(compiled: Compile, name: str) -> None:
    drawn = [compiled(name, repeat=repeat)[0].demos for repeat in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("name", SMALL)
def test_a_repeat_pays_for_every_request_again(prepare: Prepare, tmp_path: Path, name: str) -> None:
    runs = [
        prepare(
            strategy=name, num_train=6, num_val=4, num_test=2, repeat=repeat, output_path=tmp_path / f"{n}.json", **SMALL[name]
        ).run()
        for n, repeat in enumerate((0, 1, 1))
    ]
    first, again, known = (result.usage for result in runs)
    assert again["agent"].requests >= first["agent"].requests // 2 > 0
    assert ("prompt" not in again) or again["prompt"].requests > 0
    assert {usage.requests for usage in known.values()} == {0}, "another run of the same repeat asks nothing"


@pytest.mark.parametrize("name", PLAYING)
def test_a_fault_of_the_program_ends_every_strategy(compiled: Compile, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from agent_gym.optimization import program

    def broken(text: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(program, "parse_action", broken)
    with pytest.raises(ZeroDivisionError):
        compiled(name)


@pytest.mark.parametrize("name", PLAYING)
def test_rollouts_that_the_endpoint_failed_are_counted(prepare: Prepare, sample: Path, name: str) -> None:
    right = StandIn(sample)
    with ModelServer(right, faults=Faults(share=0.5, kinds=("server_error",), in_a_row=1)) as server:
        models = {"model": "openai/stand-in", "api_base": server.openai, "attempts": 1}
        result = prepare(strategy=name, num_train=8, **SMALL[name], **models).run()
    assert any("rollouts failed at the endpoint while optimizing" in note for note in result.notes), result.notes
    assert 0.0 <= result.optimized.score <= 1.0


@pytest.fixture
def silent(sample: Path) -> Iterator[ModelServer]:
    with ModelServer(StandIn(sample)) as server:
        yield server
        assert server.asked == [], "a request was sent"


@pytest.mark.parametrize("name", SMALL)
def test_too_few_examples_are_refused_before_any_request(prepare: Prepare, silent: ModelServer, name: str) -> None:
    train, val = LEAST.get(name, (1, 1))
    models = {"strategy": name, "model": "openai/any", "api_base": silent.openai}
    prepare(num_train=train, num_val=val, **models)
    for option, least in (("num_train", train), ("num_val", val)):
        if least > 1:
            with pytest.raises(UsageError, match=f"{name} needs {option} of {least} or more, got {least - 1}"):
                prepare(**{"num_train": train, "num_val": val, **models, option: least - 1})


@pytest.mark.parametrize("name", SMALL)
def test_options_are_named_and_in_range(prepare: Prepare, silent: ModelServer, name: str) -> None:
    models = {"strategy": name, "model": "openai/any", "api_base": silent.openai}
    with pytest.raises(UsageError, match=f"^{name} has no option 'temper'; it takes") as caught:
        prepare(temper=1, **models)
    known = options_of(make_strategy(name, {}))
    assert all(option in str(caught.value) for option in known)
    for option, default in known.items():
        with pytest.raises(UsageError, match=f"^{name}: {option} is "):
            prepare(**{option: -1 if not isinstance(default, str) else 1}, **models)


def test_copro_needs_two_proposals_a_round(prepare: Prepare, silent: ModelServer) -> None:
    with pytest.raises(UsageError, match="copro needs breadth of 2 or more, got 1"):
        prepare(strategy="copro", breadth=1, model="openai/any", api_base=silent.openai)


def test_simba_needs_a_batch_of_training_examples(prepare: Prepare, silent: ModelServer) -> None:
    with pytest.raises(UsageError, match="simba needs num_train of 5 or more, got 4"):
        prepare(strategy="simba", bsize=5, num_train=4, model="openai/any", api_base=silent.openai)


def test_an_unknown_strategy_lists_all_ten(prepare: Prepare, silent: ModelServer) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(strategy="anneal", model="openai/any", api_base=silent.openai)
    assert str(caught.value) == (
        "there is no strategy 'anneal'; there are: baseline, labeled, bootstrap, bootstrap_random_search, mipro, gepa, simba, "
        "copro, infer_rules, better_together"
    )
