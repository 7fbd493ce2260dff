"""Calibrations of a judge that never judged: for tests of what is made of them."""

from random import Random

from agent_gym.metrics import Rubric
from agent_gym.optimization.calibration import Calibration, Judged, agreement

DRAWN = Random(3)
TRUTH = [DRAWN.choice([0.1, 0.3, 0.8, 1.0]) for _ in range(40)]


def rollouts(scores: list[float], truth: list[float] = TRUTH, repeats: int = 1) -> tuple[Judged, ...]:
    return tuple(
        Judged(id=f"x#{at}", scores=(score,) * repeats, passed=true >= 0.5, truth=true, length=20 + at % 7)
        for at, (score, true) in enumerate(zip(scores, truth, strict=True))
    )


def made(judged: tuple[Judged, ...]) -> Calibration:
    return Calibration(
        data="sample, train",
        seed=0,
        models={"agent": "offline", "judge": "offline"},
        agent="baseline",
        rubric=Rubric.load().mark(),
        repeats=len(judged[0].scores),
        judged=judged,
        failed=0,
        broken=0,
        unjudged=0,
        agreement=agreement(judged),
    )
