"""How far a judge agrees with the truth: every figure of a calibration, and its scores drawn against both truths."""

from collections.abc import Iterable

from agent_gym.evaluation.resampling import Estimate
from agent_gym.optimization.calibration import Calibration
from agent_gym.optimization.report.charts import against_truth, verdicts
from agent_gym.optimization.report.markup import Html, clipped, element, joined
from agent_gym.optimization.report.numbers import count, decimal, interval
from agent_gym.optimization.report.summary import OFFLINE
from agent_gym.optimization.report.tables import framed

OFFLINE_JUDGE = "The model offline is a set of rules, not a neural model: these figures say that the whole way works, no more."
UNDEFINED = element("span", "undefined", class_="unknown")


def figures(calibration: Calibration) -> list[tuple[str, Estimate, str]]:
    """Name, value and meaning of every figure, in the order in which they are shown."""
    found = calibration.agreement
    rows = [
        ("AUC", found.auc, "how often a passed rollout is scored above a failed one; 0.5 is chance"),
        ("kappa", found.cutoff.kappa, "agreement with pass and fail beyond chance, at the threshold"),
        ("threshold", found.cutoff.threshold, "the judge's score from which on a rollout counts as passed"),
        ("Spearman", found.spearman, "rank correlation with the graded score"),
        ("Kendall", found.kendall, "the same by pairs in order (tau-b)"),
        ("length bias", found.length_bias, "correlation with the answer's length beyond what the graded score explains"),
    ]
    if found.consistency is not None:
        rows.append(("self-agreement", found.consistency.alpha, "Krippendorff's alpha of the repeats; 1 is always the same"))
        rows.append(("deviation", found.consistency.deviation, "mean distance of a repeat from its rollout's mean"))
    return rows


def measured(calibration: Calibration) -> Html:
    """Who judged what, and how much of it."""
    facts = {
        "data": clipped(calibration.data, 500),
        "agent": clipped(calibration.agent, 200),
        "agent's model": clipped(calibration.models.get("agent", ""), 200),
        "judge": clipped(calibration.models.get("judge", ""), 200),
        "rubric": clipped(str(calibration.rubric), 200),
        "judged rollouts": count(len(calibration.judged)),
        "passed": decimal(calibration.pass_rate),
        "judge's mean": decimal(calibration.mean),
        "not judged": count(calibration.unjudged),
        "agent broke off": count(calibration.broken),
        "endpoint failed": count(calibration.failed),
        "times asked": count(calibration.repeats),
    }
    told = element("p", OFFLINE_JUDGE, class_="notice") if OFFLINE in calibration.models.values() else None
    return joined([told, element("dl", *_terms(facts.items()), class_="facts")])


def agreement_table(calibration: Calibration) -> Html:
    """Every figure with its interval, and what it means."""
    heads = element("tr", *(element("th", name, scope="col") for name in ("figure", "value", "95 % interval")))
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            element("td", UNDEFINED if one.value is None else decimal(one.value)),
            element("td", UNDEFINED if one.interval is None else interval(one.interval)),
        )
        for name, one, _ in figures(calibration)
    ]
    meanings = element("dl", *_terms((name, said) for name, _, said in figures(calibration)), class_="defined")
    framed_table = framed("agreement", "Agreement with the truth", element("thead", heads), element("tbody", *rows))
    return joined([framed_table, meanings])


def score_charts(calibration: Calibration) -> Html:
    """The judge's scores against pass and fail, and against the graded truth."""
    judged = calibration.judged
    threshold = calibration.agreement.cutoff.threshold.value
    passed = "The judge's scores of passed and failed rollouts"
    rows = verdicts([(one.judge, one.passed) for one in judged], threshold, key="judge-scores", title=passed)
    told = "Filled: passed. Hollow: failed. The larger a circle, the more rollouts have that score."
    graded = "The judge's score against the graded score"
    points = against_truth([(one.judge, one.truth, one.passed) for one in judged], key="judge-truth", title=graded)
    truth = "Filled: passed. Hollow: failed. On the dotted line the judge says what (similarity + tool accuracy) / 2 says."
    shown = [
        (passed, rows, told + (" Dotted: the threshold." if threshold is not None else "")),
        (graded, points, truth),
    ]
    drawn = [element("figure", element("h3", title), chart, element("figcaption", said)) for title, chart, said in shown]
    return element("div", *drawn, class_="figures")


def _terms(facts: Iterable[tuple[str, str]]) -> list[Html]:
    return [element("div", element("dt", name), element("dd", value)) for name, value in facts]
