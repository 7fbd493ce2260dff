"""How long the prompt of one turn is, with 30 tools and 4 worked examples.

    python scripts/bench/prompt_size.py [DATA]

The tools are the first 30 of the catalog, the examples four drawn from `train`, the turn that of a fifth, all after a history
of six messages, as the stock adapter was measured (152,000 characters). `any_length` is the same with histories as they come,
six messages or more. Characters of the whole request; the median and the longest of twenty draws.
"""

import json
import statistics
import sys

from agent_gym.agents.dspy_agent import INSTRUCTION
from agent_gym.agents.prompt_agent import act_request
from agent_gym.lm.prompt import render_action, render_conversation, render_examples, render_tools
from agent_gym.messages import Assistant, ToolSpec
from agent_gym.tools import ToolCatalog
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

DATA = "data/raw/schema_guided_dialogue"


def demo(task: Task) -> dict[str, object]:
    """A task as a worked example."""
    action = next(message for message in task.expected if isinstance(message, Assistant))
    turns = [{"role": turn.role, "content": turn.content} for turn in render_conversation(task.prompt)]
    return {"conversation": turns, "action": render_action(action)}


def sizes(loader: SGDLoader, tools: tuple[ToolSpec, ...], histories: range) -> dict[str, int]:
    """Median and longest request over twenty draws."""
    found: list[int] = []
    for seed in range(20):
        (tasks,) = draw_tasks(loader, "train", [200], seed=seed)
        *examples, live = [task for task in tasks if len(task.prompt) - 1 in histories][:5]
        request = act_request(
            INSTRUCTION,
            render_examples(demo(task) for task in examples),
            render_tools(tools),
            "Today is Friday, 1 March 2019 (2019-03-01).",
            render_conversation(live.prompt),
        )
        found.append(sum(len(turn.content) for turn in request.turns))
    return {"median": round(statistics.median(found)), "longest": max(found)}


def main(data: str = DATA) -> None:
    """Measure and print one JSON line."""
    loader = SGDLoader(data)
    tools = tuple(ToolCatalog.from_sgd(loader).values())[:30]
    print(
        json.dumps(
            {
                "bench": "prompt_size",
                "tools": len(tools),
                "worked_examples": 4,
                "characters": sizes(loader, tools, range(6, 7)),
                "any_length": sizes(loader, tools, range(6, 100)),
                "bar": 40_000,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
