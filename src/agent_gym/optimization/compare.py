"""Strategies held against the baseline, and against each other, on the same examples.

    comparison = compare_strategies("data/sample", ["bootstrap", "mipro"], model="offline", output_path="checkpoints/cmp.json")
    comparison = compare_results([OptimizationResult.load(path) for path in paths])

Every example was played by every contender, so differences are taken example by example (over the mean of the repeats) and
resampled as such; with several strategies the p-values are corrected for their number. Two contenders between which no
difference can be told share a rank.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agent_gym.errors import UsageError
from agent_gym.evaluation import ExampleScore, Report
from agent_gym.evaluation.paired import Paired, against_baseline
from agent_gym.evaluation.reliability import pass_hat_k
from agent_gym.evaluation.statistics import bootstrap_interval
from agent_gym.evaluation.verdict import verdict
from agent_gym.lm.usage import Usage
from agent_gym.metrics import CallCounts
from agent_gym.optimization.calibration import Calibration
from agent_gym.optimization.comparison import Comparison, Contender, Difference, Slice, Turns
from agent_gym.optimization.judge_error import JudgeError, require_judge_of
from agent_gym.optimization.limits import NAMES
from agent_gym.optimization.result import Event, OptimizationResult
from agent_gym.traces.sgd_variant import SchemaVariant

if TYPE_CHECKING:
    from agent_gym.optimization.runner import OptimizationRunner

BASELINE = "baseline"
CHANGED = 10
"""Examples that are shown turn by turn."""
PASS = 1.0
"""The tool accuracy with which a repeat of an example counts as passed."""
SURE = 0.05


def compare_results(results: Sequence[OptimizationResult], *, calibration: Calibration | None = None) -> Comparison:
    """Saved results as a comparison; results of one strategy with other repeats are repeats of one contender.

    Args:
        calibration: of the judge that scored them: its rates are corrected, and gaps that it cannot tell do not rank.

    Raises:
        UsageError: when there are none, they are not of the same examples, or the calibration is another judge's.
    """
    if not results:
        raise UsageError("nothing to compare: name results, or strategies to run")
    unmeasured = [result for result in results if not result.optimized.n]
    results = [result for result in results if result.optimized.n]
    if not results:
        raise UsageError("nothing to compare: no result was measured before its budget was spent; run again with a larger one")
    _same_examples(results)
    repeats: dict[str, list[OptimizationResult]] = {}
    for result in results:
        repeats.setdefault(result.strategy, []).append(result)
    one_each: Sequence[OptimizationResult] = max(repeats.values(), key=len)
    played = {BASELINE: [result.baseline for result in one_each]}
    played |= {name: [result.optimized for result in runs] for name, runs in repeats.items() if name != BASELINE}
    ids = _played_by_all(played)
    tables = {name: [_by_id(report) for report in reports] for name, reports in played.items()}
    examples = {name: [[table[one] for table in found] for one in ids] for name, found in tables.items()}
    means = {name: _scores(rows) for name, rows in examples.items()}
    paired = against_baseline(means[BASELINE], {name: scores for name, scores in means.items() if name != BASELINE})
    contenders = [
        _contender(name, reports, examples[name], paired.get(name), repeats.get(name, []), one_each[0])
        for name, reports in played.items()
    ]
    judge = JudgeError(calibration, results, examples)
    applies = calibration if judge.rates else None
    contenders = [_with_rate(one, judge) for one in contenders]
    contenders.sort(key=lambda one: (one.name != BASELINE, -one.score))
    first = results[0]
    return Comparison(
        data=f"{first.data['name']}, {first.data['splits']['test']}",
        models=first.models,
        rubric=first.rubric,
        seeds=tuple(dict.fromkeys(result.seed for result in results)),
        baseline=BASELINE,
        contenders=tuple(contenders),
        ranking=_ranking(means, judge.hides),
        changed=_changed(examples, means, ids),
        calibration=applies,
        notes=(*judge.notes, *dict.fromkeys(note for result in results for note in result.notes), *map(_left_out, unmeasured)),
        times={"seconds": sum(float(result.times.get("seconds", 0.0)) for result in results)},
    )


def compare_strategies(
    data_path: str | Path,
    strategies: Sequence[str],
    *,
    repeats: int = 1,
    output_path: str | Path = "checkpoints/compare.json",
    schema_variant: str | None = None,
    calibration: Calibration | None = None,
    on_start: Callable[[str, int], None] | None = None,
    on_event: Callable[[Event], None] | None = None,
    **options: Any,
) -> Comparison:
    """Run strategies on the same examples and compare them.

    Args:
        strategies: names; the baseline is always among the contenders.
        repeats: times that each is run, 1 or more; every repeat asks the models anew and draws the strategy's own chances anew.
        output_path: the comparison; each run's agent and result go beside it, as `NAME_STRATEGY_REPEAT.json`.
        schema_variant: also measure the agents of the first repeat with SGD-X's other names, e.g. "v1", and report how far
            they fall.
        calibration: of the judge, see `compare_results`.
        options: further options of `OptimizationRunner`; `optimize_requests` or `optimize_cost` gives each strategy the same
            budget.
        on_start: told strategy and repeat before each run.

    Raises:
        UsageError: for what can be known to go wrong, of any of the runs, before the first request.
    """
    from agent_gym.optimization.runner import OptimizationRunner

    if repeats < 1:
        raise UsageError(f"repeats must be 1 or more, got {repeats}")
    if not strategies or len(set(strategies)) < len(strategies):
        raise UsageError(f"name each strategy once, got {', '.join(strategies) or 'none'}")
    output = Path(output_path)
    if schema_variant is not None:
        # Read now for what it refuses: a variant that is not there is found before the first run.
        SchemaVariant.read(data_path, options.get("split") or "dev", schema_variant)
    # All of them before the first run: a mistake in the last is found before the first is paid.
    runners = {
        (strategy, repeat): OptimizationRunner(
            data_path,
            strategy,
            repeat=repeat,
            output_path=output.with_name(f"{output.stem}_{strategy}_{repeat}.json"),
            on_event=on_event,
            **options,
        )
        for strategy in strategies
        for repeat in range(repeats)
    }
    for (strategy, _), runner in runners.items():
        if calibration is not None and runner.judge is not None:
            require_judge_of(calibration, runner.judge, runner.rubric, whose=strategy)
    results: list[OptimizationResult] = []
    for (strategy, repeat), runner in runners.items():
        if on_start is not None:
            on_start(strategy, repeat)
        results.append(runner.run())
    comparison = compare_results(results, calibration=calibration)
    if schema_variant is None:
        return comparison
    first = next(iter(runners.values()))
    agents = {BASELINE: None, **{strategy: runners[strategy, 0].output_path for strategy in strategies if strategy != BASELINE}}
    falls = {
        name: _fall(
            first, agent, schema_variant, next(one for one in comparison.contenders if one.name == name), options, on_event
        )
        for name, agent in agents.items()
    }
    return msgspec.structs.replace(comparison, robustness={"variant": schema_variant, "strategies": falls})


def _fall(
    runner: "OptimizationRunner",
    agent: Path | None,
    variant: str,
    contender: Contender,
    options: Mapping[str, Any],
    on_event: Callable[[Event], None] | None,
) -> dict[str, Any]:
    """An agent's score under other names, on the examples of the run, and how far it falls."""
    from agent_gym.optimization.measure import measure_tasks

    taken = {
        name: options[name]
        for name in ("model", "judge_model", "rubric", "api_base", "weights", "threads", *NAMES)
        if name in options
    }
    split = str(runner.split or "dev")
    report, _ = measure_tasks(
        agent, runner.data, lambda: runner.examples.test, split=split, schema_variant=variant, on_event=on_event, **taken
    )
    return {"score": report.score, "interval": report.interval, "fall": contender.score - report.score}


