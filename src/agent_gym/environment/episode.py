"""One conversation under way: the agent acts, tools and user answer, and everything lands on a trace.

A step is one assistant message. A message with calls is answered by the tools, and it is the agent's turn again; a message with
only words ends the agent's turn, and the user answers. The episode is *terminated* when the conversation came to its own end
(the user left, something broke, or the agent never stopped calling), *truncated* when the limit of turns cut it short. Whose
fault a failure was stands in `metadata["fault"]`: of the "agent", its "endpoint", the "user", or a "tool".
"""

import asyncio
import math
from collections.abc import Awaitable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import msgspec

from agent_gym.agents.base import Agent
from agent_gym.environment.goals.blame import blame
from agent_gym.environment.goals.success import achieved
from agent_gym.environment.rewards import NoReward, Reward, is_success
from agent_gym.environment.users.base import Speaker, Utterance
from agent_gym.errors import AnswerError, BudgetSpent, JudgeFailed, ModelError, UsageError, UserFailed
from agent_gym.lm.prompt import told_date
from agent_gym.lm.tally import tallied
from agent_gym.messages import Assistant, Message, System, Tool, ToolSpec, User, writable
from agent_gym.metrics import Score
from agent_gym.tools import ToolBackend, execute
from agent_gym.traces import Trace

MAX_TURNS = 30
"""User turns of an episode: the longest recorded dialogue of SGD has 17."""
SPOILING = ("endpoint", "user", "tool")
"""Whose faults say nothing of the agent: such episodes are counted, and left out of the success rate."""
MAX_STEPS = 8
"""Steps an agent may take for one user turn: the recorded system takes two at most."""


class Observation(msgspec.Struct, frozen=True):
    """What the agent sees."""

    messages: tuple[Message, ...]
    """The conversation so far, behind a `System` message with the date where one is known."""
    tools: tuple[ToolSpec, ...]


class Step(msgspec.Struct, frozen=True):
    """What an action brought about."""

    observation: Observation
    reward: float
    """What was earned by this action; NaN when the judge failed or the episode was spoilt, which is never the agent's zero."""
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]

    @property
    def over(self) -> bool:
        """The episode takes no further action."""
        return self.terminated or self.truncated


