"""What a comparison found, as a plain sentence."""

from agent_gym.errors import UsageError

MANY = 1_000_000


def verdict(
    name: str,
    baseline: str,
    difference: float,
    interval: tuple[float, float],
    p: float,
    n: int,
    needed: int | None,
    *,
    alpha: float = 0.05,
) -> str:
    """Better, worse, or no difference that can be told.

    Args:
        difference: mean of `name` minus mean of `baseline`.
        interval: 95 % interval of the difference, lower end first.
        p: after correction for the number of strategies compared, in [0, 1].
        n: examples compared, 1 or more.
        needed: examples that would tell the difference; None when unknown.

    Raises:
        UsageError: when p, n or the interval is impossible.
    """
    low, high = interval
    if not 0 <= p <= 1:
        raise UsageError(f"p is {p!r}: give a number from 0 to 1")
    if n < 1:
        raise UsageError(f"n is {n}: a verdict needs at least 1 example")
    if not low <= high:
        raise UsageError(f"the interval runs from {low!r} to {high!r}: give its lower end first")
    if p > alpha or difference == 0:
        examples = "1 example" if n == 1 else f"{n:,} examples"
        return f"no difference can be told at {examples}{_outlook(n, needed)}"
    if difference < 0:
        word, difference, low, high = "worse", -difference, -high, -low
    else:
        word = "better"
    places = _places(difference, low, high)
    return f"{name} is {word} than {baseline} by {difference:.{places}f}, 95 % interval {low:.{places}f} to {high:.{places}f}"


def _outlook(n: int, needed: int | None) -> str:
    if needed is None:
        return ""
    if needed > MANY:
        return f"; more than {MANY:,} would be needed"
    # A spread guessed from n examples is good for two digits.
    unit = 10 ** max(0, len(str(needed)) - 2)
    about = -(-needed // unit) * unit
    return f"; about {about:,} would be needed" if about > n else "; more would be needed"


def _places(difference: float, low: float, high: float) -> int:
    """Two decimals, or as many as keep the difference from reading 0 and the interval from closing or touching 0."""
    for places in range(2, 6):
        touches = low > 0 and not round(low, places)
        if round(difference, places) and round(low, places) != round(high, places) and not touches:
            return places
    return 2 if round(difference, 2) else 6
