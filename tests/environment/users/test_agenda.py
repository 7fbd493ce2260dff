"""A user with an agenda: it answers what the agent says, gets what it wants from who can give it, and leaves who cannot."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_gym.agents.base import Agent
from agent_gym.environment import SGDEnvironment
from agent_gym.environment.episode import Episode, play_episode
from agent_gym.environment.users import AgendaUser
from agent_gym.environment.users.agenda import AgendaSpeaker
from agent_gym.errors import UsageError, UserFailed
from agent_gym.messages import Assistant, Message, Tool, ToolCall, User
from agent_gym.testing import GoldAgent, PositionalAgent, ScriptedAgent
from agent_gym.traces import Goal, Trace, dump_trace
from agent_gym.traces.sgd_acts import SGDActs
from conversations import BOOKED, FOUND, TASK, WANTED, called, tables
from table_service import BOOK, FIND, ROWS

PATIENCE = 3
RECORDED = Assistant("", (FOUND,)), Tool(FIND.name, ROWS, call_id="call_0", source="recorded")


def speaker(task: Trace = TASK) -> AgendaSpeaker:
    return AgendaUser(patience=PATIENCE).begin(task, 0)


class Talk:
    """A conversation with the user of TASK, in its agent's place."""

    def __init__(self, task: Trace = TASK) -> None:
        self.speaker = speaker(task)
        self.messages: list[Message] = []
        self.ended = ""
        self.hear()

    def hear(self) -> tuple[str, ...]:
        said = self.speaker.say(self.messages)
        self.messages.append(User(said.text))
        self.ended = said.ended
        return said.acts

    def say(self, *messages: Message | str) -> tuple[str, ...]:
        self.messages += [Assistant(message) if isinstance(message, str) else message for message in messages]
        return self.hear()


def at_booking() -> Talk:
    """The table has been found, its telephone number told, and the user wants to book."""
    talk = Talk()
    talk.say(*RECORDED, "How about Blue Heron?")
    talk.say("Their phone number is 555-0101.")
    return talk


def test_it_opens_with_what_it_wants() -> None:
    acts = speaker().say([]).acts
    assert acts == (f"INFORM_INTENT {FIND.name}", "INFORM Tables_1.cuisine", "INFORM Tables_1.city")


def test_it_asks_about_an_offer_and_asks_again_until_it_is_told() -> None:
    talk = Talk()
    assert talk.say(*RECORDED, "How about Blue Heron?") == ("REQUEST Tables_1.phone_number",)
    assert talk.say("It is a nice place.") == ("REQUEST Tables_1.phone_number",)
    assert f"INFORM_INTENT {BOOK.name}" in talk.say("Their phone number is 555-0101.")


def test_it_tells_what_it_is_asked_for() -> None:
    talk = at_booking()
    assert talk.say("For how many people?") == ("INFORM Tables_1.party_size",)
    assert talk.say("At what time?") == ("INFORM Tables_1.time",)
    assert talk.messages[-1] == User("The time should be 7 pm.")


def test_a_choice_is_answered_and_not_agreed_to() -> None:
    talk = at_booking()
    assert talk.say("For how many people? A table for 2 or for 4?") == ("INFORM Tables_1.party_size",)
    assert talk.say("Would you like it at 7 pm?") == ("AFFIRM",)


def test_it_has_no_preference_where_its_goal_knows_nothing() -> None:
    assert Talk().say("Would you like outdoor seating?") == ("INFORM Tables_1.outdoor_seating",)


def test_it_agrees_to_what_is_right_and_corrects_what_is_not() -> None:
    talk = at_booking()
    wrong = "Please confirm: a table for 4 at Blue Heron, on March 8th at 8 pm."
    assert talk.say(wrong) == ("NEGATE", "INFORM Tables_1.time", "INFORM Tables_1.party_size")
    assert talk.say("Please confirm: a table for 2 at Blue Heron, on March 8th at 7 pm.") == ("AFFIRM",)


def test_it_objects_to_a_booking_it_did_not_want() -> None:
    late = {**WANTED, "time": "21:00"}
    booked = Assistant("", (called(BOOK.name, late, id="x"),)), Tool(BOOK.name, [late], call_id="x", source="echo")
    assert at_booking().say(*booked, "Your table is booked.") == ("NEGATE", "INFORM Tables_1.time")


def test_it_leaves_content_when_everything_is_done() -> None:
    talk = at_booking()
    talk.say(Assistant("", (BOOKED,)), Tool(BOOK.name, [WANTED], call_id="call_1", source="recorded"), "Your table is booked.")
    talk.say("Is there anything else?")
    assert talk.ended == "goal"


def test_it_leaves_discontent_when_a_right_booking_could_not_be_made() -> None:
    talk = at_booking()
    talk.say(Assistant("", (BOOKED,)), Tool(BOOK.name, error="out of order", call_id="call_1"), "Sorry, that did not work.")
    if not talk.ended:
        talk.say("Is there anything else?")
    assert talk.ended == "refused"


def test_it_names_the_offer_that_it_wants() -> None:
    task = msgspec.structs.replace(TASK, goal=Goal())
    acts = Talk(task).say(*RECORDED, "How about Lotus Root?")
    assert acts[-4:] == ("THANK_YOU", f"INFORM_INTENT {BOOK.name}", "INFORM Tables_1.place_name", "INFORM Tables_1.date")


@pytest.mark.parametrize("words", ["ok", "", "…", "I can not help you with that.", "💥" * 50, "Where? When? Who? What?"])
def test_who_does_not_help_is_left_within_its_patience(words: str) -> None:
    talk = Talk()
    turns = 1
    while not talk.ended:
        talk.say(words)
        turns += 1
        assert turns < 30
    assert talk.ended == "patience"


