"""Results held against each other: on the same examples only, example by example, in plain sentences."""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import pytest

from agent_gym.errors import FileRefused, UsageError
from agent_gym.evaluation.statistics import bootstrap_interval
from agent_gym.lm.tally import Spent
from agent_gym.optimization import OptimizationResult
from agent_gym.optimization.compare import CHANGED, compare_results, compare_strategies
from agent_gym.optimization.comparison import Comparison, Contender
from made_results import report, result

DRAWN = Random(7)
BASE = [DRAWN.uniform(0.2, 0.6) for _ in range(60)]
NOISE = [DRAWN.uniform(-0.02, 0.02) for _ in range(60)]
BETTER = [score + 0.2 + noise for score, noise in zip(BASE, NOISE, strict=True)]
WORSE = [score - 0.15 + noise for score, noise in zip(BASE, NOISE, strict=True)]
ALIKE = [score + noise for score, noise in zip(BASE, NOISE, strict=True)]


def named(comparison: Comparison) -> dict[str, Contender]:
    return {one.name: one for one in comparison.contenders}


def test_differences_are_against_the_baseline_with_their_verdicts() -> None:
    found = named(compare_results([result("gepa", BASE, BETTER), result("mipro", BASE, WORSE), result("copro", BASE, ALIKE)]))
    gepa, mipro, copro = (found[name].difference for name in ("gepa", "mipro", "copro"))
    assert gepa is not None
    assert mipro is not None
    assert copro is not None
    assert gepa.mean == pytest.approx(sum(BETTER) / 60 - sum(BASE) / 60)
    assert gepa.interval[0] < gepa.mean < gepa.interval[1]
    assert gepa.verdict.startswith("gepa is better than baseline by 0.201, 95 % interval 0.198 to 0.204")
    assert re.fullmatch(r"mipro is worse than baseline by 0\.1\d+, 95 % interval 0\.14\d* to 0\.15\d*", mipro.verdict)
    assert copro.verdict.startswith("no difference can be told at 60 examples")
    assert found["baseline"].difference is None


def test_p_values_are_corrected_for_the_number_of_strategies() -> None:
    slightly = [score + 0.004 + noise for score, noise in zip(BASE, NOISE, strict=True)]
    alone = named(compare_results([result("gepa", BASE, slightly)]))["gepa"].difference
    among = named(
        compare_results([result("gepa", BASE, slightly), *(result(name, BASE, ALIKE) for name in ("copro", "simba", "mipro"))])
    )["gepa"].difference
    assert alone is not None
    assert among is not None
    assert alone.adjusted_p == alone.p == among.p
    assert among.adjusted_p == pytest.approx(min(1.0, 4 * among.p)), "Holm's first step: the smallest p by their number"


def test_the_baseline_comes_first_and_the_others_by_score() -> None:
    comparison = compare_results([result("mipro", BASE, WORSE), result("copro", BASE, ALIKE), result("gepa", BASE, BETTER)])
    assert comparison.contenders[0].name == comparison.baseline == "baseline"
    scores = [one.score for one in comparison.contenders[1:]]
    assert scores == sorted(scores, reverse=True)
    assert comparison.contenders[1].name == "gepa"


def test_contenders_that_cannot_be_told_apart_share_a_rank() -> None:
    comparison = compare_results(
        [
            result("mipro", BASE, WORSE),
            result("copro", BASE, ALIKE),
            result("gepa", BASE, BETTER),
            result("simba", BASE, BETTER),
        ]
    )
    assert [set(group) for group in comparison.ranking] == [{"gepa", "simba"}, {"baseline", "copro"}, {"mipro"}]


def test_a_result_that_is_the_baseline_shares_its_rank() -> None:
    comparison = compare_results([result("bootstrap", BASE, BASE, kept="baseline")])
    assert comparison.ranking == (("baseline", "bootstrap"),)
    difference = named(comparison)["bootstrap"].difference
    assert difference is not None
    assert (difference.mean, difference.needed) == (0.0, None)
    assert difference.verdict == "no difference can be told at 60 examples"


def test_repeats_of_a_strategy_are_one_contender() -> None:
    runs = [result("gepa", [0.5, 0.5], scores, repeat=n) for n, scores in enumerate(([1.0, 0.0], [1.0, 1.0], [1.0, 0.5]))]
    found = named(compare_results(runs))
    assert (found["gepa"].repeats, found["gepa"].n, found["gepa"].score) == (3, 2, 0.75)
    assert found["gepa"].interval == bootstrap_interval([1.0, 0.5]), "over the mean of an example's repeats"
    assert found["gepa"].pass_k == pytest.approx(((1 + 1 / 3) / 2, 0.5, 0.5)), "one passes always, one in 1 of 3"
    assert (found["gepa"].requests, found["gepa"].cost, found["gepa"].seconds) == (30, 0.75, 6.0)
    assert (found["baseline"].repeats, len(found["baseline"].pass_k)) == (3, 3)