class Episode:
    """A conversation between an agent and a user about one task.

    Args:
        task: the recorded conversation whose goal is pursued.
        backend: answers the calls.
        speaker: the user of this episode.
        reward: what is earned.
        facts: of the trace's metadata.
    """

    def __init__(
        self,
        task: Trace,
        backend: ToolBackend,
        speaker: Speaker,
        reward: Reward = NoReward(),  # noqa: B008 - it is frozen
        *,
        max_turns: int = MAX_TURNS,
        max_steps: int = MAX_STEPS,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        if max_turns < 1 or max_steps < 1:
            raise UsageError(f"an episode has at least one turn and one step, got max_turns={max_turns}, max_steps={max_steps}")
        self.task = task
        self.messages: list[Message] = []
        self.over = False
        self._backend, self._speaker, self._reward = backend, speaker, reward
        self._max_turns, self._max_steps = max_turns, max_steps
        self._facts = dict(facts or {})
        today = str(task.metadata.get("date", ""))
        self._context = (System(told_date(today)),) if today else ()
        self._halfway = False
        self._turn_began = 0
        self._turns = self._steps = 0
        self._acts: list[tuple[str, ...]] = []
        self._rewards: list[float] = []
        self._end: dict[str, Any] = {}
        self._error: str | None = None
        self._trace: Trace | None = None

    @property
    def observation(self) -> Observation:
        """What the agent sees now."""
        return Observation((*self._context, *self.messages), self.task.tools)

    @property
    def trace(self) -> Trace:
        """What has happened so far; of an episode that is over, with its outcome and scores."""
        return self._trace or self._traced()

    async def open(self) -> Step:
        """The user's first words."""
        if self.messages or self.over or self._halfway:
            raise UsageError("this episode has been opened already: begin another one")
        with self._moving():
            await self._user_speaks()
            if self.over and self._error is None:
                # Nobody can fail, or succeed, who had no turn.
                self._finish(str(self._end["ended"]), fault="user")
            return await self._told(0.0)

    async def step(self, action: Assistant | str) -> Step:
        """Take the agent's action.

        Raises:
            UsageError: when the episode is over or has not been opened, or the action is none.
            BudgetSpent: when the budget of a model that speaks for the user, a tool or the judge is spent. This episode stays
                unfinished; another one of the same seed, with a larger budget, pays nothing again that a cache holds.
        """
        self._require_open()
        taken = cast(object, Assistant(action) if isinstance(action, str) else action)
        if not isinstance(taken, Assistant):
            raise UsageError(f"an action is an Assistant message or its words, got a {type(taken).__name__}")
        with self._moving():
            return await self._step(writable(taken))

    async def _step(self, action: Assistant) -> Step:
        self.messages.append(action)
        self._steps += 1
        if action.tool_calls:
            await self._run(action)
            if not self.over and self._steps >= self._max_steps:
                error = f"the agent still calls tools after {self._max_steps} steps"
                self._finish("steps", fault="agent", error=error)
            return await self._told(await self._turn_reward() if self.over else 0.0)
        reward = await self._turn_reward()
        if self._turns >= self._max_turns:
            self._finish("turns", truncated=True)
        else:
            await self._user_speaks()
        return await self._told(reward)

    async def broke(self, error: AnswerError | ModelError) -> Step:
        """The agent gave no readable action, or its endpoint failed: the episode ends here."""
        self._require_open()
        with self._moving():
            self._finish("broken", fault="agent" if isinstance(error, AnswerError) else "endpoint", error=str(error))
            return await self._told(await self._turn_reward())

    @contextmanager
    def _moving(self) -> Generator[None]:
        # What raises in between has changed half of the state: neither the same action nor another one fits any more.
        self._halfway = True
        yield
        self._halfway = False

    def _require_open(self) -> None:
        if self._halfway:
            raise UsageError("the last step of this episode is not finished or was cut short: begin another one (reset)")
        if self.over:
            raise UsageError("this episode is over: begin another one (reset)")
        if not self.messages:
            raise UsageError("this episode has not been opened: call open() (reset) first")

    async def _run(self, action: Assistant) -> None:
        # A backend that waits for the world (`blocking`) must not hold up the other conversations.
        blocking = bool(getattr(self._backend, "blocking", False))
        for call in action.tool_calls:
            try:
                answer = asyncio.to_thread(execute, self._backend, call) if blocking else None
                self.messages.append(execute(self._backend, call) if answer is None else await answer)
            except BudgetSpent:
                raise
            except Exception as error:
                # A backend answers a model's faults; one that raises is broken, and the episode with it.
                self._finish("broken", fault="tool", error=f"tool {call.name!r} raised {type(error).__name__}: {error}")
                return

    async def _user_speaks(self) -> None:
        try:
            # What the user's model costs is not what the agent costs.
            with tallied():
                said = await self._speaker.speak(tuple(self.messages))
        except (UserFailed, ModelError) as error:
            self._finish("broken", fault="user", error=f"the user failed: {error}")
            return
        self._hear(said)

    def _hear(self, said: Utterance) -> None:
        if said.text or not said.ended:
            self._turn_began, self._steps = len(self.messages), 0
            self._turns += 1
            self._acts.append(said.acts)
            self.messages.append(User(said.text))
        if said.ended:
            self._finish(said.ended)

    def _finish(self, ended: str, *, truncated: bool = False, fault: str = "", error: str | None = None) -> None:
        self.over = True
        self._error = error
        self._end = {"ended": ended, **({"truncated": True} if truncated else {}), **({"fault": fault} if fault else {})}

    async def _turn_reward(self) -> float:
        if self._end.get("fault") in SPOILING or len(self.messages) == self._turn_began + 1:
            return 0.0
        earned = await self._paid(self._reward.of_turn(self.task, self._traced(), self._turn_began))
        return math.nan if earned is None else earned.value

    async def _told(self, reward: float) -> Step:
        if self.over:
            reward += await self._close(reward)
        else:
            self._rewards.append(reward)
        truncated = bool(self._end.get("truncated"))
        info = {"task": self.task.conversation_id, "turns": self._turns, **self._end}
        if self._trace is not None:
            info |= {"success": self._trace.scores.get("success"), "scores": dict(self._trace.scores)}
        if "unjudged" in self._facts:
            info["unjudged"] = self._facts["unjudged"]
        return Step(self.observation, reward, self.over and not truncated, truncated, info)

    async def _close(self, last: float) -> float:
        """Settle what the episode came to, and pay for it; `last` is what its last action had earned by itself."""
        happened = self._traced()
        reached = achieved(self.task, happened)
        success = is_success(reached, happened)
        if not success and (fault := blame(self.task, happened) or "agent"):
            self._end["fault"] = fault
        spoilt = not success and self._end["fault"] in SPOILING
        judged: Score | None = None
        # What was spoilt from outside is worth an unknown amount, what the agent broke nothing.
        if not spoilt:
            nothing = self._error is not None
            judged = Score(0.0) if nothing else await self._paid(self._reward.of_episode(self.task, self._traced()))
        paid = math.nan if judged is None else judged.value
        self._rewards.append(last + paid)
        total = math.fsum(self._rewards)
        self._trace = self._ended(
            outcome="spoilt" if spoilt else "success" if success else "failure",
            scores={
                **({} if spoilt else {"success": float(success)}),
                "goal": reached.share,
                **({} if math.isnan(total) else {"reward": total}),
            },
            facts={
                "rewards": [None if math.isnan(one) else one for one in self._rewards],
                "missing": list(reached.missing),
                **({"judge": msgspec.to_builtins(judged)} if judged is not None and judged.reason else {}),
            },
        )
        return paid

    async def _paid(self, reward: Awaitable[Score]) -> Score | None:
        try:
            # Nor is what a judge costs.
            with tallied():
                return await reward
        except JudgeFailed as error:
            self._facts["unjudged"] = str(error)
            return None

    def _ended(self, *, outcome: str, scores: Mapping[str, float], facts: Mapping[str, Any]) -> Trace:
        trace = self._traced()
        return msgspec.structs.replace(trace, outcome=outcome, scores=scores, metadata={**trace.metadata, **facts})

    def _traced(self) -> Trace:
        kept = {name: self.task.metadata[name] for name in ("date", "services") if name in self.task.metadata}
        return Trace(
            conversation_id=self.task.conversation_id,
            messages=tuple(self.messages),
            tools=self.task.tools,
            goal=self.task.goal,
            metadata={
                **kept,
                "task": self.task.conversation_id,
                **self._facts,
                "turns": self._turns,
                "acts": [list(acts) for acts in self._acts],
                "rungs": [message.source for message in self.messages if isinstance(message, Tool)],
                **self._end,
            },
            error=self._error,
        )


async def play_episode(agent: Agent, episode: Episode) -> Trace:
    """Let an agent play an episode to its end. What agent, endpoint, user or a tool gets wrong lands on the trace.

    Raises:
        BudgetSpent: when a model's budget does not allow another question.
    """
    step = await episode.open()
    while not step.over:
        seen: Sequence[Message] = step.observation.messages
        try:
            action = await agent.act(seen, step.observation.tools)
        except (AnswerError, ModelError) as error:
            step = await episode.broke(error)
        else:
            step = await episode.step(action)
    return episode.trace
