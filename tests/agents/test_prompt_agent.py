# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The agent that plays, and the program that optimizers tune: one request, byte for byte."""

from pathlib import Path
from typing import Any

import dspy
import msgspec
import pytest

from agent_gym.agents import PromptAgent
from agent_gym.agents.dspy_agent import ActAdapter, SGDAgentModule, step_inputs
from agent_gym.agents.prompt_agent import act_request
from agent_gym.environment import ReplayEnvironment, rollout
from agent_gym.errors import AnswerError, RateLimited, UsageError
from agent_gym.lm import Handle, make_handle, run_sync
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.lm.prompt import render_action, render_conversation, render_examples, render_tools
from agent_gym.messages import Assistant, Message, System, ToolCall, ToolSpec, User
from agent_gym.testing import Answer, RecordedAgent, ScriptedLM
from agent_gym.tools import Recordings, ToolCatalog
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

TODAY = System("Today is Friday, 1 March 2019 (2019-03-01).")
CALL = '{"tool_calls": [{"name": "Bikes_1-FindBikeShop", "arguments": {"city": "Turin"}}]}'


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "train", [40])
    return drawn


def demo(task: Task) -> dict[str, Any]:
    action = next(message for message in task.expected if isinstance(message, Assistant))
    return {**step_inputs(task.prompt, task.tools), "action": render_action(action)}


def with_demos(*tasks: Task) -> SGDAgentModule:
    agent = SGDAgentModule()
    agent.step.demos = [dspy.Example(augmented=True, **demo(task)) for task in tasks]
    return agent


def cached(answer: Answer, folder: Path) -> tuple[ScriptedLM, Handle]:
    model = ScriptedLM(lambda request: answer)
    return model, make_handle(model, cache=folder / "completions.sqlite")


def optimizers_step(agent: SGDAgentModule, handle: Handle, messages: tuple[Message, ...], tools: tuple[ToolSpec, ...]) -> str:
    with dspy.context(lm=GymLM(handle), adapter=ActAdapter(), trace=None):
        return str(agent(messages=messages, tools=tools).action)


def test_another_draw_of_an_agent_is_asked_at_the_same_temperature(tasks: list[Task]) -> None:
    model = ScriptedLM(["Hello.", "Hello."])
    agent = PromptAgent(model, "Help.", temperature=0.7)
    for one in (agent, agent.resampled("sample 1")):
        run_sync(one.act(tasks[0].prompt, tasks[0].tools))
    assert [(request.temperature, request.sample) for request in model.asked] == [(0.7, ""), (0.7, "sample 1")]


