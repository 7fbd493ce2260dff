"""Customer support from twelve recorded conversations: questions, what was called for them, replies and scores.

    python scripts/customer_service.py --model offline
    python scripts/customer_service.py --model openai/gpt-5-mini "Where is order B-2210?" "And what can I do if it is broken?"

The conversations lie beside this file (`customer_service.jsonl`); they are all that agent and tools are made of.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent_gym.cli.terminal import ApiBase, console, mistakes_in_one_line
from agent_gym.environment.asking.create import create_environment
from agent_gym.environment.asking.grading import Grade
from agent_gym.environment.asking.query import QueryAgent, Response
from agent_gym.messages import Assistant, Tool, ToolResult

TRACES = Path(__file__).with_suffix(".jsonl")


class Ask(NamedTuple):
    """Words of the user, and what should be answered: words, or words with calls; without either, a judge decides."""

    words: str
    expected: str | dict[str, Any] | None = None


def expect(words: str, tool: str, **arguments: str) -> dict[str, Any]:
    """An answer that needs a call."""
    return {"content": words, "tool_calls": [{"name": tool, "arguments": arguments}]}


TALKS = (
    (
        Ask("I want to cancel my subscription", "I'm sorry to hear that. What is your user ID?"),
        Ask(
            "It's 123",
            expect("You are on the Plus plan for $19.00 a month. Shall I cancel it?", "lookup_account", user_id="123"),
        ),
        Ask(
            "Yes, please.", expect("Your Plus plan is cancelled and ends on March 14th.", "cancel_subscription", user_id="123")
        ),
    ),
    (Ask("When will order B-2210 be here?", expect("It should arrive on March 11th.", "lookup_order", order_id="B-2210")),),
    (
        Ask(
            "Order C-3307 came in pieces, I want my money back!",
            expect("I'm sorry. Shall I refund order C-3307?", "lookup_order", order_id="C-3307"),
        ),
        Ask("Yes.", expect("You will get $34.50 back within five days.", "refund_order", order_id="C-3307")),
    ),
    (
        Ask("I am travelling, can I pause my subscription for 3 months?"),
        Ask("My ID is 341"),
        Ask("Yes, that's right."),
    ),
    (
        Ask("Please send order G-7098 to another address."),
        Ask("8 Park Street, Leeds"),
        Ask("Yes."),
    ),
)


def main(
    questions: Annotated[
        list[str] | None, typer.Argument(help="Your side of one conversation; the demo's own five when left out.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Answers, e.g. openai/gpt-5-mini, or `offline`.", envvar="AGENT_GYM_MODEL")
    ] = None,
    judge_model: Annotated[str | None, typer.Option(help="Judges; the agent's model when left out.")] = None,
    api_base: ApiBase = None,
    traces: Annotated[
        Path, typer.Option(help="Conversations of your own instead: a file or a folder.", show_default=False)
    ] = TRACES,
    neighbours: Annotated[int, typer.Option(help="Recorded turns that each answer is grounded in.")] = 4,
) -> None:
    """Customer support from twelve recorded conversations.

    Prints each question, the recorded turns its answer is grounded in, the tools called with their answers (and their source),
    the reply, and its score: words and calls against the expected ones, or a judge's where none are given.
    """
    with mistakes_in_one_line(again="what was answered is kept and will not be paid again"):
        query_agent, tool_mocker, reward_fn = create_environment(
            traces, model=model, judge_model=judge_model, api_base=api_base, neighbours=neighbours
        )
        out = console()
        out.print(f"Tools of {traces.name}: {', '.join(tool_mocker.catalog)}", markup=False)
        grades: list[Grade] = []
        for talk in [[*map(Ask, questions)]] if questions else TALKS:
            out.rule(style="dim")
            for ask, response in answered(query_agent, talk):
                grade = reward_fn(response, ask.expected)
                show(out, ask, response, grade)
                grades.append(grade)
        out.rule(style="dim")
        out.print(f"{len(grades)} answers, mean score {sum(grades) / len(grades):.2f}")
        if traces == TRACES and not questions:
            show_mocker(out, tool_mocker("lookup_account", {"user_id": "123"}))
        if model == "offline":
            out.print(
                "\noffline is a schema-guided policy, not a neural model: it says what the nearest traces said.", style="dim"
            )


def answered(query_agent: QueryAgent, talk: Sequence[Ask]) -> Iterable[tuple[Ask, Response]]:
    """The turns of one conversation."""
    conversation = query_agent.conversation()
    for ask in talk:
        yield ask, conversation(ask.words)


def show(out: Console, ask: Ask, response: Response, grade: Grade) -> None:
    """One question and all that belongs to its answer."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", style="dim", width=11)
    grid.add_column(overflow="fold")
    grid.add_row(Text("user", "bold cyan"), Text(ask.words, "bold"))
    near = ", ".join(f"{one.task.trace.conversation_id} {one.score:.1f}" for one in response.neighbours)
    grid.add_row("grounded in", Text(near or "nothing like it was recorded", "dim"))
    for message in response.trace.messages[response.task.start + 1 :]:
        if isinstance(message, Assistant):
            for call in message.tool_calls:
                grid.add_row("call", Text(f"{call.name} {call.arguments}", "yellow"))
        elif isinstance(message, Tool):
            answer = f"error: {message.error}" if message.error is not None else as_json(message.result)
            grid.add_row("", Text.assemble((answer, "yellow"), (f"  {message.source}", "dim")))
    grid.add_row(Text("agent", "bold green"), Text(response.text))
    parts = ", ".join(f"{name} {value:.2f}" for name, value in grade.parts.items())
    grid.add_row("score", Text.assemble((f"{grade:.2f}", "bold"), f"  {parts}"))
    out.print(grid)
    out.print()


def show_mocker(out: Console, result: ToolResult) -> None:
    """What the tools answer without an agent."""
    out.print('\ntool_mocker("lookup_account", {"user_id": "123"})', markup=False)
    out.print(f"  {as_json(result.value)}  {result.source}, {result.note}", markup=False)


def as_json(value: Any) -> str:
    """What a tool answered."""
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    typer.run(main)
