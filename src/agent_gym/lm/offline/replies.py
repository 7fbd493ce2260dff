"""Words to the user: in the examples' wording where they show one, in plain English else."""

import re
from collections.abc import Mapping

from agent_gym.lm.offline.decide import Step
from agent_gym.lm.offline.habits import Habits
from agent_gym.lm.offline.schema import CODES, DONT_CARE, Param, ToolView, stem, stems, words
from agent_gym.lm.offline.state import State
from agent_gym.lm.offline.wording import Line, likeness, speak, typical

Lines = Mapping[str, tuple[Line, ...]]


def say(step: Step, state: State, habits: Habits) -> str:
    """The reply for a step."""
    tool, lines = step.tool, habits.lines
    if tool is None:
        return typical(lines.get("more", ()), None, {}, "How can I help you?")
    match step.kind:
        case "result":
            return _after_result(state, tool, lines)
        case "ask":
            asked = dict.fromkeys(
                _ask(tool, tool.params[name], lines) for name in step.missing[: 1 if habits.one_question else 2]
            )
            return " ".join(asked)
        case "confirm":
            whole = [line for line in lines.get("confirm", ()) if len(line.fields) >= len(step.arguments) - 1]
            return typical(
                whole, tool, step.arguments, f"Please confirm the following details: {_details(tool, step.arguments)}."
            )
        case "goodbye":
            return typical(lines.get("goodbye", ()), None, {}, "Have a great day!")
        case "suggest":
            return _suggest(state, tool, lines)
        case "inform":
            return _inform(state, tool) or _offer(state, tool, lines)
        case "offer":
            return _next_offer(state, tool, lines)
        case _:
            return typical(lines.get("more", ()), None, {}, "Is there anything else I can help you with?")


def _after_result(state: State, tool: ToolView, lines: Lines) -> str:
    got = state.last_got
    if got is not None and got.error and tool.alone:
        return f"I'm sorry, that did not work: {got.error}."
    if got is None or got.error or not got.rows:
        return typical(
            lines.get("failure", ()),
            tool,
            {},
            "I'm sorry, I couldn't find anything. Is there anything else I can help you with?",
        )
    if not tool.transactional:
        return _offer(state, tool, lines)
    if state.countered:
        changed = ", ".join(
            speak(value, name)
            for name, value in got.rows[0].items()
            if state.last_call and state.last_call.arguments.get(name, value) != value
        )
        return f"I'm sorry, that is not available. Would you like {changed} instead?"
    plain = "That is done." if tool.alone else f"Your {_deed(tool)} has been confirmed."
    done = typical(lines.get("offer" if tool.alone else "notify", ()), tool, got.rows[0], plain)
    told = _inform(state, tool) if "question" in state.user_acts else ""
    return f"{done} {told}".strip()


def _offer(state: State, tool: ToolView, lines: Lines) -> str:
    rows, row = state.memory.rows(tool.service), state.memory.offered.get(tool.service, {})
    if not row:
        return "I'm sorry, I couldn't find anything like that."
    values = {**row, **({"count": str(len(rows))} if len(rows) > 1 else {})}
    return typical([line for line in lines.get("offer", ()) if line.fields], tool, values, _plain_offer(tool, row, len(rows)))


def _plain_offer(tool: ToolView, row: Mapping[str, str], count: int) -> str:
    name = next((value for field, value in row.items() if likeness(field) == "name"), None)
    if name is None or tool.alone:
        news = [
            field
            for field in row
            if field not in tool.params and row[field] not in ("True", "False") and likeness(field) != "elsewhere"
        ]
        told = [_fact(field, row[field])[4:-1] for field in news][:3]
        return f"The {', the '.join(told)}." if told else "Here is what I found."
    town = next((f" in {value}" for field, value in row.items() if likeness(field) == "town" and field in tool.params), "")
    return f"{f'I found {count} options. ' if count > 1 else ''}How about {name}{town}?"


def _next_offer(state: State, tool: ToolView, lines: Lines) -> str:
    rows, now = list[Mapping[str, str]](state.memory.rows(tool.service)), state.memory.offered.get(tool.service)
    at = rows.index(now) if now in rows else -1
    if at + 1 < len(rows):
        row = rows[at + 1]
        return typical(
            [line for line in lines.get("offer", ()) if line.fields and "count" not in line.fields],
            tool,
            row,
            _plain_offer(tool, row, 1),
        )
    return "I'm sorry, there is nothing else. Is there anything else I can help you with?"


