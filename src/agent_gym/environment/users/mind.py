"""What a user with an agenda does next, given what the agent has said and done.

The errands are pursued in their order. Whatever the agent says, the user answers it by what it wants: tells what it is asked
for, agrees to what is right and corrects what is not, takes the offer it wants and asks for another otherwise, asks what it
wants to know, and goes on when an errand is done. What it cannot make sense of it answers with what is still unsaid; when
nothing has moved for some turns it leaves.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from agent_gym.environment.users.asking import ask, ask_again, ask_the_rest
from agent_gym.environment.users.base import Ended
from agent_gym.environment.users.goal import AgendaGoal, Values
from agent_gym.environment.users.phrases import Meant
from agent_gym.environment.users.questions import asked
from agent_gym.environment.users.standing import Standing
from agent_gym.environment.users.telling import (
    VOLUNTEERED,
    agree,
    ahead,
    confirm,
    differences,
    inform,
    moment,
    objection,
    set_right,
    tell,
    volunteer,
)
from agent_gym.environment.users.understanding import (
    agrees,
    asks_for_more,
    asks_what,
    known_values,
    mentioned,
    params_of,
    reads_back,
    says,
    says_goodbye,
    speaks_of,
)
from agent_gym.lm.offline.acts import assistant_act
from agent_gym.messages import Assistant, Message, Tool, ToolCall
from agent_gym.messages import User as UserMessage
from agent_gym.tools.recordings import answered_calls, rows_of
from agent_gym.traces import Trace

Answer = tuple[list[Meant], Ended]


class Mind:
    """The user in one episode, but for its words.

    Args:
        goal: what it wants; one errand at least.
        task: the recorded conversation.
        patience: turns without progress that it bears.
    """

    def __init__(self, goal: AgendaGoal, task: Trace, patience: int) -> None:
        self.now = Standing(goal, task)
        self.patience = patience
        self._read = 0
        """Messages that have been taken in."""
        self._idle = 0

    def answer(self, messages: Sequence[Message]) -> Answer:
        """What the user means to say next, and whether it leaves with that."""
        fresh = [message for message in messages[self._read :] if not isinstance(message, UserMessage)]
        self._read = len(messages)
        if not messages:
            return self._open([]), ""
        before = self.now.progress()
        words = " ".join(message.content for message in fresh if isinstance(message, Assistant) and message.content)
        calls = answered_calls(Trace(conversation_id="", messages=tuple(fresh)))
        meant, ended = self._react(words, calls)
        self._idle = 0 if self.now.progress() != before else self._idle + 1
        if not ended and self._idle >= self.patience:
            return [Meant("GOODBYE")], "patience"
        return meant, ended

    def _react(self, words: str, calls: Sequence[tuple[ToolCall, Tool]]) -> Answer:
        unwanted = self.now.take_in(calls)
        heard = self.now.hear_told(words)
        self.now.skip_what_is_done()
        if self.now.lingering or self.now.all_over:
            return self._after(words)
        stand = self.now.stand
        if stand.state:
            return self._over(words)
        if unwanted:
            return objection(self.now, unwanted[-1]), ""
        errand = self.now.errand
        searches = [(call, answer) for call, answer in calls if call.name == errand.tool and answer.source != "refused"]
        if not errand.deed and searches:
            search, answer = searches[-1]
            stand.wrong = differences(search, errand, self.now.spec)
            return self._offered(words, bool(rows_of(answer.result)))
        return self._talk(words, heard)

    def _talk(self, words: str, heard: bool) -> Answer:
        errand, stand = self.now.errand, self.now.stand
        spec = self.now.spec
        if not stand.opened:
            return self._open([]), ""
        if spec is not None and (stand.offer is None or errand.deed):
            unsaid = set(errand.slots) - stand.said
            questioned = asked(words, params_of(spec), unsaid, self.now.today) if _asks(words) else frozenset[str]()
            if asks_what(words) and assistant_act(words) != "confirm" and questioned & unsaid:
                return inform(self.now, words, questioned), ""
            known = known_values(self.now.goal.errands, self.now.rows.get(errand.service, ()))
            if errand.deed and words and reads_back(words, errand, spec, self.now.today, known):
                return confirm(self.now, words, known), ""
            if questioned:
                return inform(self.now, words, questioned), ""
            if _asks(words) and (told := ahead(self.now, words, errand.service, self.now.at + 1)):
                return told, ""
        if not errand.deed and self.now.rows.get(errand.service) and words:
            on_offer = mentioned(self.now.rows[errand.service], words, self.now.today)
            if stand.offer is not None and heard:
                return self._consider()
            if on_offer:
                stand.offer = on_offer
                return self._consider()
        if stand.offer is not None and (heard or not self.now.untold):
            return self._consider()
        if assistant_act(words) in ("offer_intent", "confirm") and words and errand.deed:
            return agree(self.now, words), ""
        return self._insist()

    def _offered(self, words: str, found: bool) -> Answer:
        """A search has been answered."""
        errand, stand = self.now.errand, self.now.stand
        if not found and stand.offer is not None:
            # The agent searched again although something is on offer.
            return self._consider()
        if not found:
            # Nothing there: as recorded, or the agent has searched for something else than was said.
            if told := set_right(self.now):
                return told, ""
            if errand.fails or not self.now.unsaid():
                stand.state = "failed" if errand.fails else "lost"
                self.now.missed |= not errand.fails
                return self._over(words)
            return volunteer(self.now), ""
        on_offer = mentioned(self.now.rows[errand.service], words, self.now.today)
        if not on_offer and _asks(words):
            return self._talk(words, False)
        stand.offer = on_offer
        return self._consider()

    def _consider(self) -> Answer:
        """Something is on offer: ask about it, take it, or ask for another."""
        errand, stand = self.now.errand, self.now.stand
        if questions := ask(self.now, "offer"):
            return questions, ""
        if again := ask_again(self.now):
            return again, ""
        if told := set_right(self.now):
            return [Meant("REQUEST_ALTS", errand.tool), *told[1:]], ""
        fits = self._fits()
        following = self.now.following
        if not fits or stand.declined < (errand.declined if not self._strict() else 0):
            if unsaid := [slot for slot in self.now.unsaid() if slot in stand.wrong][:VOLUNTEERED]:
                stand.said |= set(unsaid)
                stand.declined += 1
                return [Meant("REQUEST_ALTS"), *map(partial(tell, self.now), unsaid)], ""
            if stand.declined < max(2, errand.declined):
                stand.declined += 1
                return [Meant("REQUEST_ALTS", errand.tool)], ""
            if self._strict():
                return self._name_it()
        if questions := ask_the_rest(self.now):
            return questions, ""
        if (
            following is not None
            and following.opening == "refined"
            and following.service == errand.service
            and not errand.taken
        ):
            stand.state = "done"
            self.now.at += 1
            return self._open([]), ""
        stand.state = "done"
        return self._close()

    def _strict(self) -> dict[str, Values]:
        """What an offer must hold because a later errand needs it."""
        errand = self.now.errand
        later = next(
            (
                one
                for one in self.now.goal.errands[self.now.at + 1 :]
                if one.deed and one.service == errand.service and one.call is not None
            ),
            None,
        )
        if later is None:
            return {}
        return {slot: later.slots[slot] for slot in errand.taken if slot in later.slots and slot not in errand.slots}

    def _fits(self) -> bool:
        errand, stand = self.now.errand, self.now.stand
        strict = self._strict()
        rows = self.now.rows.get(errand.service, [])
        if not strict or not rows or not stand.offer:
            return True
        return any(agrees(rows[at], strict) for at in stand.offer if at < len(rows))

    def _name_it(self) -> Answer:
        """Say which one is wanted."""
        errand, stand = self.now.errand, self.now.stand
        strict = self._strict()
        stand.state = "done"
        chosen = [Meant("SELECT", errand.tool, slot, values[0], values[-1]) for slot, values in strict.items()]
        acts, ended = self._close()
        return [*chosen, *(act for act in acts if act.act != "SELECT")], ended

    def _over(self, words: str) -> Answer:
        """The errand is done or has failed: ask what is left to ask, and go on."""
        errand, stand = self.now.errand, self.now.stand
        if stand.state == "done":
            if again := ask_again(self.now):
                return again, ""
            if questions := ask_the_rest(self.now):
                return questions, ""
            return self._close()
        following = self.now.following
        if (following is None or following.service != errand.service) and (
            left := ask_again(self.now) or ask_the_rest(self.now)
        ):
            return left, ""
        if following is not None and following.opening == "countered":
            changed = [slot for slot, values in following.slots.items() if errand.slots.get(slot) != values]
            self.now.at += 1
            if changed and all(says(slot, following.slots[slot], words, self.now.today) for slot in changed):
                self.now.stand.opened = True
                self.now.stand.said |= set(following.slots)
                return [Meant("AFFIRM")], ""
            return self._open([], changed), ""
        if following is not None:
            self.now.at += 1
            return self._open([]), ""
        self.now.at += 1
        return self._leave([Meant("NEGATE"), Meant("THANK_YOU")] if "?" in words else [Meant("THANK_YOU"), Meant("GOODBYE")])

    def _close(self) -> Answer:
        """Say that this is over, and what comes next."""
        errand = self.now.errand
        closing = [Meant(act, errand.tool) for act in errand.closing if act != "GOODBYE"]
        self.now.at += 1
        if self.now.at < len(self.now.goal.errands):
            if errand.lingers and closing:
                self.now.lingering = True
                return closing, ""
            return self._open(closing), ""
        if errand.lingers or (self.now.goal.waits and closing):
            self.now.lingering = True
            return closing or [Meant("THANK_YOU")], ""
        return self._leave([*(closing or [Meant("THANK_YOU")]), Meant("GOODBYE")])

    def _after(self, words: str) -> Answer:
        """An errand is over, and the agent has said something more."""
        if again := ask_again(self.now):
            return again, ""
        self.now.lingering = False
        if self.now.all_over:
            if _asks(words) and not asks_for_more(words) and not self.now.refused:
                if self.now.goal.waits:
                    self.now.lingering = self.now.refused = True
                    return [Meant("NEGATE_INTENT")], ""
                return self._leave([Meant("NEGATE_INTENT"), Meant("GOODBYE")])
            return self._leave(
                [Meant("NEGATE"), Meant("THANK_YOU")] if "?" in words else [Meant("THANK_YOU"), Meant("GOODBYE")]
            )
        errand = self.now.errand
        before = self.now.goal.errands[self.now.at - 1]
        if self.now.refused or asks_for_more(words) or not _asks(words) or says_goodbye(words):
            self.now.refused = False
            return self._open([]), ""
        near = errand.deed and errand.service == before.service
        if near or speaks_of(words, errand.tool) > 1:
            spec = self.now.spec
            questioned = frozenset[str]()
            if spec is not None and assistant_act(words) == "request":
                questioned = asked(words, params_of(spec), set(errand.slots), self.now.today)
            stand = self.now.stand
            stand.opened = True
            told = [slot for slot in errand.slots if slot in errand.opened or slot in questioned]
            stand.said |= set(told)
            return [Meant("AFFIRM_INTENT", errand.tool), *map(partial(tell, self.now), told)], ""
        if assistant_act(words) == "request" and (told := ahead(self.now, words, before.service, self.now.at + 1)):
            self.now.lingering = True
            return told, ""
        if errand.opening == "more":
            self.now.lingering = self.now.refused = True
            return [Meant("NEGATE_INTENT", before.tool)], ""
        return self._open([Meant("NEGATE_INTENT", before.tool)]), ""

    def _leave(self, acts: list[Meant]) -> Answer:
        if again := ask_again(self.now):
            return again, ""
        # Who wanted nothing but to look has got it when the last search for each thing was made as it was wanted.
        last = {errand.tool: at for at, errand in enumerate(self.now.goal.errands) if errand.call is not None}
        only_looked = not any(errand.deed or errand.asks for errand in self.now.goal.errands)
        return acts, "refused" if self.now.missed or (only_looked and not self.now.found.issuperset(last.values())) else "goal"

    def _open(self, closing: list[Meant], told: Iterable[str] | None = None) -> list[Meant]:
        """Bring up the errand."""
        errand, stand = self.now.errand, self.now.stand
        stand.opened = True
        slots = [slot for slot in (errand.opened if told is None else told) if slot in errand.slots]
        stand.said |= set(slots)
        if errand.opening == "refined":
            return [*closing, Meant("REQUEST_ALTS", errand.tool), *map(partial(tell, self.now), slots)]
        return [*closing, Meant("INFORM_INTENT", errand.tool, meaning=moment(self.now)), *map(partial(tell, self.now), slots)]

    def _insist(self) -> Answer:
        """Nothing to go by: tell what is still unsaid, ask again, or say once more what is wanted."""
        errand = self.now.errand
        if again := ask_again(self.now):
            return again, ""
        if unsaid := volunteer(self.now):
            return unsaid, ""
        slots = list(errand.slots)[:VOLUNTEERED]
        return [Meant("INFORM_INTENT", errand.tool, meaning=moment(self.now)), *map(partial(tell, self.now), slots)], ""


def _asks(words: str) -> bool:
    return "?" in words or assistant_act(words) in ("request", "offer_intent", "confirm", "more") or len(words) < 80
