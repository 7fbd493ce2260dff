"""Preference pairs: the same state before both sides, which are told apart by nothing but their scores."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent_gym.distillation import NoPair, Pair, decisions, pairs_of
from agent_gym.distillation.preferences import SAME, Picked, pick
from agent_gym.distillation.prompt import SYSTEM, chat_rows
from agent_gym.errors import UsageError
from agent_gym.messages import Assistant, Message, Tool, ToolCall
from agent_gym.traces import Trace
from agent_gym.traces.trace import dump_trace
from conversations import FOUND, TASK

FINDS = Assistant("", (FOUND,))
ROWS = TASK.messages[2]
REPLY = TASK.messages[3]
WORDS = tuple(Assistant(text) for text in ("Which city?", "Sorry?", "Hello.", "Here is a place."))
CALLS = tuple(Assistant("", (ToolCall(FOUND.name, raw),)) for raw in ('{"city": "Oakland"}', '{"city":"Napa"}', "{broken"))

# Quarters, so that 1 - r is exact and means are often equal.
rewards = st.integers(0, 4).map(lambda quarters: quarters / 4)
samples = st.lists(st.tuples(st.sampled_from("abcd"), rewards), max_size=6)


def turn(*did: Message, reward: float, number: int = 0, start: int = 0) -> Trace:
    """A sample of the first turn of the conversation."""
    return Trace(
        conversation_id=f"{TASK.conversation_id}#{start}~{number}",
        messages=(*TASK.messages[: start + 1], *did),
        tools=TASK.tools,
        scores={"reward": reward},
        metadata={
            "date": "2019-03-01",
            "task": f"{TASK.conversation_id}#{start}",
            "sample": number,
            "start": start,
            "expected": dump_trace(Trace(conversation_id="", messages=(FINDS, ROWS, REPLY)))["messages"],
        },
    )


def numbered(played: Sequence[tuple[Assistant, float]]) -> list[Trace]:
    return [turn(action, reward=reward, number=number) for number, (action, reward) in enumerate(played)]


def only(rollouts: Sequence[Trace], *sources: str, margin: float = 0.1) -> Pair:
    (pair,) = [found for found in pairs_of(rollouts, sources or ("best-worst",), margin) if isinstance(found, Pair)]
    return pair


def why(rollouts: Sequence[Trace], *sources: str, margin: float = 0.1) -> list[str]:
    found = pairs_of(rollouts, sources or ("best-worst",), margin)
    return [one.reason if isinstance(one, NoPair) else "a pair" for one in found]


def mirrored(found: Picked | NoPair) -> Picked | NoPair:
    return Picked(found.rejected, found.chosen, found.margin) if isinstance(found, Picked) else found


@given(samples, st.sampled_from([0.0, 0.1, 0.5]))
def test_where_every_score_is_turned_round_so_are_the_sides(played: list[tuple[str, float]], margin: float) -> None:
    turned = [(action, 1 - reward) for action, reward in played]
    one, other = pick("best-worst", played, None, margin), mirrored(pick("best-worst", turned, None, margin))
    if isinstance(one, Picked) and isinstance(other, Picked):
        assert (one.chosen, one.rejected) == (other.chosen, other.rejected)
        assert abs(one.margin - other.margin) <= SAME
    else:
        assert one == other


@given(st.data(), samples, st.sampled_from(["best-worst", "gold-worst"]), st.sampled_from([None, "a", "e"]))
def test_the_order_of_the_samples_changes_nothing(
    data: st.DataObject, played: list[tuple[str, float]], source: str, recorded: str | None
) -> None:
    assert pick(source, played, recorded) == pick(source, data.draw(st.permutations(played)), recorded)


@given(samples, st.floats(0, 1))
def test_the_chosen_side_is_worth_more_by_the_margin(played: list[tuple[str, float]], margin: float) -> None:
    found = pick("best-worst", played, None, margin)
    assume(isinstance(found, Picked))
    assert isinstance(found, Picked)
    worth = {name: [reward for action, reward in played if action == name] for name, _ in played}
    mean = {name: sum(values) / len(values) for name, values in worth.items()}
    assert mean[found.chosen] == max(mean.values())
    assert mean[found.rejected] == min(mean.values())
    assert abs(mean[found.chosen] - mean[found.rejected] - found.margin) <= SAME
    assert found.margin >= max(margin - SAME, SAME)


@given(st.lists(st.tuples(st.sampled_from(WORDS + CALLS), rewards), min_size=1, max_size=5))
def test_a_pair_is_one_message_on_each_side_of_one_state(played: list[tuple[Assistant, float]]) -> None:
    rollouts = numbered(played)
    for found in pairs_of(rollouts, ("best-worst", "gold-worst")):
        if isinstance(found, NoPair):
            continue
        row = found.row()
        assert row["prompt"] == chat_rows(next(decisions(rollouts[0])).messages)
        assert row["prompt"][0] == {"role": "system", "content": f"{SYSTEM} Today is Friday, 1 March 2019 (2019-03-01)."}
        assert [len(row[side]) for side in ("chosen", "rejected")] == [1, 1]
        assert row["chosen"] != row["rejected"]
        for side in (row["chosen"][0], row["rejected"][0]):
            assert side["role"] == "assistant"
            assert isinstance(side["content"], str)
            assert all(isinstance(call["function"]["arguments"], dict) for call in side.get("tool_calls", []))
        assert msgspec.json.decode(msgspec.json.encode(row)) == row


@given(st.lists(st.tuples(st.sampled_from(WORDS + CALLS), rewards), min_size=2, max_size=5))
def test_pairs_of_turned_scores_are_the_same_pairs_turned_round(played: list[tuple[Assistant, float]]) -> None:
    found = list(pairs_of(numbered(played)))
    turned = list(pairs_of(numbered([(action, 1 - reward) for action, reward in played])))
    for one, other in zip(found, turned, strict=True):
        if isinstance(one, Pair) and isinstance(other, Pair):
            assert abs(one.margin - other.margin) <= SAME
            swapped = {"chosen": other.rejected, "rejected": other.chosen, "margin": one.margin}
            assert one == msgspec.structs.replace(other, **swapped)
        else:
            assert one == other


def test_what_was_decided_is_worth_the_mean_of_what_it_came_to() -> None:
    hello, sorry = WORDS[2], WORDS[1]
    found = only(numbered([(hello, 1.0), (hello, 0.5), (sorry, 0.25), (sorry, 0.75)]))
    assert (found.chosen["content"], found.rejected["content"], found.margin) == ("Hello.", "Sorry?", 0.25)


def test_the_decision_behind_a_call_is_a_decision_of_its_own() -> None:
    good = turn(FINDS, ROWS, REPLY, reward=1.0)
    bad = turn(FINDS, ROWS, Assistant("Nothing."), reward=0.5, number=1)
    assert why([good, bad]) == ["all samples decided the same", "a pair"]
    pair = only([good, bad])
    assert [row["role"] for row in pair.prompt] == ["system", "user", "assistant", "tool"]
    assert pair.prompt[2]["tool_calls"][0]["id"] == pair.prompt[3]["tool_call_id"] == "call_0"


def test_what_was_recorded_stands_against_the_worst_sample() -> None:
    pair = only(numbered([(WORDS[0], 0.5), (WORDS[1], 0.0)]), "gold-worst")
    assert pair.chosen["tool_calls"][0]["function"] == {"name": FOUND.name, "arguments": FOUND.parsed()}
    assert (pair.rejected["content"], pair.margin, pair.source) == ("Sorry?", 1.0, "gold-worst")


def test_the_ids_that_a_side_brought_along_are_not_kept() -> None:
    other = Assistant("", (ToolCall(FOUND.name, '{"city": "Napa"}', id="xyz"),))
    pair = only(numbered([(other, 0.0), (FINDS, 1.0)]))
    assert pair.chosen["tool_calls"][0]["id"] == pair.rejected["tool_calls"][0]["id"] == "call_0"


def test_a_second_source_stands_in_where_the_first_gives_no_pair() -> None:
    alike = numbered([(WORDS[0], 0.5), (WORDS[0], 0.5)])
    assert only(alike, "best-worst", "gold-worst").source == "gold-worst"
    differing = numbered([(WORDS[0], 0.5), (WORDS[1], 0.0)])
    assert only(differing, "best-worst", "gold-worst").source == "best-worst"


@pytest.mark.parametrize(
    ("played", "source", "reason"),
    [
        ([(WORDS[0], 1.0)], "best-worst", "only one sample in this state"),
        ([(WORDS[0], 1.0), (WORDS[0], 0.0)], "best-worst", "all samples decided the same"),
        ([(WORDS[0], 0.5), (WORDS[1], 0.5)], "best-worst", "a tie"),
        ([(WORDS[0], 0.5), (WORDS[1], 0.45)], "best-worst", "margin too small"),
        ([(WORDS[0], 1.0), (WORDS[1], 1.0)], "gold-worst", "a tie"),
        ([(FINDS, 0.5)], "gold-worst", "the worst sample is what was recorded"),
        ([(CALLS[2], 0.0)], "gold-worst", "no sample could be read"),
    ],
)
def test_why_a_decision_gives_no_pair(played: list[tuple[Assistant, float]], source: str, reason: str) -> None:
    assert why(numbered(played), source) == [reason]


def test_a_state_nobody_recorded_and_one_behind_a_broken_call_give_no_pair() -> None:
    refused = Tool(FOUND.name, error="arguments are not JSON")
    assert why([turn(CALLS[2], refused, WORDS[0], reward=0.5)], "gold-worst") == [
        "a call before it cannot be read",
        "no sample could be read",
    ]
    assert why([turn(CALLS[1], refused, WORDS[0], reward=0.5)], "gold-worst") == ["a pair", "nothing recorded in this state"]


def test_a_whole_conversation_has_no_recorded_answers() -> None:
    episode = Trace(conversation_id="x", messages=TASK.messages, scores={"reward": 1.0}, metadata={"task": "x"})
    assert set(why([episode], "gold-worst")) == {"nothing recorded in this state"}


def test_without_a_date_there_is_a_system_message_all_the_same() -> None:
    assert chat_rows(TASK.messages)[0] == {"role": "system", "content": SYSTEM}


def test_an_unknown_source_none_and_a_margin_beyond_one_are_mistakes() -> None:
    with pytest.raises(UsageError, match="no source 'loudest'"):
        list(pairs_of([], ["loudest"]))
    with pytest.raises(UsageError, match="pairs need a source"):
        list(pairs_of([], []))
    with pytest.raises(UsageError, match="between 0 and 1"):
        list(pairs_of([], margin=1.5))