def test_strategies_may_have_been_repeated_differently_often() -> None:
    runs = [result("gepa", BASE, BETTER, repeat=repeat) for repeat in range(3)]
    found = named(compare_results([result("mipro", BASE, WORSE), *runs]))
    assert {name: one.repeats for name, one in found.items()} == {"baseline": 3, "gepa": 3, "mipro": 1}


def test_what_failed_somewhere_is_left_out_everywhere() -> None:
    comparison = compare_results([result("gepa", [0.0, 0.5, None, 1.0], [1.0, None, 1.0, 1.0])])
    found = named(comparison)
    assert {one.n for one in comparison.contenders} == {2}
    assert (found["baseline"].score, found["gepa"].score) == (0.5, 1.0)
    assert (found["baseline"].failed, found["gepa"].failed) == (1, 1)
    assert found["gepa"].difference is not None
    assert found["gepa"].difference.mean == 0.5


def test_nothing_in_common_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="no example was scored in every run"):
        compare_results([result("gepa", [0.5, None], [None, 0.5])])


def test_the_examples_that_changed_most_are_shown_turn_by_turn() -> None:
    after = [score + 0.01 * place for place, score in enumerate(BASE[:30])]
    comparison = compare_results([result("gepa", BASE[:30], after)])
    assert [turns.user for turns in comparison.changed] == [f"Please do {place}." for place in range(29, 29 - CHANGED, -1)]
    most = comparison.changed[0]
    assert (most.expected, most.played) == (("recorded 29",), {"baseline": ("baseline 29",), "gepa": ("gepa 29",)})
    assert most.scores == {"baseline": BASE[29], "gepa": after[29]}
    assert most.reasons["baseline"] == "Expected another call."


def test_examples_that_did_not_change_are_not_shown() -> None:
    comparison = compare_results([result("gepa", [0.5, 0.5, 0.5], [0.5, 0.9, 0.5])])
    assert [turns.user for turns in comparison.changed] == ["Please do 1."]


def test_scores_are_sliced_by_service_and_domain() -> None:
    gepa = named(compare_results([result("gepa", [0.0] * 6, [0.0, 0.3, 0.6, 0.2, 0.5, 0.8])]))["gepa"]
    assert {name: (one.n, round(one.score, 6)) for name, one in gepa.by_service.items()} == {
        "Bikes_1": (2, 0.1),
        "Bikes_2": (2, 0.4),
        "Ferries_1": (2, 0.7),
    }
    assert {name: (one.n, round(one.score, 6)) for name, one in gepa.by_domain.items()} == {
        "Bikes": (4, 0.25),
        "Ferries": (2, 0.7),
    }


def test_what_a_turn_takes_is_known_or_said_to_be_unknown() -> None:
    known = named(compare_results([result("gepa", BASE, BETTER)]))["gepa"]
    assert (known.turn_tokens, known.turn_cost) == pytest.approx((100, 0.001))
    assert (known.latency_p50, known.latency_p95) == (0.5, 0.5)
    dear = report(BETTER, spent=Spent(requests=1, prompt_tokens=1, cost=None, seconds=None))
    unknown = named(compare_results([msgspec.structs.replace(result("gepa", BASE, BETTER), optimized=dear)]))["gepa"]
    assert (unknown.turn_cost, unknown.latency_p50, unknown.latency_p95) == (None, None, None)


def test_prompts_and_notes_come_along() -> None:
    comparison = compare_results([result("gepa", BASE, BETTER, notes=("two were lost",)), result("mipro", BASE, WORSE)])
    found = named(comparison)
    assert (found["baseline"].prompt, found["gepa"].prompt, found["gepa"].demos) == ("Help.", "Help, says gepa.", 1)
    assert (comparison.notes, found["gepa"].notes, found["mipro"].notes) == (("two were lost",), ("two were lost",), ())
    assert (comparison.data, comparison.models, comparison.seeds) == ("sample, dev", {"agent": "offline"}, (0,))


def test_results_of_other_examples_are_refused_in_one_line() -> None:
    with pytest.raises(UsageError) as caught:
        compare_results([result("gepa", BASE, BETTER), result("mipro", BASE[:50], WORSE[:50], seed=3)])
    assert str(caught.value) == (
        "gepa was measured on 60 examples of sample 'dev', seed 0, mipro on 50 examples of sample 'dev', seed 3: "
        "only results of the same examples can be compared"
    )