def _left_out(result: OptimizationResult) -> str:
    return f"{result.strategy}, repeat {result.repeat}, is left out: its budget was spent before it was measured"


def _same_examples(results: Sequence[OptimizationResult]) -> None:
    first = results[0]
    said = _said(first)
    for result in results[1:]:
        if result.data["examples"]["test"] != first.data["examples"]["test"]:
            raise UsageError(
                f"{first.strategy} was measured on {_where(first)}, {result.strategy} on {_where(result)}: "
                "only results of the same examples can be compared"
            )
        if any(said.get(name, words) != words for name, words in _said(result).items()):
            raise UsageError(
                f"{first.strategy} was measured on {_where(first)}, {result.strategy} on other examples of the same names: "
                "only results of the same data can be compared"
            )
        if result.weights != first.weights:
            raise UsageError(
                f"{first.strategy} was scored with {dict(first.weights)}, {result.strategy} with {dict(result.weights)}: "
                "only results of the same weights can be compared"
            )
        if _judge(result) != _judge(first):
            raise UsageError(
                f"{first.strategy} was judged by {_judge(first)}, {result.strategy} by {_judge(result)}: "
                "only results of the same judge can be compared"
            )


def _said(result: OptimizationResult) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What the examples say: in two logs, conversations of one name may be different ones."""
    return {example.id: (example.user, example.expected) for example in result.baseline.examples if example.user}


def _judge(result: OptimizationResult) -> str:
    """Who judged, and by what: a model with another rubric is another judge."""
    rubric = f" by the rubric {result.rubric}" if result.rubric else ""
    return f"{result.models.get('judge', 'nobody')}{rubric}"


def _where(result: OptimizationResult) -> str:
    data = result.data
    return f"{len(data['examples']['test'])} examples of {data['name']} {data['splits']['test']!r}, seed {result.seed}"


def _played_by_all(played: Mapping[str, Sequence[Report]]) -> list[str]:
    reports = [report for group in played.values() for report in group]
    scored = [{example.id for example in report.examples if example.score is not None} for report in reports]
    ids = [example.id for example in reports[0].examples if all(example.id in found for found in scored)]
    if not ids:
        raise UsageError("no example was scored in every run: the endpoint failed too often; run again")
    return ids


def _by_id(report: Report) -> dict[str, ExampleScore]:
    return {example.id: example for example in report.examples}


def _scores(examples: Sequence[Sequence[ExampleScore]]) -> list[float]:
    """Per example the mean over its repeats; all of them were scored."""
    return [_mean([example.score or 0.0 for example in row]) for row in examples]


def _contender(
    name: str,
    reports: Sequence[Report],
    examples: Sequence[Sequence[ExampleScore]],
    paired: Paired | None,
    runs: Sequence[OptimizationResult],
    first: OptimizationResult,
) -> Contender:
    scores = _scores(examples)
    counts = sum((example.calls for row in examples for example in row), CallCounts())
    passed = [[float(example.parts.get("tool_accuracy", example.score or 0.0) >= PASS) for example in row] for row in examples]
    used = [usage for run in runs for usage in run.usage.values()]
    total = sum(used, Usage())
    latency = [report.latency for report in reports if report.latency is not None]
    costs = [report.turn_cost for report in reports if report.turn_cost is not None]
    return Contender(
        name=name,
        repeats=len(reports),
        n=len(examples),
        failed=sum(report.failed for report in reports),
        unjudged=sum(report.unjudged for report in reports),
        broken=sum(report.broken for report in reports),
        score=_mean(scores),
        interval=bootstrap_interval(scores),
        parts={
            part: _mean([example.parts.get(part, 0.0) for row in examples for example in row])
            for part in dict.fromkeys(part for report in reports for part in report.parts)
        },
        call_precision=counts.precision,
        call_recall=counts.recall,
        call_f1=counts.f1,
        pass_k=tuple(pass_hat_k(passed, k).value or 0.0 for k in range(1, len(reports) + 1)),
        difference=None if paired is None else _difference(name, paired),
        requests=total.requests,
        prompt_tokens=total.prompt_tokens,
        completion_tokens=total.completion_tokens,
        cost=total.cost,
        seconds=sum(float(run.times.get("seconds", 0.0)) for run in runs),
        turn_tokens=_mean([report.turn_tokens for report in reports]),
        turn_cost=_mean(costs) if len(costs) == len(reports) else None,
        latency_p50=_mean([one[0] for one in latency]) if len(latency) == len(reports) else None,
        latency_p95=_mean([one[1] for one in latency]) if len(latency) == len(reports) else None,
        by_service=_slices(examples, lambda service: service),
        by_domain=_slices(examples, lambda service: service.rpartition("_")[0] or service),
        prompt=runs[0].optimized_prompt if runs else first.initial_prompt,
        demos=len(runs[0].few_shot_demos) if runs else 0,
        notes=tuple(note for run in runs for note in run.notes),
    )


def _with_rate(one: Contender, judge: JudgeError) -> Contender:
    rate = judge.rates.get(one.name)
    return one if rate is None else msgspec.structs.replace(one, judge=msgspec.to_builtins(rate))


def _difference(name: str, paired: Paired) -> Difference:
    said = verdict(name, BASELINE, paired.difference, paired.interval, paired.p_adjusted, paired.n, paired.needed)
    return Difference(
        mean=paired.difference,
        interval=paired.interval,
        p=paired.p,
        adjusted_p=paired.p_adjusted,
        needed=paired.needed,
        verdict=said,
    )


def _slices(examples: Sequence[Sequence[ExampleScore]], named: Callable[[str], str]) -> dict[str, Slice]:
    groups: dict[str, list[float]] = {}
    for row in examples:
        groups.setdefault(named(row[0].service), []).append(_mean([example.score or 0.0 for example in row]))
    return {name: Slice(len(scores), _mean(scores)) for name, scores in sorted(groups.items()) if name}


def _ranking(means: Mapping[str, Sequence[float]], hidden: Callable[[str, str], bool]) -> tuple[tuple[str, ...], ...]:
    """From best to worst; a contender joins the group above while no difference to that group's best can be told.

    Args:
        hidden: whether a judge's error is larger than what stands between two.
    """
    order = sorted(means, key=lambda name: -_mean(means[name]))
    groups: list[list[str]] = []
    while order:
        best, *rest = order
        found = against_baseline(means[best], {name: means[name] for name in rest}) if rest else {}
        told = {name for name in rest if found[name].p_adjusted <= SURE and found[name].difference != 0}
        group = [best, *(name for name in rest if name not in told or hidden(best, name))]
        groups.append(group)
        order = [name for name in rest if name not in group]
    return tuple(map(tuple, groups))


def _changed(
    examples: Mapping[str, Sequence[Sequence[ExampleScore]]], means: Mapping[str, Sequence[float]], ids: Sequence[str]
) -> tuple[Turns, ...]:
    columns = list(zip(*means.values(), strict=True))
    spread = [max(column) - min(column) for column in columns]
    chosen = [place for place in sorted(range(len(ids)), key=lambda place: -spread[place])[:CHANGED] if spread[place] > 0]
    turns: list[Turns] = []
    for place in chosen:
        played = {name: rows[place][0] for name, rows in examples.items()}
        any_one = next(iter(played.values()))
        turns.append(
            Turns(
                id=ids[place],
                service=any_one.service,
                user=any_one.user,
                expected=any_one.expected,
                played={name: example.played for name, example in played.items()},
                scores={name: example.score or 0.0 for name, example in played.items()},
                reasons={name: example.reason for name, example in played.items() if example.reason},
            )
        )
    return tuple(turns)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
