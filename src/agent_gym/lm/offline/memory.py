"""What the conversation has brought to light: values, results, the option in view.

A recorded call is the surest word about its arguments. What is missing for a call may come from the option in view, or from
another service of the same conversation (the town stays the town).
"""

from collections.abc import Mapping, Sequence

from agent_gym.lm.offline.mentions import mention
from agent_gym.lm.offline.questions import akin, is_town
from agent_gym.lm.offline.reading import Called, Got
from agent_gym.lm.offline.schema import DONT_CARE, Param, ToolView, words
from agent_gym.lm.offline.services import Service

Known = Mapping[str, Sequence[str]]


class Memory:
    """Values by service."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self.services = services
        self.values: dict[str, dict[str, str]] = {name: {} for name in services}
        self.called: dict[str, dict[str, str]] = {name: {} for name in services}
        """What was known right after the last call of the service."""
        self.calls: dict[str, dict[str, str]] = {}
        """By tool, the arguments of its last call."""
        self.results: dict[str, Got] = {}
        self.offered: dict[str, Mapping[str, str]] = {}
        """By service, the row the assistant speaks of."""
        self._known: dict[str, dict[str, list[str]]] = {}

    def call(self, tool: ToolView, call: Called) -> None:
        """A call was made: its arguments are right, and what it left out was not meant."""
        self.calls[call.name] = call.arguments
        values = self.values[tool.service]
        for name in tool.params:
            if name in call.arguments:
                values[name] = call.arguments[name]
            elif values.get(name) not in (None, DONT_CARE):
                values.pop(name)
        self.called[tool.service] = dict(values)

    def result(self, tool: ToolView, got: Got) -> bool:
        """A result came; True when a booking was answered with something else than was asked for, so nothing was booked."""
        self.results[tool.service] = got
        self._known.clear()
        if not got.rows:
            return False
        row = self.offered[tool.service] = got.rows[0]
        asked_for = self.calls.get(tool.name, {})
        changed = {
            name: row[name] for name, value in asked_for.items() if name in row and row[name].casefold() != value.casefold()
        }
        if not (tool.transactional and changed):
            return False
        self.values[tool.service].update(changed)
        self.called[tool.service] = dict(self.values[tool.service])
        self.calls.pop(tool.name, None)
        return True

    def forget_since_call(self, service: str) -> None:
        """Back to what was known after the last call of the service."""
        self.values[service] = dict(self.called[service])

    def rows(self, service: str) -> tuple[dict[str, str], ...]:
        """What the last call of the service brought."""
        got = self.results.get(service)
        return got.rows if got else ()

    def row(self, service: str, text: str) -> Mapping[str, str] | None:
        """The row of the last result that the words name best."""
        best, most = None, 0
        got = self.results.get(service)
        for row, names in zip(got.rows, got.names, strict=True) if got else ():
            score = sum(mention(value, text) is not None for value in names)
            if score > most:
                best, most = row, score
        return best

    def known(self, service: str) -> Known:
        """Values that may be named again: shown by the service's result, and fit ones that other services have shown."""
        if service not in self._known:
            known: dict[str, dict[str, None]] = {}
            for row in self.rows(service):
                for name, value in row.items():
                    known.setdefault(name, {})[value] = None
            for other in self.results:
                if other != service:
                    self._lend(other, service, known)
            self._known[service] = {name: list(values) for name, values in known.items()}
        return self._known[service]

    def _lend(self, other: str, service: str, known: dict[str, dict[str, None]]) -> None:
        rows = self.rows(other)
        for name, param in self.services[service].params.items():
            if param.kind in ("place", "text"):
                for field in rows[0] if rows else ():
                    if akin(param, field):
                        known.setdefault(name, {}).update(dict.fromkeys(row[field] for row in rows if field in row))

    def arguments(self, tool: ToolView, defaults: bool, user: str) -> dict[str, str]:
        """What a call of `tool` would hold now; with `defaults`, a booking also holds those of optional arguments."""
        values, offered = self.values[tool.service], self.offered.get(tool.service, {})
        filled: dict[str, str] = {}
        for name, param in tool.params.items():
            value = values.get(name)
            if value is None and param.required:
                value = offered.get(name)
            if value is None and (param.required or _points_back(param, user)):
                value = self._carried(tool.service, param, user)
            if value == DONT_CARE and not param.required:
                continue
            if value is None and defaults and tool.transactional and param.default not in (None, DONT_CARE):
                value = param.default
            if value is not None:
                filled[name] = value
        return filled

    def _carried(self, service: str, param: Param, user: str) -> str | None:
        """The same thing known from another service of this conversation: the town, the day, an ID."""
        if param.kind == "code":
            held = [values[param.name] for other, values in self.values.items() if other != service and param.name in values]
            return held[-1] if held else None
        if not (is_town(param) or param.kind == "date"):
            return None
        found: list[tuple[bool, str]] = []
        for other, values in reversed(self.values.items()):
            theirs = self.services[other]
            if other == service:
                continue
            for name, value in values.items():
                source = theirs.params.get(name)
                if (
                    source is None
                    or value == DONT_CARE
                    or source.kind != param.kind
                    or (source.side == "from" and "to" in theirs.sides)
                ):
                    continue
                if is_town(source) or (param.kind == "date" and (name == param.name or _points_back(param, user))):
                    found.append(("city" not in words(name), value))
        return min(found, key=lambda pair: pair[0])[1] if found else None


def _points_back(param: Param, user: str) -> bool:
    """ "Then", "that day": the day spoken of before."""
    return param.kind == "date" and bool(set(words(user)) & {"then", "that", "same"})