@pytest.mark.parametrize("temperature", [-0.1, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_refused(temperature: float) -> None:
    with pytest.raises(UsageError, match="a temperature is 0 or more"):
        PromptAgent(ScriptedLM([]), "Help.", temperature=temperature)


@pytest.mark.parametrize("examples", [0, 4])
def test_what_was_optimized_is_what_is_played(tasks: list[Task], tmp_path: Path, examples: int) -> None:
    agent = with_demos(*tasks[:examples])
    model, handle = cached(CALL, tmp_path)
    for task in tasks[4:24]:
        messages = (TODAY, *task.prompt)
        written = optimizers_step(agent, handle, messages, task.tools)
        asked = len(model.asked)
        played = run_sync(agent.agent(handle).act(messages, task.tools))
        assert written == CALL
        assert played.tool_calls[0].parsed() == {"city": "Turin"}
        assert len(model.asked) == asked, "the second asking cost a request"


def test_the_two_send_the_same_request_in_the_middle_of_a_turn_too(tasks: list[Task], tmp_path: Path) -> None:
    task = next(task for task in tasks if task.expected_calls)
    agent = with_demos(tasks[0])
    model, handle = cached("Sorry.", tmp_path)
    seen = (TODAY, *task.prompt, *task.expected[:-1])
    run_sync(agent.agent(handle).act(seen, task.tools))
    optimizers_step(agent, handle, seen, task.tools)
    assert len(model.asked) == 1


def test_an_agent_that_was_saved_asks_the_same_again(tasks: list[Task], tmp_path: Path) -> None:
    from agent_gym.optimization.agent_file import load_agent, save_agent

    agent = with_demos(*tasks[:3])
    signature: Any = agent.step.signature
    agent.step.signature = signature.with_instructions("  Be brief.\n\n    * and kind\n")
    model, handle = cached("Ok.", tmp_path)
    run_sync(agent.agent(handle).act(tasks[5].prompt, tasks[5].tools))
    save_agent(agent, tmp_path / "agent.json")
    run_sync(load_agent(tmp_path / "agent.json").agent(handle).act(tasks[5].prompt, tasks[5].tools))
    assert len(model.asked) == 1


def test_the_catalog_is_sent_once_however_many_examples_there_are(tasks: list[Task]) -> None:
    live = tasks[0]
    model = ScriptedLM(["Ok."])
    run_sync(PromptAgent(model, "Be brief.", [demo(live)] * 4).act((TODAY, User("Hello")), live.tools))
    text = model.asked[0].turns[0].content
    assert text.count("<example>") == 4
    assert text.count(render_tools(live.tools)) == 1
    assert all(text.count(f'"description":"{tool.description}"') == 1 for tool in live.tools)


def test_worked_examples_show_the_calls_they_teach(tasks: list[Task]) -> None:
    taught = next(task for task in tasks if task.expected_calls)
    model = ScriptedLM(["Ok."])
    run_sync(PromptAgent(model, "Be brief.", [demo(taught)]).act((User("Hello"),), ()))
    action = msgspec.json.encode(demo(taught)["action"]).decode()
    assert f'"action":{action}' in model.asked[0].turns[0].content
    assert taught.expected_calls[0].name in action


def test_only_the_instruction_the_examples_the_tools_and_the_conversation_are_sent() -> None:
    model = ScriptedLM(["Ok."])
    spec = ToolSpec("find", "Finds", {"type": "object", "properties": {}})
    seen = (TODAY, User("Hi"), Assistant("", (ToolCall("find"),)), Assistant("Nothing."), User("Thanks"))
    run_sync(PromptAgent(model, "Be brief.").act(seen, (spec,)))
    (request,) = model.asked
    assert [turn.role for turn in request.turns] == ["system", "user", "assistant", "assistant", "user"]
    assert request.turns[0].content.startswith("Be brief.\n\n# Answer\n")
    assert request.turns[0].content.endswith(f"# Tools\n{render_tools((spec,))}\n\n# Context\n{TODAY.content}")
    assert (request.temperature, request.max_tokens, request.sample) == (0.0, None, "")


@pytest.mark.parametrize("answer", ["", '{"tool_calls": [{}]}'])
def test_an_unreadable_answer_is_the_agents_error(answer: str) -> None:
    with pytest.raises(AnswerError):
        run_sync(PromptAgent(ScriptedLM([answer]), "Be brief.").act((User("Hi"),), ()))


def test_an_endpoint_that_fails_is_a_model_error() -> None:
    with pytest.raises(RateLimited):
        run_sync(PromptAgent(ScriptedLM([RateLimited("slow down")]), "Be brief.").act((User("Hi"),), ()))


def characters(live: Task, examples: list[Task], tools: tuple[ToolSpec, ...]) -> int:
    shown = render_examples(demo(task) for task in examples)
    request = act_request("x" * 400, shown, render_tools(tools), TODAY.content, render_conversation(live.prompt))
    return sum(len(turn.content) for turn in request.turns)


def test_a_turn_with_30_tools_and_4_worked_examples_is_at_most_40_000_characters(sample: Path, tasks: list[Task]) -> None:
    catalog = list(ToolCatalog.from_sgd(sample).values())
    twins = [msgspec.structs.replace(tool, name=f"{tool.name}_twin") for tool in catalog]
    longest = sorted(tasks, key=lambda task: len(str(render_conversation(task.prompt))))[-5:]
    assert characters(longest[-1], longest[:4], tuple([*catalog, *twins][:30])) <= 40_000


@pytest.mark.real
def test_a_turn_with_30_real_tools_and_4_worked_examples_is_at_most_40_000_characters(sgd: Path) -> None:
    loader = SGDLoader(sgd)
    tools = tuple(ToolCatalog.from_sgd(loader).values())[:30]
    assert len(tools) == 30
    (drawn,) = draw_tasks(loader, "train", [120])
    usual = [task for task in drawn if len(task.prompt) == 7]
    assert max(characters(live, usual[:4], tools) for live in usual[4:]) <= 40_000


def test_the_rollout_of_a_recorded_answer_asks_nothing_of_a_model(tasks: list[Task]) -> None:
    environment = ReplayEnvironment(Recordings(()))
    for task in tasks:
        trace = run_sync(rollout(RecordedAgent(tasks), task, environment.play(task)))
        assert trace.error is None
        assert [message.tool_calls for message in trace.messages[task.start + 1 :] if isinstance(message, Assistant)] == [
            message.tool_calls for message in task.expected if isinstance(message, Assistant)
        ]
