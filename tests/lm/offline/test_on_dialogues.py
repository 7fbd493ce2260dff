"""The embedded engine on real dialogues: useful as it stands, better with an instruction that knows the trade."""

import asyncio
from pathlib import Path

import pytest

from agent_gym.lm.base import Request, Turn
from agent_gym.lm.offline import OfflineModel
from agent_gym.lm.prompt import parse_action, render_conversation, render_system, render_tools, told_date
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task
from agent_gym.values import matches
from table_service import PLAIN


def right(task: Task, instruction: str) -> tuple[int, int, int]:
    """Calls made, expected and right in the first step of a task."""
    system = Turn("system", render_system(instruction, "", render_tools(task.tools), told_date(task.today)))
    request = Request(turns=(system, *render_conversation(task.prompt)))
    made = parse_action(asyncio.run(OfflineModel().complete(request)).text).tool_calls
    expected = task.expected_calls
    both = [(call, gold) for call in made for gold in expected if call.name == gold.name]
    good = sum(
        call.parsed().keys() == gold.parsed().keys()
        and all(matches(value, gold.parsed()[name], gold.accepted.get(name, ())) for name, value in call.parsed().items())
        for call, gold in both
    )
    return len(made), len(expected), good


def f1(tasks: list[Task], instruction: str) -> float:
    made, expected, good = map(sum, zip(*(right(task, instruction) for task in tasks), strict=True))
    return 2 * good / (made + expected)


@pytest.mark.real
def test_a_better_instruction_gives_better_calls(sgd: Path) -> None:
    (tasks,) = draw_tasks(SGDLoader(sgd), "dev", [120], seed=11)
    plain = f1(tasks, PLAIN)
    assert plain > 0.4
    assert f1(tasks, PLAIN + " Before you book, ask the user to confirm.") > plain + 0.05
