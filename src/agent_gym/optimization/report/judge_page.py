"""A calibration as one HTML file: what the judge gave to rollouts that passed and to those that failed, and every figure."""

from collections.abc import Iterable

from agent_gym.evaluation.resampling import Estimate
from agent_gym.optimization.calibration import Calibration
from agent_gym.optimization.report.charts import verdicts
from agent_gym.optimization.report.markup import Html, clipped, element, joined
from agent_gym.optimization.report.numbers import count, decimal, interval
from agent_gym.optimization.report.page import Part, document
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


def render_calibration(calibration: Calibration) -> str:
    """The calibration as a whole HTML document without a network; everything in it is shown as text."""
    parts = [
        Part("measured", "What was measured", _measured(calibration)),
        Part("agreement", "Agreement with the truth", _table(calibration)),
        Part("scores", "Scores of what passed and what failed", _chart(calibration)),
    ]
    if calibration.notes:
        notes = element("ul", *(element("li", clipped(note, 1000)) for note in calibration.notes[:100]))
        parts.append(Part("notes", "Notes", notes))
    judge = calibration.models.get("judge", "judge")
    return str(document(f"Can {clipped(judge, 200)} be trusted as a judge?", parts))


def _measured(calibration: Calibration) -> Html:
    facts = {
        "data": calibration.data,
        "agent": calibration.agent,
        "agent's model": calibration.models.get("agent", ""),
        "judge": calibration.models.get("judge", ""),
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


def _terms(facts: Iterable[tuple[str, str]]) -> list[Html]:
    return [element("div", element("dt", name), element("dd", value)) for name, value in facts]


def _table(calibration: Calibration) -> Html:
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
    return joined([framed("agreement", "Agreement", element("thead", heads), element("tbody", *rows)), meanings])


def _chart(calibration: Calibration) -> Html:
    threshold = calibration.agreement.cutoff.threshold.value
    title = "The judge's scores of passed and failed rollouts"
    points = [(one.judge, one.passed) for one in calibration.judged]
    told = "Filled: passed. Hollow: failed. The larger a circle, the more rollouts have that score."
    dotted = " Dotted: the threshold." if threshold is not None else ""
    chart = verdicts(points, threshold, key="judge-scores", title=title)
    return element("figure", element("h3", title), chart, element("figcaption", told + dotted))
