"""Where the conversation stands: the tool in focus, what is known, what was just said.

One walk over the events. What was said since the last call is kept as `pending` and read again when it turns out that another
tool was meant.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from agent_gym.lm.offline.acts import assistant_act, user_acts
from agent_gym.lm.offline.focus import Lexicon, choose
from agent_gym.lm.offline.memory import Memory
from agent_gym.lm.offline.mentions import Words, mention
from agent_gym.lm.offline.questions import asked
from agent_gym.lm.offline.reading import Called, Event, Got, Said
from agent_gym.lm.offline.schema import DONT_CARE, Param, ToolView, stem, words
from agent_gym.lm.offline.services import Service, group
from agent_gym.lm.offline.slots import fill

LITTLE = 0.5
"""What words must say of a tool without a service before it is taken up."""


class Heard(NamedTuple):
    """A turn since the last call: the user's words with the assistant's before them, or a reading back."""

    role: str
    text: str
    before: str = ""
    act: str = ""
    """What the assistant's words before did."""


class State:
    """What is known after the last event."""

    def __init__(self, tools: tuple[ToolView, ...], today: date, lexicon: Lexicon) -> None:
        self.tools, self.today, self.lexicon = tools, today, lexicon
        self.by_name = {tool.name: tool for tool in tools}
        self.services = group(tools)
        self.deeds = tuple(tool for tool in tools if tool.transactional)
        self.memory = Memory(self.services)
        self.focus: ToolView | None = None
        self.pending: list[Heard] = []
        self.last_call: Called | None = None
        self.last_got: Got | None = None
        self.after_result = False
        self.countered = False
        """The last booking was answered with something else than was asked for."""
        self.act = "start"
        """What the assistant's last words did."""
        self.last_words = ""
        self.user = ""
        self.user_acts: frozenset[str] = frozenset()
        self.asked: frozenset[str] = frozenset()
        """Arguments the assistant had asked for before the user's last words."""
        self.fresh: frozenset[str] = frozenset()
        """Arguments that the user's last words changed."""
        self.new_intent = False

    def hear(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case Said("user", text):
                self._user(text)
            case Said(_, text):
                self._assistant(text)
            case Called():
                self._called(event)
            case Got():
                self._got(event)
        self.after_result = isinstance(event, Got)

    def arguments(self, tool: ToolView, defaults: bool = False) -> dict[str, str]:
        """What a call of `tool` would hold now."""
        return self.memory.arguments(tool, defaults, self.user)

    def values(self, tool: ToolView) -> dict[str, str]:
        """What is known for the tool's service."""
        return self.memory.values[tool.service]

    def transaction(self, text: str) -> ToolView | None:
        """The transactional tool that an assistant's question is about."""
        if self.focus is None or self.focus.transactional:
            return self.focus
        pool = self.services[self.focus.service].deeds or self.deeds
        # The lexicon is of what users say.
        return choose(text, pool, {} if self.focus.alone else self.lexicon)[0]

    def _called(self, call: Called) -> None:
        self.last_call = call
        tool = self.by_name.get(call.name)
        if tool is not None:
            self.focus = tool
            self.memory.call(tool, call)
            self.pending.clear()

    def _got(self, got: Got) -> None:
        self.last_got = got
        tool = self.by_name.get(got.name)
        self.countered = tool is not None and self.memory.result(tool, got)

    def _assistant(self, text: str) -> None:
        self.last_words, self.act = text, assistant_act(text)
        if self.after_result:
            proposes = self.countered and (self.act == "offer" or ("?" in text and self.act not in ("more", "notify")))
            proposes = proposes or self._asks_leave(text)
            self.act = "confirm" if proposes else self.act if self.act in ("failure", "notify", "offer") else "offer"
            if self.countered:
                self.countered = False
                return
        elif self.act in ("request", "confirm", "offer_intent"):
            self._follow(text)
        if self.focus is None:
            return
        row = self.memory.row(self.focus.service, text)
        if row is not None:
            self.memory.offered[self.focus.service] = row
        if not self.after_result and self.act not in ("confirm", "failure", "more", "goodbye") and self._reads_back(text):
            self.act = "confirm"
        if self.act == "confirm":
            self._focus_on(self.transaction(text) or self.focus)
            self.pending.append(Heard("assistant", text))
            self._take(self.pending[-1])

    def _asks_leave(self, text: str) -> bool:
        """After a look-up: whether to do something for which all is known ("Shall I refund order A-1042?")."""
        if self.focus is None or not self.focus.alone or self.act not in ("confirm", "offer_intent"):
            return False
        target = self.transaction(text)
        return target is not None and {*target.required()} <= {*self.arguments(target)}

    def _follow(self, text: str) -> None:
        """The assistant's question shows what it is working on; an ID may be asked for any tool."""
        if self.focus is not None and self.focus.alone and self.act == "request":
            return
        chosen, score = choose(text, self.tools if self.act == "request" else self.deeds, self.lexicon, self.focus, detail=1.2)
        if chosen is None or self.focus is None:
            self._focus_on(chosen or self.focus)
        elif chosen.service != self.focus.service:
            _, held = choose(text, self.services[self.focus.service].tools, self.lexicon, self.focus, detail=1.2)
            if score >= held + 0.8:
                self._focus_on(chosen)

    def _reads_back(self, text: str) -> bool:
        """It holds the details of what is about to be done."""
        target = self.transaction(text)
        if target is None or "alternatives" in self.user_acts:
            return False
        known = self.memory.known(target.service)
        found = fill(Words(text, frozenset(), self.today, known), target.params.values())
        named = {name for name, value in self.arguments(target).items() if len(value) > 2 and mention(value, text)}
        return len(named | set(found)) >= max(2, min(3, len(target.params) - 1))

    def _user(self, text: str) -> None:
        self.user, self.user_acts = text, user_acts(text)
        before = self.focus
        heard = Heard("user", text, self.last_words, self.act)
        self._refocus(text)
        self.pending.append(heard)
        if self.focus is None:
            return
        row = self.memory.row(self.focus.service, text)
        if row is not None and self.act in ("offer", "inform", "request"):
            self.memory.offered[self.focus.service] = row
        self._take(heard)
        self._narrow(self.focus)
        self.new_intent = self.focus is not before

    def _refocus(self, text: str) -> None:
        acts, focus = self.user_acts, self.focus
        if focus is not None and (
            "bye" in acts or (self.act == "confirm" and focus.transactional and "alternatives" not in acts)
        ):
            return
        if self.act in ("offer_intent", "confirm") and "affirm" in acts and "negate" not in acts:
            target = self.transaction(self.last_words)
            if target is not None:
                self._focus_on(target)
                return
        done = focus is not None and focus.transactional and focus.name in self.memory.calls
        chosen, strength = choose(text, self.tools, self.lexicon, None if done else focus)
        if chosen is None or focus is None:
            self._focus_on(None if chosen is not None and chosen.alone and strength < LITTLE else chosen)
        elif chosen.service == focus.service:
            asks = "question" in acts and strength < 3.0 and self.act in ("offer", "inform")
            if strength >= 1.6 and not asks:
                self._focus_on(chosen)
        else:
            _, held = choose(text, self.services[focus.service].tools, self.lexicon, None if done else focus)
            if strength >= max(1.2, held + 0.5):
                self._focus_on(chosen)

    def _focus_on(self, tool: ToolView | None) -> None:
        """Turn to a tool; what was said since the last call is read again for it."""
        before, self.focus = self.focus, tool
        if tool is None or (before is not None and before.service == tool.service):
            return
        self.memory.forget_since_call(tool.service)
        for heard in self.pending:
            self._take(heard)

    def _take(self, heard: Heard) -> None:
        """Read one turn for the tool in focus."""
        if self.focus is not None and heard.role == "user":
            self._take_user(self.focus, heard)
        elif self.focus is not None:
            self._take_readback(self.focus, heard.text)

    def _take_user(self, focus: ToolView, heard: Heard) -> None:
        service, acts = self.services[focus.service], user_acts(heard.text)
        values, params = self.values(focus), service.ordered(focus)
        self.asked = self._asked(focus, service, heard)
        about_offer = heard.act in ("offer", "inform", "notify", "confirm") and "question" in acts
        about_offer = about_offer and not acts & {"alternatives", "proposal", "order"}
        ordered = sorted(params.values(), key=lambda param: (param.name not in self.asked, param.name not in focus.params))
        said = Words(
            heard.text,
            self.asked,
            self.today,
            self.memory.known(focus.service),
            question=about_offer,
            affirm="affirm" in acts,
            negate="negate" in acts,
            dont_care="dont_care" in acts,
            sides=service.sides,
            held=frozenset(values),
            nouns=service.nouns,
        )
        found = fill(said, ordered)
        if about_offer:
            found = {name: value for name, value in found.items() if _may_order(params[name], name in values)}
        if "dont_care" in acts:
            self._indifferent(heard.text, params, found)
        self.fresh = frozenset(name for name, value in found.items() if values.get(name) != value)
        values.update(found)

    def _asked(self, focus: ToolView, service: Service, heard: Heard) -> frozenset[str]:
        if not heard.before or heard.act in ("confirm", "notify", "goodbye", "more"):
            return frozenset()
        if heard.act == "offer" and not heard.before.rstrip().endswith("?"):
            return frozenset()
        if heard.act in ("offer", "inform", "offer_intent") and focus.name in self.memory.calls:
            return frozenset()
        values = self.values(focus)
        wanted = [name for name in focus.required() if name not in values] if heard.act == "request" else []
        return asked(heard.before, list(service.ordered(focus).values()), wanted, service.nouns)

    def _take_readback(self, focus: ToolView, text: str) -> None:
        values, known = self.values(focus), self.memory.known(focus.service)
        due = frozenset(name for name in focus.required() if name not in values)
        said = Words(text, frozenset(), self.today, known, due=due, sides=self.services[focus.service].sides)
        for name, value in fill(said, focus.params.values()).items():
            closed = focus.params[name].kind not in ("text", "place", "type") or value in known.get(name, ())
            if name not in values or (closed and values[name] != DONT_CARE):
                values[name] = value

    def _indifferent(self, text: str, params: Mapping[str, Param], found: dict[str, str]) -> None:
        """Any will do: what the words name, or what was asked."""
        said = {stem(word) for word in words(text)}
        for name, param in params.items():
            if name not in found and not param.required and (param.stems & said or set(self.asked) == {name}):
                found[name] = DONT_CARE
        for name in self.asked:
            if name not in found and name in params and DONT_CARE not in found.values():
                found[name] = DONT_CARE

    def _narrow(self, tool: ToolView) -> None:
        """Within a service, turn to the tool that what is known points to."""
        tool = self.focus = self._sister(tool)
        if tool.transactional:
            self.focus = self._search_first(tool)
        elif self.fresh and "alternatives" not in self.user_acts and not self.fresh & set(tool.params):
            self.focus = next((other for other in self.services[tool.service].tools if self.fresh <= set(other.params)), tool)

    def _sister(self, tool: ToolView) -> ToolView:
        """A tool of the same kind that takes more of what is known, or that is ready while this one is not."""
        calls = self.memory.calls
        if tool.name in calls:
            return tool
        held = {name for name, value in self.values(tool).items() if value != DONT_CARE}
        for other in self.services[tool.service].tools:
            if other is tool or other.transactional != tool.transactional or other.name in calls:
                continue
            extra = set(other.params) - set(tool.params)
            asked_more = bool(self.asked) and self.asked <= extra
            wider = set(other.params) > set(tool.params) and (held & extra or asked_more)
            ready = other.required() and set(other.required()) <= held and not set(tool.required()) <= held
            if wider or ready:
                return other
        return tool

    def _search_first(self, tool: ToolView) -> ToolView:
        """A booking that lacks what only a search can show begins with the search."""
        tools = self.services[tool.service].tools
        if self.act == "confirm" or any(other.name in self.memory.calls and not other.transactional for other in tools):
            return tool
        held = self.arguments(tool)
        missing = [name for name in tool.required() if name not in held and name not in self.asked]
        missing = [name for name in missing if tool.params[name].kind in ("text", "place", "time")]
        for other in tools:
            shows = any(name in other.results and name not in other.params for name in missing)
            if shows and not other.transactional and set(other.required()) <= set(self.arguments(other)):
                return other
        return tool


def _may_order(param: Param, held: bool) -> bool:
    """Kinds of words that order something even inside a question about an offer ("Is it free on the 8th?")."""
    return param.kind in ("date", "time", "number") or (param.kind == "choice" and held)
