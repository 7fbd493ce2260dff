"""What an optimizer had to do without, in sentences: rollouts without a score, proposals that never came.

DSPy's optimizers go on over both in silence, and a run that proposed nothing looks like one that found nothing better.
"""

from typing import NamedTuple

from agent_gym.lm.usage import Usage


class Lost(NamedTuple):
    """Rollouts of an optimizer that were not scored as they should have been."""

    failed: int = 0
    """The endpoint failed."""
    unjudged: int = 0
    """The judge gave no score."""


def unscored(lost: Lost) -> list[str]:
    """What is said of rollouts without a score."""
    said: list[str] = []
    if lost.failed:
        said.append(f"{lost.failed} rollouts failed at the endpoint while optimizing; the optimizer took each for a 0")
    if lost.unjudged:
        said.append(f"the judge gave no score for {lost.unjudged} rollouts while optimizing; the other parts spoke for each")
    return said


def unproposed(strategy: str, model: str, used: Usage | None) -> str | None:
    """What is said of proposals that never came; None when all came, or none was asked for.

    Args:
        model: the prompt model's name.
        used: what was asked of it.
    """
    if used is None or not used.failures:
        return None
    failed = f"questions to the prompt model {model} failed at the endpoint ({', '.join(sorted(used.transport.faults))})"
    if used.failures < used.requests + used.cache_hits:
        return f"{used.failures} of {used.requests} {failed}; {strategy} went on without those proposals"
    return f"warning: {strategy} could propose nothing, for all {used.failures} {failed}: mend that and run again"
