"""What counts as a judgement, and what does not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import AnswerError
from agent_gym.metrics.judge_answer import AnswerForm

FORM = AnswerForm(("speed", "care"), 10)
GOOD: dict[str, Any] = {"speed_reason": "Quick.", "speed": 8, "care_reason": "Booked\nunasked.", "care": 2.5}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def test_the_mean_of_the_criteria_by_the_scale_is_the_value() -> None:
    score = FORM.read(json.dumps(GOOD))
    assert score.value == pytest.approx(0.525)
    assert score.parts == {"speed": 0.8, "care": 0.25}
    assert score.reason == "speed 8/10: Quick. care 2.5/10: Booked unasked."


@pytest.mark.parametrize("text", ["{}", " {} ", "```json\n{}\n```", "```\n{}```", "Let me {think}: it is {{ fair.\n{}\nDone."])
def test_the_object_is_found_in_a_fence_and_among_words(text: str) -> None:
    assert FORM.read(text.replace("{}", json.dumps(GOOD))) == FORM.read(json.dumps(GOOD))


def test_fields_nobody_asked_for_are_passed_over() -> None:
    assert FORM.read(json.dumps({"thoughts": {"speed": 3}, **GOOD})) == FORM.read(json.dumps(GOOD))


@pytest.mark.parametrize("name", GOOD)
def test_every_criterion_needs_its_score_and_its_reason(name: str) -> None:
    with pytest.raises(AnswerError, match=f"{name}|not one JSON object"):
        FORM.read(json.dumps(without(name)))


@pytest.mark.parametrize("score", [-1, 10.5, 11, 1e9, "7", True, None, [7], {"score": 7}])
def test_a_score_is_a_number_within_the_scale(score: Any) -> None:
    with pytest.raises(AnswerError, match=r"\$\.speed"):
        FORM.read(json.dumps({**GOOD, "speed": score}))


@pytest.mark.parametrize("reason", ["", "  \n", None, 3])
def test_a_reason_is_a_text(reason: Any) -> None:
    with pytest.raises(AnswerError, match="care_reason"):
        FORM.read(json.dumps({**GOOD, "care_reason": reason}))


@pytest.mark.parametrize("text", ["", "I would say 8 of 10.", "[8, 2]", "{", "{}", "{" * 5000, '{"care": 8}'])
def test_what_holds_no_scores_is_no_judgement(text: str) -> None:
    with pytest.raises(AnswerError, match="not one JSON object with scores but 0"):
        FORM.read(text)


@pytest.mark.parametrize("text", ['{"speed": NaN}', '{"speed": 8', '{"speed":' * 5000, '{"quoted": {}, "speed": 1 "care"'])
def test_broken_json_is_no_judgement_whatever_is_whole_inside_of_it(text: str) -> None:
    with pytest.raises(AnswerError, match="broken JSON"):
        FORM.read(text.replace("{}", json.dumps(GOOD)))


def test_of_two_objects_neither_is_the_judgement() -> None:
    quoted = json.dumps({**GOOD, "speed": 10, "care": 10})
    with pytest.raises(AnswerError, match="but 2"):
        FORM.read(f"The assistant wrote {quoted}. I say {json.dumps(GOOD)}")


def test_the_form_asks_for_every_field_in_order_and_can_be_met() -> None:
    described = FORM.describe()
    shape = json.loads(described[described.index("\n{") :])
    assert [*shape] == ["speed_reason", "speed", "care_reason", "care"]
    assert FORM.read(json.dumps(shape)).value == 0.0


@given(st.text())
def test_reading_survives_any_text(text: str) -> None:
    with pytest.raises(AnswerError):
        FORM.read(text)


@given(
    st.integers(1, 100).flatmap(lambda scale: st.tuples(st.just(scale), st.lists(st.floats(0, scale), min_size=2, max_size=2)))
)
def test_a_value_is_never_outside_its_range(case: tuple[int, list[float]]) -> None:
    scale, (speed, care) = case
    score = AnswerForm(("speed", "care"), scale).read(json.dumps({**GOOD, "speed": speed, "care": care}))
    assert 0.0 <= score.value <= 1.0
    assert all(0.0 <= part <= 1.0 for part in score.parts.values())
