"""How an episode stands for the user: what has been said, called, shown and told so far.

Everything that a user with an agenda knows of one episode is here; what it does about it is in `mind.py`.
"""

from collections.abc import Sequence

from agent_gym.environment.goals.success import day_of, is_done, is_right
from agent_gym.environment.goals.told import is_told
from agent_gym.environment.users.goal import AgendaGoal, Errand, is_dontcare
from agent_gym.messages import Tool, ToolCall, ToolSpec
from agent_gym.tools.recordings import Row, rows_of
from agent_gym.traces import Trace
from agent_gym.traces.task import service_of

AGREEING = 3
"""Times that agreeing to something new counts as progress in one errand: an agent may read back for ever."""
DECLINING = 5
"""Offers turned down that count as progress in one errand."""


class Progress:
    """How far one errand has come."""

    def __init__(self) -> None:
        self.opened = False
        self.said: set[str] = set()
        """Arguments that have been told."""
        self.corrected: set[str] = set()
        self.asks: set[int] = set()
        """Questions that have been put."""
        self.declined = 0
        self.agreed: set[str] = set()
        """Words of the agent that were agreed to."""
        self.offer: list[int] | None = None
        """The rows on offer."""
        self.wrong: list[str] = []
        """Arguments that the last search got wrong or left out."""
        self.state = ""
        """`done`, `failed` as recorded, or `lost`: given up."""


class Standing:
    """What the user knows in one episode.

    Args:
        goal: what it wants.
        task: the recorded conversation; what its results held can be asked for.
    """

    def __init__(self, goal: AgendaGoal, task: Trace) -> None:
        self.goal = goal
        self.today = day_of(task)
        self.specs = {spec.name: spec for spec in task.tools}
        self.at = 0
        """The errand that is pursued; behind the last one when all are over."""
        self.stands = [Progress() for _ in goal.errands]
        self.lingering = False
        """The last errand is over, and it is the agent's turn to propose or to ask for more."""
        self.refused = False
        """The agent's last proposal was turned down."""
        self.untold: dict[tuple[str, str], int] = {}
        """Service and field that were asked for and not told yet: how often they were asked for."""
        self.told = 0
        self.missed = False
        """Something that was wanted has been given up."""
        self.found: set[int] = set()
        """Searches that were made as they were wanted."""
        self.rows: dict[str, list[Row]] = {}
        """Service to the rows of its last result that had some."""
        self.shown: dict[tuple[str, str], list[str]] = {}
        """Service and field to the values that results of the record or of this episode hold."""
        for message in task.messages:
            if isinstance(message, Tool):
                self._show(message)

    @property
    def errand(self) -> Errand:
        """The errand that is pursued."""
        return self.goal.errands[self.at]

    @property
    def stand(self) -> Progress:
        """How far it has come."""
        return self.stands[self.at]

    @property
    def following(self) -> Errand | None:
        """The next one."""
        return self.goal.errands[self.at + 1] if self.at + 1 < len(self.goal.errands) else None

    @property
    def spec(self) -> ToolSpec | None:
        """Its tool; None when the agent was not given it."""
        return self.specs.get(self.errand.tool)

    @property
    def all_over(self) -> bool:
        """No errand is left."""
        return self.at >= len(self.goal.errands)

    def progress(self) -> tuple[object, ...]:
        """Differs from before when something has moved; in one episode it can do so a bounded number of times only."""
        return (
            self.at,
            self.lingering,
            self.refused,
            self.told,
            len(self.untold),
            *(
                (
                    stand.opened,
                    len(stand.said),
                    len(stand.corrected),
                    len(stand.asks),
                    min(stand.declined, DECLINING),
                    min(len(stand.agreed), AGREEING),
                    stand.state,
                )
                for stand in self.stands
            ),
        )

    def _show(self, answer: Tool) -> None:
        service = service_of(answer.name)
        for row in rows_of(answer.result) if answer.error is None else ():
            for field, value in row.items():
                values = self.shown.setdefault((service, field), [])
                if value not in values:
                    values.append(value)

    def take_in(self, calls: Sequence[tuple[ToolCall, Tool]]) -> list[ToolCall]:
        """Learn from what was called; the transactional calls that nobody wanted."""
        unwanted: list[ToolCall] = []
        for call, answer in calls:
            self._show(answer)
            if rows := rows_of(answer.result):
                self.rows[service_of(call.name)] = rows
            spec = self.specs.get(call.name)
            if answer.source == "refused":
                continue
            right = [
                at
                for at, errand in enumerate(self.goal.errands)
                if errand.call is not None and is_right(errand.call, call, spec)
            ]
            if spec is None or not spec.transactional:
                self.found |= set(right)
                continue
            wanted = [at for at in right if not self.stands[at].state]
            if not wanted:
                unwanted.append(call)
                continue
            errand, stand = self.goal.errands[wanted[0]], self.stands[wanted[0]]
            # Rows of the record do not always hold what was asked for; what became of them then is known.
            succeeded = not errand.fails if answer.source == "recorded" else is_done(call, answer)
            stand.state = "done" if succeeded else "failed" if errand.fails else "lost"
            stand.opened = True
            self.missed |= stand.state == "lost"
        return unwanted

    def hear_told(self, words: str) -> bool:
        """Strike out what has been told of what was asked for."""
        heard = [
            (service, field)
            for service, field in self.untold
            if any(is_told(field, value, words, self.today, field) for value in self.shown.get((service, field), ()))
        ]
        for key in heard:
            del self.untold[key]
        self.told += len(heard)
        return bool(heard)

    def skip_what_is_done(self) -> None:
        """A search is over when what it was for has been done."""
        while self.at < len(self.stands) and not self.stands[self.at].state and not self.lingering:
            errand = self.goal.errands[self.at]
            later = [
                at
                for at in range(self.at + 1, len(self.stands))
                if self.stands[at].state and self.goal.errands[at].service == errand.service
            ]
            if not later:
                return
            self.stands[self.at].state = "done"
            self.at += 1

    def carried(self) -> set[str]:
        """Arguments whose values were told for an earlier errand of the service."""
        errand = self.goal.errands[self.at]
        return {
            slot
            for before, stand in zip(self.goal.errands[: self.at], self.stands, strict=False)
            if before.service == errand.service
            for slot in stand.said
            if before.slots.get(slot) == errand.slots.get(slot)
        }

    def unsaid(self) -> list[str]:
        errand, stand = self.goal.errands[self.at], self.stands[self.at]
        return [
            slot
            for slot, values in errand.slots.items()
            if slot not in stand.said and not is_dontcare(values) and slot not in self.carried()
        ]