def _inform(state: State, tool: ToolView) -> str:
    """Fields of the row in view that the user asks about."""
    row = state.memory.offered.get(tool.service, {})
    asked = {stem(word) for word in words(state.user)}
    plain = set(words(state.user))
    told: list[str] = []
    for field, value in row.items():
        keys = stems(field)
        like = likeness(field)
        hit = bool(keys & asked) or any(len(key) > 3 and word.startswith(key) for key in keys for word in asked)
        hit = (
            hit
            or (like == "address" and bool(plain & {"where", "located", "location"}))
            or (like == "price" and bool(plain & {"much", "cost", "price", "expensive", "pay", "charge"}))
        )
        hit = hit or (like == "time" and "when" in plain) or (like == "phone" and bool(plain & {"contact", "call"}))
        if hit and value not in ("", DONT_CARE):
            told.append(_fact(field, value))
    return " ".join(told[:3])


def _fact(field: str, value: str) -> str:
    label = " ".join(words(field))
    if value in ("True", "False"):
        bare = re.sub(r"^(?:has|is|serves|offers) ", "", label)
        return f"Yes, {bare}." if value == "True" else f"No, not {bare}."
    return f"The {label} is {'$' if likeness(field) == 'price' and value[:1].isdigit() else ''}{speak(value, field)}."


def _suggest(state: State, tool: ToolView, lines: Lines) -> str:
    deed = next((other for other in state.services[tool.service].deeds if other.name not in state.memory.calls), None)
    if deed is None:
        return typical(lines.get("more", ()), None, {}, "Is there anything else I can help you with?")
    return typical(lines.get("offer_intent", ()), deed, {}, f"Would you like to {_deed_verb(deed)}?", topic=deed.intent)


def _ask(tool: ToolView, param: Param, lines: Lines) -> str:
    return typical(
        [line for line in lines.get("request", ()) if len(line.template) < 90], tool, {}, _plain_ask(param), topic=param.stems
    )


def _plain_ask(param: Param) -> str:
    match param.kind:
        case "date":
            return "What date would you like?" if not param.side else f"What is the {param.label}?"
        case "time":
            return "What time would you like?"
        case "place":
            return {"from": "Where are you leaving from?", "to": "Where are you going?"}.get(
                param.side, "Which city should I search in?"
            )
        case "bool":
            return f"Would you like {re.sub(r'^(?:has|is|serves|offers) ', '', param.label)}?"
        case "code":
            return "What is the " + re.sub(r"\bid\b", "ID", param.label) + "?"
        case "number":
            return f"How many {param.label.removeprefix('number of ')} do you need?"
        case "choice" | "type":
            shown = f", such as {param.options[0]} or {param.options[1]}" if len(param.options) > 1 else ""
            return f"What {param.label} would you like{shown}?"
        case _:
            return f"What is the {param.label}?"


def _deed(tool: ToolView) -> str:
    return (
        "reservation"
        if {stem("book"), stem("reserve")} & tool.intent
        else " ".join(words(tool.name.rpartition("-")[2])[1:]) or "request"
    )


def _deed_verb(tool: ToolView) -> str:
    parts = words(tool.name.rpartition("-")[2])
    if tool.alone and len(parts) > 1:
        return f"{parts[0]} the {' '.join(parts[1:])}"
    return f"{parts[0]} {'a ' if parts[-1][-1:] != 's' else ''}{' '.join(parts[1:])}" if len(parts) > 1 else "go ahead"


_LEAD = {"date": "on", "time": "at", "place": "in", "number": "for"}


def _details(tool: ToolView, arguments: Mapping[str, str]) -> str:
    told: list[str] = []
    for name, value in arguments.items():
        param = tool.params[name]
        lead = "to" if tool.alone and param.kind == "place" else _LEAD.get(param.kind, "")
        if param.kind == "code":
            lead = f"for {' '.join(word for word in words(name) if word not in CODES)}"
        if param.side and param.kind in ("place", "date"):
            lead = param.side if param.kind == "place" else param.label
        unit = param.label.removeprefix("number of ") if param.kind == "number" else ""
        told.append(" ".join(part for part in (lead, speak(value, name), unit) if part))
    return f"{_deed_verb(tool).capitalize()} {' '.join(told)}"