def test_results_of_other_weights_are_refused_in_one_line() -> None:
    with pytest.raises(
        UsageError, match=r"scored with \{.*\}, mipro with \{'similarity': 1.0\}: only .* same weights"
    ) as caught:
        compare_results([result("gepa", BASE, BETTER), result("mipro", BASE, WORSE, weights={"similarity": 1.0})])
    assert "\n" not in str(caught.value)


def test_nothing_to_compare_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="nothing to compare: name results, or strategies to run"):
        compare_results([])


def test_a_comparison_loads_back_equal(tmp_path: Path) -> None:
    comparison = compare_results([result("gepa", BASE, BETTER), result("mipro", [*BASE[:59], None], WORSE)])
    comparison.save(tmp_path / "cmp.json")
    assert Comparison.load(tmp_path / "cmp.json") == comparison
    result("gepa", BASE, BETTER).save(tmp_path / "gepa_result.json")
    with pytest.raises(FileRefused, match="is no agent-gym comparison file"):
        Comparison.load(tmp_path / "gepa_result.json")


Run = Callable[..., Comparison]


@pytest.fixture
def compared(sample: Path, tmp_path: Path) -> Run:
    def run(*strategies: str, **options: object) -> Comparison:
        small = {"num_train": 6, "num_val": 4, "num_test": 6, "model": "offline", "output_path": tmp_path / "cmp.json"}
        return compare_strategies(sample, strategies, **{**small, **options})  # type: ignore[arg-type]

    return run


def test_strategies_are_run_on_the_same_examples(compared: Run, tmp_path: Path) -> None:
    comparison = compared("labeled", "bootstrap", "copro")
    assert {one.name for one in comparison.contenders} == {"baseline", "labeled", "bootstrap", "copro"}
    assert {one.n for one in comparison.contenders} == {6}
    saved = [OptimizationResult.load(tmp_path / f"cmp_{name}_0_result.json") for name in ("labeled", "bootstrap", "copro")]
    assert compare_results(saved) == comparison


def test_the_baseline_may_be_named_and_is_there_anyway(compared: Run) -> None:
    named_, unnamed = compared("baseline", "labeled"), compared("labeled")
    assert [one.name for one in named_.contenders] == [one.name for one in unnamed.contenders] == ["baseline", "labeled"]
    assert named_.contenders[0].requests > 0


def test_a_repeat_asks_anew(compared: Run, tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []

    def note(strategy: str, repeat: int) -> None:
        told.append((strategy, repeat))

    comparison = compared("bootstrap", repeats=2, on_start=note)
    first, second = (OptimizationResult.load(tmp_path / f"cmp_bootstrap_{repeat}_result.json") for repeat in range(2))
    assert told == [("bootstrap", 0), ("bootstrap", 1)]
    assert (first.repeat, second.repeat) == (0, 1)
    assert first.usage["agent"].requests > 0
    assert second.usage["agent"].requests >= second.baseline.n
    assert first.baseline.timeless() == second.baseline.timeless(), "the embedded model gives the same answer again"
    assert {one.repeats for one in comparison.contenders} == {2}
    assert all(len(one.pass_k) == 2 for one in comparison.contenders)


def test_the_same_command_continues_at_no_further_cost(compared: Run) -> None:
    first, again = compared("bootstrap", repeats=2), compared("bootstrap", repeats=2)
    assert [(one.name, one.score, one.difference, one.requests) for one in first.contenders] == [
        (one.name, one.score, one.difference, one.requests) for one in again.contenders
    ]


@pytest.mark.parametrize(
    ("strategies", "options", "said"),
    [
        ((), {}, "name each strategy once, got none"),
        (("bootstrap", "bootstrap"), {}, "name each strategy once, got bootstrap, bootstrap"),
        (("bootstrap",), {"repeats": 0}, "repeats must be 1 or more, got 0"),
        (("bootstrap", "anneal"), {}, "there is no strategy 'anneal'; there are: baseline, labeled, "),
        (("bootstrap", "simba"), {}, "simba needs num_train of 16 or more, got 6"),
        (("bootstrap",), {"weights": {"similarity": -1.0}}, "weights must not be negative"),
        (("bootstrap",), {"num_test": 0}, "num_test must be 1 or more, got 0"),
    ],
    ids=str,
)
def test_mistakes_in_any_of_the_runs_are_found_before_the_first(
    compared: Run, tmp_path: Path, strategies: tuple[str, ...], options: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        compared(*strategies, **options)
    assert str(caught.value).startswith(said)
    assert not [*tmp_path.glob("cmp*")], "something was run"
