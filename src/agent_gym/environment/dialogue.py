"""Conversations with a user who reacts, as an environment in Gymnasium's sense.

    env = SGDEnvironment("data/sample", split="dev", user="agenda")
    observation, info = env.reset(seed=7)
    observation, reward, terminated, truncated, info = env.step(Assistant("Which city?"))

An observation is the conversation so far and the tools; an action is one assistant message. `reset` and `step` are synchronous;
whoever plays many episodes at once takes `episode(...)` and awaits (`rollout_many`).
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent_gym.environment.episode import MAX_STEPS, MAX_TURNS, Episode, Observation
from agent_gym.environment.rewards import Reward, make_reward
from agent_gym.environment.users.base import User
from agent_gym.errors import UsageError
from agent_gym.lm.loop import run_sync
from agent_gym.messages import Assistant
from agent_gym.tools import ToolBackend
from agent_gym.traces import Trace

Stepped = tuple[Observation, float, bool, bool, dict[str, Any]]


class DialogueEnvironment:
    """Tasks, tools that answer in them, a user who wants them done, and what that is worth.

    Args:
        tasks: recorded conversations; the goal of one is what an episode is about.
        tools: makes the tool backend of a task.
        user: talks with the agent.
        reward: by default 1 at the end for a success.
        max_turns: user turns after which an episode is truncated.
        max_steps: steps that an agent may take for one user turn; more end the episode as its failure.

    Raises:
        UsageError: when there are no tasks.
    """

    def __init__(
        self,
        tasks: Sequence[Trace],
        tools: Callable[[Trace], ToolBackend],
        user: User,
        reward: Reward | None = None,
        *,
        max_turns: int = MAX_TURNS,
        max_steps: int = MAX_STEPS,
    ) -> None:
        if not tasks:
            raise UsageError("an environment needs at least one task, got none")
        self.tasks = tuple(tasks)
        self.user = user
        self.reward = make_reward() if reward is None else reward
        self._tools = tools
        self.max_turns, self.max_steps = max_turns, max_steps
        self._by_id = {task.conversation_id: task for task in self.tasks}
        self._random = random.Random()
        self._episode: Episode | None = None

    def episode(self, task: Trace, seed: int = 0) -> Episode:
        """A conversation about a task, to be opened and played; as many at once as one likes."""
        return Episode(
            task,
            self._tools(task),
            self.user.begin(task, seed),
            self.reward,
            max_turns=self.max_turns,
            max_steps=self.max_steps,
            facts={"user": self.user.name, "seed": seed},
        )

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode: the user speaks first.

        Args:
            seed: decides the task, unless `options` name one, and what the user does; the same seed gives the same episode.
                Without one the environment goes on drawing from the seed it was last given.
            options: `task`, the id of the conversation to play.

        Returns:
            The first observation, and facts: the task's id, the seed, the turns so far.

        Raises:
            UsageError: when there is no such task.
        """
        if seed is not None:
            self._random = random.Random(seed)
        drawn, own = self._random.randrange(len(self.tasks)), self._random.getrandbits(32)
        name = (options or {}).get("task")
        task = self.tasks[drawn] if name is None else self._by_id.get(str(name))
        if task is None:
            raise UsageError(f"there is no task {name!r}; there are {len(self.tasks)}, e.g. {self.tasks[0].conversation_id!r}")
        self._episode = self.episode(task, own)
        opened = run_sync(self._episode.open())
        return opened.observation, {**opened.info, "seed": own}

    def step(self, action: Assistant | str) -> Stepped:
        """Take the agent's action: a message with calls, or words.

        Returns:
            observation: the conversation after tools and user have answered.
            reward: what this action earned, 0 or more; NaN when a judge failed, or something else than the agent spoilt the
                episode.
            terminated: the conversation came to its own end: the user left, something broke, or the agent kept calling.
            truncated: `max_turns` cut it short.
            info: the task's id, turns so far; at the end `ended`, `success`, `scores`, `fault`; `unjudged` when a judge failed.

        Raises:
            UsageError: when there is no episode under way, or the action is none.
            BudgetSpent: see `Episode.step`.
        """
        if self._episode is None:
            raise UsageError("no episode is under way: call reset() first")
        done = run_sync(self._episode.step(action))
        return done.observation, done.reward, done.terminated, done.truncated, dict(done.info)

    @property
    def trace(self) -> Trace:
        """What has happened in the episode under way or just ended.

        Raises:
            UsageError: when there has been none.
        """
        if self._episode is None:
            raise UsageError("no episode has been played: call reset() first")
        return self._episode.trace