def test_logs_that_name_no_tools_are_talked_about_too() -> None:
    talk = Talk(msgspec.structs.replace(TASK, tools=()))
    assert talk.say("What would you like?") == (f"INFORM_INTENT {FIND.name}", "INFORM Tables_1.cuisine", "INFORM Tables_1.city")
    assert talk.say(*RECORDED, "How about Blue Heron?") == ("REQUEST Tables_1.phone_number",)
    assert f"INFORM_INTENT {BOOK.name}" in talk.say("Their phone number is 555-0101.")
    talk.say(Assistant("", (BOOKED,)), Tool(BOOK.name, [WANTED], call_id="call_1"), "Your table is booked at Blue Heron.")
    assert talk.say("Is there anything else?")[-1] in ("THANK_YOU", "GOODBYE")


def test_a_user_without_patience_or_without_a_goal() -> None:
    with pytest.raises(UsageError, match="patience=0"):
        AgendaUser(patience=0)
    with pytest.raises(UserFailed, match="holds no call and no goal"):
        speaker(Trace(conversation_id="chat", messages=(User("Hello"), Assistant("Hello.")))).say([])


def play(path: Path, agent: Callable[[Trace], Agent], limit: int | None, seed: int = 0) -> list[Trace]:
    environment = SGDEnvironment(path, "dev", user="agenda", limit=limit, seed=seed)

    async def all_of_them() -> list[Trace]:
        return [await play_episode(agent(task), environment.episode(task, seed)) for task in environment.tasks]

    return asyncio.run(all_of_them())


def gold(path: Path) -> Callable[[Trace], Agent]:
    acts = SGDActs(path)
    return lambda task: GoldAgent(task, acts.of(task) or ())


def successes(traces: list[Trace]) -> float:
    return sum(trace.outcome == "success" for trace in traces) / len(traces)


def test_it_gets_what_it_wants_from_an_agent_that_follows_the_record(sample: Path) -> None:
    assert successes(play(sample, gold(sample), 60)) >= 0.95
    assert successes(play(sample, PositionalAgent, 60)) >= 0.9


@pytest.mark.real
def test_500_real_dialogues_end_in_success_with_the_gold_policy_and_in_failure_with_ok(sgd: Path) -> None:
    assert successes(play(sgd, gold(sgd), 500)) >= 0.95
    nothing = play(sgd, lambda task: ScriptedAgent(lambda messages, tools: "ok"), 500)
    assert Counter((trace.outcome, trace.metadata["ended"]) for trace in nothing) == {("failure", "patience"): 500}


@pytest.mark.real
def test_goals_without_annotations_carry_conversations_too(sgd: Path) -> None:
    environment = SGDEnvironment(sgd, "dev", user=AgendaUser(), limit=100)
    agent = gold(sgd)

    async def all_of_them() -> list[Trace]:
        return [await play_episode(agent(task), environment.episode(task)) for task in environment.tasks]

    assert successes(asyncio.run(all_of_them())) >= 0.9


@pytest.fixture(scope="module")
def tasks(sample: Path) -> SGDEnvironment:
    return SGDEnvironment(sample, "dev", user="agenda", limit=30)


@given(number=st.integers(0, 29), seed=st.integers(0, 2**32), words=st.lists(st.text(max_size=30), min_size=1, max_size=4))
@settings(max_examples=40)
def test_the_same_seed_says_the_same_byte_for_byte(tasks: SGDEnvironment, number: int, seed: int, words: list[str]) -> None:
    def played() -> bytes:
        rest = iter(words * 30)
        agent = ScriptedAgent(lambda messages, tools: next(rest))
        episode = tasks.episode(tasks.tasks[number], seed)
        return msgspec.json.encode(dump_trace(asyncio.run(play_episode(agent, episode))))

    assert played() == played()


def garbage(name: str, raw: str) -> Assistant:
    """A call that nobody can answer."""
    return Assistant("", (ToolCall(name, raw, "x"),))


ASKING = "What date? What time? Which city? How many? Which one do you like?"
ACTIONS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["ok", ASKING, "Please confirm.", "Is there anything else?", "Have a nice day!", "Sorry, no."]),
    st.just("\0echo"),
    st.just("\0row"),
    st.just("\0call"),
    st.builds(garbage, st.sampled_from([BOOK.name, "?"]), st.text(max_size=20)),
)


@given(number=st.integers(0, 29), script=st.lists(ACTIONS, min_size=1, max_size=6))
@settings(max_examples=60)
def test_whatever_the_agent_does_the_user_leaves_in_the_end(
    tasks: SGDEnvironment, number: int, script: list[str | Assistant]
) -> None:
    task = tasks.tasks[number]
    given = iter(script * 1000)

    def act(messages: object, tools: object) -> str | Assistant:
        action = next(given)
        seen = episode.messages
        if action == "\0echo":
            return next(one.content for one in reversed(seen) if isinstance(one, User))
        if action == "\0row":
            return f"How about {seen[-1].result}?" if isinstance(seen[-1], Tool) else "How about another one?"
        if action == "\0call":
            return Assistant("", tuple(task.calls[:1])) if isinstance(seen[-1], User) else "Well."
        return action

    started = tasks.user.begin(task, 1)
    episode = Episode(task, tables(task), started, max_turns=400, max_steps=3)
    trace = asyncio.run(play_episode(ScriptedAgent(act), episode))
    assert trace.metadata["ended"] in ("goal", "refused", "patience", "steps")
    assert trace.metadata["turns"] < 120
