"""What was compared, and what can be said about it in plain sentences."""

from agent_gym.optimization.comparison import Comparison, Contender
from agent_gym.optimization.report.markup import Html, clipped, element, joined
from agent_gym.optimization.report.numbers import count, duration, interval, listed, signed

OFFLINE = "offline"
OFFLINE_SAYS = (
    "The model offline is a schema-guided policy, not a neural model: these numbers say that the whole way works, "
    "not how well a model does on it."
)


def title(comparison: Comparison) -> str:
    """What the page is called."""
    names = [one.name for one in comparison.contenders]
    if len(names) < 2:
        return f"Report on {names[0]}" if names else "A comparison of nothing"
    return f"{_number(len(names))} strategies compared"


def compared(comparison: Comparison) -> Html:
    """Data, models, seeds and numbers."""
    facts = {
        "Data": clipped(comparison.data, 500),
        "Examples": _examples(comparison),
        "Repeats": _range([one.repeats for one in comparison.contenders]),
        "Seeds": clipped(", ".join(map(str, comparison.seeds)), 200) or "none",
        "Baseline": clipped(comparison.baseline, 200),
        **({"Rubric": clipped(str(comparison.rubric), 200)} if comparison.rubric else {}),
        **{f"Model ({clipped(role, 40)})": clipped(name, 200) for role, name in comparison.models.items()},
    }
    terms = [element("div", element("dt", name), element("dd", value)) for name, value in facts.items()]
    notice = element("p", OFFLINE_SAYS, class_="notice") if OFFLINE in comparison.models.values() else None
    return joined([element("dl", *terms, class_="facts"), notice])


def verdicts(comparison: Comparison) -> Html:
    """A sentence for every strategy, and the ranking."""
    if len(comparison.contenders) < 2:
        names = [one.name for one in comparison.contenders]
        return element(
            "p", f"Only {names[0]} was measured: there is nothing to hold it against." if names else "Nothing was measured."
        )
    said = [element("li", _sentence(one, comparison)) for one in comparison.contenders if one.difference]
    untold = element("p", "The strategies were not tested against each other: look at their intervals.")
    return joined([element("ul", *said, class_="verdicts") if said else None, _ranking(comparison)]) or untold


def _sentence(one: Contender, comparison: Comparison) -> str:
    found = one.difference
    assert found is not None
    if found.verdict:
        said = f"{clipped(found.verdict, 1000).rstrip('.')}."
        return said if one.name in found.verdict else f"{clipped(one.name, 200)}: {said}"
    ends = interval(found.interval, write=signed)
    return f"{one.name} scores {signed(found.mean)} against {comparison.baseline}, 95 % interval {ends}."


def _ranking(comparison: Comparison) -> Html | None:
    groups = [[clipped(name, 200) for name in group] for group in comparison.ranking if group]
    if not groups:
        return None
    if len(groups) == 1:
        return element("p", f"No difference can be told between {listed(groups[0])}.", class_="ranking")
    lines = [
        element(
            "li", element("strong", listed(group)), " – no difference can be told between these" if len(group) > 1 else None
        )
        for group in groups
    ]
    return joined([element("h3", "Ranking, best first"), element("ol", *lines, class_="ranking")])


def times(comparison: Comparison) -> str | None:
    """How long everything took."""
    spent = [f"{clipped(name.replace('_', ' '), 80)} {duration(seconds)}" for name, seconds in comparison.times.items()]
    return f"Time taken: {', '.join(spent)}." if spent else None


def _examples(comparison: Comparison) -> str:
    scored = _range([one.n for one in comparison.contenders])
    why = {
        "failed at the endpoint": any(one.failed for one in comparison.contenders),
        "could not be judged": any(one.unjudged for one in comparison.contenders),
    }
    lost = " or ".join(said for said, happened in why.items() if happened)
    return f"{scored} scored in every repeat" + (f", the rest {lost}" if lost else "")


def _range(values: list[int]) -> str:
    if not values:
        return "0"
    return count(values[0]) if len({*values}) == 1 else f"{count(min(values))} to {count(max(values))}"


def _number(value: int) -> str:
    words = ("Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
    return words[value - 2] if value - 2 < len(words) else count(value)
