"""Answers to prompts that are not an agent's: a judge's (`judging.py`), and the optimizers' for descriptions and instructions.

DSPy names the fields it wants in its system turn ("Your output fields are: ..."), GEPA asks for an instruction between fences.
A proposal keeps the instruction it found and adds rules of general good conduct for an agent with tools. Which ones depends on
the prompt and the draw, so that an optimizer has different candidates to try; none comes from knowledge of a data set.
"""

import hashlib
import json
import re
from typing import Any, NamedTuple

from agent_gym.lm.base import Request
from agent_gym.lm.offline.judging import judge

_OUTPUTS = re.compile(r"Your output fields are:\n(.*?)(?=\n(?:All interactions|Inputs will|In adhering)|\Z)", re.DOTALL)
_FIELD = re.compile(r"^\d+\. `(\w+)` \((.+?)\):(.*)$", re.MULTILINE)
_INPUT = re.compile(r"\[\[ ## (\w+) ## \]\]\n(.*?)(?=\n\[\[ ## |\n\nRespond with|\Z)", re.DOTALL)
_FENCED = re.compile(r"```\w*\n(.*?)\n?```", re.DOTALL)

OPENINGS = (
    "",
    "You are a careful assistant that completes tasks for the user with tools.",
    "You are an attentive assistant: you listen, you look things up, and you get things done with tools.",
    "Help the user to reach the goal in as few turns as possible.",
    "Mistakes are costly here: a wrong booking cannot be taken back.",
)
RULES = (
    "Call a search tool as soon as its required arguments are known; do not wait for optional ones.",
    "Before a booking, a purchase or any other change, read the details back, ask the user to confirm, and call the"
    " tool only after the"
    " user has agreed.",
    "Ask only for required arguments that are missing, one question at a time.",
    "Write dates as YYYY-MM-DD, times as HH:MM in 24 hours, counts in digits, and yes or no as True or False.",
    "When you book, also send the default values of optional arguments that the user did not mention.",
    "Keep what the user has already said, and what was chosen from earlier results, for the tools that come later.",
    "After a result, offer one option with its main facts, and answer questions from the result itself.",
    "Keep every reply to one or two short sentences.",
    "When the user is satisfied with an option, offer to take the next step.",
)
LEAST, MOST = 2, 5
"""Rules in one proposal, of which those that the instruction holds already are left out."""
INSTRUCTIONS = sum(2 ** (len(RULES) - held) for held in range(LEAST, MOST + 1)) // (MOST - LEAST + 1)
"""Different instructions that it writes from one it has written before, "You are" at its head: each rule left is in or out."""
INFERRED = 1
"""Different sets of rules that it infers from examples: it describes them, in the same words each time."""


class Field(NamedTuple):
    """An output that the prompt asks for."""

    name: str
    kind: str
    about: str


def propose(request: Request) -> str:
    """An answer in the form the prompt asks for."""
    system = next((turn.content for turn in request.turns if turn.role == "system"), "")
    asked = next((turn.content for turn in reversed(request.turns) if turn.role == "user"), "")
    if (verdict := judge(system, asked)) is not None:
        return verdict
    seed = _seed(request)
    block = _OUTPUTS.search(system)
    if block is None:
        found = _FENCED.search(asked)
        return (
            f"```\n{instruct(found[1], seed)}\n```"
            if found and "instruction" in asked
            else "I can help with tasks that the given tools cover."
        )
    fields = [Field(name, kind, about.strip()) for name, kind, about in _FIELD.findall(block[1])]
    inputs = {name: value.strip() for name, value in _INPUT.findall(asked)}
    values = {field.name: _value(field, inputs, seed + at) for at, field in enumerate(fields)}
    if "JSON object with the following fields" in system:
        return json.dumps({field.name: _plain(field, values[field.name]) for field in fields})
    parts = [f"[[ ## {name} ## ]]\n{value}" for name, value in values.items()]
    return "\n\n".join([*parts, "[[ ## completed ## ]]"])


def _seed(request: Request) -> int:
    text = "\x1f".join((*(turn.content for turn in request.turns), request.sample))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _value(field: Field, inputs: dict[str, str], seed: int) -> str:
    name, kind = field.name, field.kind
    if kind.startswith("Literal"):
        return re.split(r", ", kind[8:-1])[0].strip("'\"")
    if kind != "str":
        return {"bool": "True", "int": "1", "float": "0.5"}.get(kind, "{}" if kind.startswith("dict") else "[]")
    if "instruction" in name:
        base = next(
            (value for key, value in inputs.items() if "instruction" in key and "attempt" not in key and "previous" not in key),
            "",
        )
        return instruct(base, seed)
    if "prefix" in name:
        return "Action:"
    if name == "observations" and "prior_observations" in inputs:
        return "COMPLETE"
    return _describe(name, inputs)


def _plain(field: Field, value: str) -> Any:
    """The value as JSON: a number stays a number."""
    match field.kind:
        case "str":
            return value
        case "bool":
            return value == "True"
        case _ if field.kind.startswith("Literal"):
            return value
        case _:
            return json.loads(value)


def instruct(base: str, seed: int) -> str:
    """The instruction found, an opening, and some rules; equal seeds give equal text."""
    opening = OPENINGS[seed % len(OPENINGS)]
    count = LEAST + seed // 7 % (MOST - LEAST + 1)
    order = sorted(range(len(RULES)), key=lambda at: hashlib.sha256(f"{seed}:{at}".encode()).digest())
    kept = [RULES[at] for at in sorted(order[:count]) if RULES[at] not in base]
    head = base.strip() if base.strip() else opening or OPENINGS[1]
    if opening and opening not in head and not head.startswith("You are"):
        head = f"{opening} {head}"
    return " ".join([head, *kept])


def _describe(name: str, inputs: dict[str, str]) -> str:
    subject = "dialogues between a user and an assistant that calls tools"
    if "module" in name:
        return f"It takes the next step in {subject}: call one tool with its arguments, ask for what is missing, or answer."
    if "program" in name:
        return f"The program plays the assistant in {subject}. It reads the conversation, then calls a tool or replies."
    if name in ("observations", "summary"):
        return (
            f"The data are {subject}: searches, bookings and questions about results. Tool calls are JSON with canonical dates,"
            " times and counts; replies are short and friendly, and end with the next question or offer."
        )
    longest = max(inputs.values(), key=len, default="")
    return f"This is about {subject}. {' '.join(longest.split()[:24])}".strip()
