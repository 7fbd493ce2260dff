"""Several metrics as one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import UsageError
from agent_gym.messages import ToolCall
from agent_gym.metrics import CombinedMetric, Metric, ResponseSimilarity, Score, ToolAccuracy
from agent_gym.traces import Trace
from agent_gym.traces.task import Task
from strategies import one_turn, played, tame_calls, tasks

replies = st.sampled_from(["Done.", "Here you are.", "How many beds?", ""])
weights = st.fixed_dictionaries({"similarity": st.floats(0, 1e6), "tool_accuracy": st.floats(1e-6, 1e6)})


class Always:
    """A metric of one value."""

    def __init__(self, name: str, value: float) -> None:
        self.name, self._score = name, Score(value, {}, "" if value == 1.0 else f"{name} is low.")

    def score(self, task: Task, trace: Trace) -> Score:
        return self._score


def test_by_default_words_and_calls_count_alike() -> None:
    task = one_turn([ToolCall("find")], "a b")
    score = CombinedMetric().score(task, played(task, reply="a c"))
    assert score.parts == {"similarity": 1 / 3, "tool_accuracy": 0.0}
    assert score.value == pytest.approx(1 / 6)
    assert score.reason == "Expected the reply 'a b', got 'a c'. Expected the call find({}), which was not made."


@given(tasks, st.lists(tame_calls, max_size=3), replies, weights)
def test_a_combined_score_lies_between_its_parts(
    task: Task, made: list[ToolCall], reply: str, weights: dict[str, float]
) -> None:
    score = CombinedMetric(weights).score(task, played(task, made, reply))
    assert 0.0 <= score.value <= 1.0
    assert min(score.parts.values()) - 1e-9 <= score.value <= max(score.parts.values()) + 1e-9


@given(tasks, weights)
def test_what_was_recorded_is_exactly_right(task: Task, weights: dict[str, float]) -> None:
    assert CombinedMetric(weights).score(task, task.trace).value == 1.0


@given(tasks, st.lists(tame_calls, max_size=3), replies, st.sampled_from([ResponseSimilarity(), ToolAccuracy()]))
def test_all_weight_on_one_metric_is_that_metric(task: Task, made: list[ToolCall], reply: str, metric: Metric) -> None:
    trace = played(task, made, reply)
    alone = metric.score(task, trace)
    assert CombinedMetric({metric.name: 0.3}).score(task, trace) == Score(alone.value, {metric.name: alone.value}, alone.reason)
    others = {"similarity": 0.0, "tool_accuracy": 0.0}
    assert CombinedMetric({**others, metric.name: 7}).score(task, trace).value == alone.value


@given(tasks, st.lists(tame_calls, max_size=3), replies, weights, st.floats(1e-3, 1e3))
def test_weights_are_only_proportions(
    task: Task, made: list[ToolCall], reply: str, weights: dict[str, float], factor: float
) -> None:
    trace = played(task, made, reply)
    scaled = {name: weight * factor for name, weight in weights.items()}
    assert CombinedMetric(scaled).score(task, trace).value == pytest.approx(CombinedMetric(weights).score(task, trace).value)


def test_a_metric_without_weight_is_shown_and_does_not_spoil_a_perfect_score() -> None:
    three = [Always("a", 1.0), Always("b", 1.0), Always("c", 0.0)]
    for heavy in (0.1, 0.2, 0.3, 0.7):
        score = CombinedMetric({"a": heavy, "b": 1 / 3, "c": 0}, three).score(one_turn(), played(one_turn()))
        assert (score.value, score.parts["c"]) == (1.0, 0.0)


def test_a_combined_metric_can_be_combined() -> None:
    inner = CombinedMetric({"a": 1, "b": 3}, [Always("a", 1.0), Always("b", 0.0)])
    outer = CombinedMetric({"combined": 1, "c": 1}, [inner, Always("c", 1.0)])
    score = outer.score(one_turn(), played(one_turn()))
    assert (score.value, score.parts) == (0.625, {"combined": 0.25, "c": 1.0})


@pytest.mark.parametrize(
    "weights",
    [{}, {"similarity": 0}, {"similarity": -1, "tool_accuracy": 2}, {"similarity": math.nan}, {"similarity": math.inf}],
    ids=str,
)
def test_weights_that_cannot_be_scaled_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="must not be negative and must have a positive, finite sum, got"):
        CombinedMetric(weights)


def test_an_unknown_metric_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there is no metric 'charm' to weigh; there are: similarity, tool_accuracy"):
        CombinedMetric({"charm": 1})


def test_a_weight_for_a_judge_that_is_not_there_is_left_out_and_the_others_are_scaled() -> None:
    assert CombinedMetric({"similarity": 1, "tool_accuracy": 2, "judge": 1}).weights == {
        "similarity": 1 / 3,
        "tool_accuracy": 2 / 3,
    }
