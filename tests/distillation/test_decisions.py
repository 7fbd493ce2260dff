"""A rollout as decisions: exactly what the agent saw before each, and what it then did."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_gym.distillation import decisions
from agent_gym.environment import RecordedEnvironment, ReplayEnvironment, play_episode, rollout
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant, System, ToolCall
from agent_gym.testing import RecordedAgent, ScriptedAgent
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.line import decode_trace, encode_trace
from agent_gym.traces.task import Task
from conversations import TASK

FIND = Assistant("", (ToolCall("Tables_1-FindTable", '{"city": "Oakland"}'),))


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "train", [20])
    return drawn


def seen_in(agent: ScriptedAgent, trace: Trace) -> bool:
    """Whether the decisions of a trace that was written and read again are what the agent saw, and the conversation goes on."""
    found = list(decisions(decode_trace(encode_trace(trace))))
    return [decision.messages for decision in found] == agent.seen


@given(index=st.integers(0, 19), calls=st.integers(0, 3), words=st.text(min_size=1, max_size=9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_states_of_a_turn_are_what_the_agent_saw(tasks: Sequence[Task], index: int, calls: int, words: str) -> None:
    task = tasks[index]
    agent = ScriptedAgent([*[FIND] * calls, Assistant(words)])
    trace = run_sync(rollout(agent, task, ReplayEnvironment(Recordings(())).play(task)))
    dated = Trace(
        conversation_id=task.id,
        messages=trace.messages,
        tools=trace.tools,
        metadata={**trace.metadata, "date": task.today},
    )
    assert seen_in(agent, dated)


def test_the_states_of_an_episode_are_what_the_agent_saw(sample: Path) -> None:
    environment = RecordedEnvironment(sample, "train", limit=3, max_turns=3)
    for task in environment.tasks:
        agent = ScriptedAgent([Assistant("Which one?"), FIND, Assistant("And now?"), FIND, Assistant("Anything else?")])
        assert seen_in(agent, run_sync(play_episode(agent, environment.episode(task, 1))))


def test_what_was_recorded_before_a_turn_is_nobodys_decision(tasks: Sequence[Task]) -> None:
    task = next(task for task in tasks if task.start > 2)
    trace = run_sync(rollout(RecordedAgent([task]), task, ReplayEnvironment(Recordings(())).play(task)))
    found = list(decisions(trace))
    assert [decision.action for decision in found] == [one for one in task.expected if isinstance(one, Assistant)]


def test_a_conversation_without_a_date_has_no_system_message() -> None:
    undated = Trace(conversation_id="x", messages=TASK.messages, tools=TASK.tools)
    assert not any(isinstance(message, System) for decision in decisions(undated) for message in decision.messages)
    assert all(isinstance(decision.messages[0], System) for decision in decisions(TASK))
