"""The plain sentence."""

import pytest

from agent_gym.errors import UsageError
from agent_gym.evaluation.verdict import verdict

SENTENCES: list[tuple[tuple[float, tuple[float, float], float, int, int | None], str]] = [
    ((0.06, (0.02, 0.10), 0.004, 50, 60), "mipro is better than baseline by 0.06, 95 % interval 0.02 to 0.10"),
    ((-0.06, (-0.10, -0.02), 0.004, 50, 60), "mipro is worse than baseline by 0.06, 95 % interval 0.02 to 0.10"),
    ((0.004, (0.001, 0.007), 0.01, 9000, 60), "mipro is better than baseline by 0.004, 95 % interval 0.001 to 0.007"),
    ((0.03, (0.004, 0.068), 0.02, 60, 50), "mipro is better than baseline by 0.030, 95 % interval 0.004 to 0.068"),
    ((0.1, (0.1, 0.1), 0.03, 6, 6), "mipro is better than baseline by 0.10, 95 % interval 0.10 to 0.10"),
    ((0.06, (-0.02, 0.14), 0.12, 50, 173), "no difference can be told at 50 examples; about 180 would be needed"),
    ((0.06, (-0.02, 0.14), 0.12, 50, 17301), "no difference can be told at 50 examples; about 18,000 would be needed"),
    ((0.06, (0.01, 0.11), 0.06, 50, 48), "no difference can be told at 50 examples; more would be needed"),
    (
        (1e-9, (-0.1, 0.1), 1.0, 1200, 10**12),
        "no difference can be told at 1,200 examples; more than 1,000,000 would be needed",
    ),
    ((0.0, (0.0, 0.0), 1.0, 1, None), "no difference can be told at 1 example"),
]


@pytest.mark.parametrize(("found", "sentence"), SENTENCES)
def test_a_comparison_reads_as_a_plain_sentence(
    found: tuple[float, tuple[float, float], float, int, int | None], sentence: str
) -> None:
    assert verdict("mipro", "baseline", *found) == sentence


@pytest.mark.parametrize(
    ("interval", "p", "n", "told"),
    [
        ((0.0, 0.1), 1.5, 9, "p is 1.5"),
        ((0.0, 0.1), float("nan"), 9, "p is nan"),
        ((0.0, 0.1), 0.5, 0, "n is 0"),
        ((0.2, 0.1), 0.5, 9, "give its lower end first"),
    ],
)
def test_an_impossible_comparison_is_refused(interval: tuple[float, float], p: float, n: int, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        verdict("mipro", "baseline", 0.05, interval, p, n, None)
