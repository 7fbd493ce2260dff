"""A task in a workspace, turn by turn: the user says something, the agent answers with words and actions, the actions are done.

    env = MultiTurnEnvironment(llm_judge=judge)
    trajectory_id = env.start_new_trajectory("Integrate the payments API")
    turn, is_complete = await env.process_turn("Please create the config", f"Sure.\\n```json\\n{action.to_json()}\\n```")
    trajectory = await env.finalize_trajectory()

Structured actions are tool calls; the agent sees their results with the next turn, errors included. An action earns its reward
when it had an effect, and once: doing the same again is worth nothing. At the end a judge scores the whole.

What is not covered: two files that differ in one letter are two effects. An agent that is trained on action rewards alone will
find that out; the judge's part is there against it, and `max_turns` and `max_actions` bound it.
"""

import asyncio
import math
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, Self

from agent_gym.actions import ActionType, StructuredAction
from agent_gym.agents.base import Agent
from agent_gym.agents.production_ready import BROKEN, read_answer
from agent_gym.environment.trajectories.open_trajectory import OpenTrajectory
from agent_gym.environment.trajectories.trajectory import Effect, Trajectory, Turn
from agent_gym.environment.trajectories.workspaces import Workspaces
from agent_gym.environment.users.base import User as SimulatedUser
from agent_gym.errors import AnswerError, ArgumentsError, JudgeFailed, ModelError, UsageError, UserFailed
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolResult, ToolSpec, User
from agent_gym.metrics import Score
from agent_gym.tools.workspace import Workspace, had_effect
from agent_gym.traces import Trace

MAX_TURNS = 20
MAX_ACTIONS = 32
"""Actions of one message that are done."""
SYSTEM = "You are an assistant who works on a task in a workspace of files, with tools. Say when the task is complete."


class TrajectoryJudge(Protocol):
    """Scores a whole conversation; `LLMJudge` is one.

    Raises:
        JudgeFailed: when it gives no score.
    """

    async def judge_episode(self, trace: Trace, goal: str | None = None) -> Score: ...


class MultiTurnEnvironment:
    """One trajectory after the other; for several at once make several environments, which share nothing.

    Args:
        llm_judge: scores a trajectory when it is finalized; without one only actions earn.
        workspace: makes the workspace of a trajectory in a folder that is new and empty, e.g.
            `lambda folder: Workspace(folder, hosts=["api.example.com"])`; or a workspace of yours, for one trajectory. It
            also says which actions there are.
        root: where these folders are made, and stay. Without it they are temporary: a folder is there until the next
            trajectory starts or the environment is closed (`close()`, `with`), at the latest until it is garbage.
        system: what the agent is told beside the goal and the conversation.
        action_reward: for each valid action that had an effect, once for the same action.
        judge_weight: times the judge's score, for the whole.
        success_threshold: the judge's score, in [0, 1], from which on a completed task is a success; half of a judge's scale
            is, in the built-in rubric, what a hurried clerk would have done.
        max_turns: turns after which a trajectory is cut short.
        max_actions: actions of one message that are done; the rest is answered with an error.

    Raises:
        UsageError: for a number that makes no sense.
    """

    def __init__(
        self,
        llm_judge: TrajectoryJudge | None = None,
        *,
        workspace: Workspace | Callable[[Path], Workspace] = Workspace,
        root: Path | str | None = None,
        system: str = SYSTEM,
        action_reward: float = 0.5,
        judge_weight: float = 1.0,
        success_threshold: float = 0.5,
        max_turns: int = MAX_TURNS,
        max_actions: int = MAX_ACTIONS,
    ) -> None:
        if max_turns < 1 or max_actions < 1:
            raise UsageError(f"a trajectory has at least one turn and one action, got {max_turns=}, {max_actions=}")
        if not 0 <= success_threshold <= 1:
            raise UsageError(f"success_threshold is {success_threshold}; a judge's scores are in [0, 1]")
        if not (math.isfinite(action_reward) and math.isfinite(judge_weight)):
            raise UsageError(f"rewards are finite numbers, got {action_reward=}, {judge_weight=}")
        self._judge, self._system = llm_judge, system
        self._action_reward, self._judge_weight, self._threshold = action_reward, judge_weight, success_threshold
        self._max_turns, self._max_actions = max_turns, max_actions
        self._workspaces = Workspaces(workspace, None if root is None else Path(root))
        self._open: OpenTrajectory | None = None
        self._busy = False

    def start_new_trajectory(
        self, goal: str, *, files: Mapping[str, str] | None = None, trajectory_id: str | None = None
    ) -> str:
        """Begin a task.

        Args:
            goal: what is to be done; agent and judge are told.
            files: path to text of what the workspace holds at the beginning.
            trajectory_id: its name; a new one, which nothing else has, when left out.

        Returns:
            The trajectory's id.

        Raises:
            UsageError: while another trajectory is under way, or for files that the workspace refuses.
        """
        if self._open is not None:
            raise UsageError(f"trajectory {self._open.id!r} is under way: finalize_trajectory() it before starting another")
        workspace = self._workspaces.following()
        for path, content in (files or {}).items():
            if error := workspace.call(ActionType.CREATE_FILE, {"path": path, "content": content}).error:
                raise UsageError(f"the workspace refuses {path!r}, which it should hold at the beginning: {error}")
        name = trajectory_id or f"trajectory-{uuid.uuid4().hex[:12]}"
        self._open = OpenTrajectory(name, goal, f"{self._system}\n\nTask: {goal}")
        return name

    async def process_turn(self, user_message: str, agent_response: str | Assistant) -> tuple[Turn, bool]:
        """Take what user and agent said, and do the agent's actions.

        Args:
            user_message: the user's words.
            agent_response: the agent's text, actions in it; or the message of an `Agent`.

        Returns:
            The turn with its results and reward; and whether the trajectory is complete: the agent completed the task, or
            `max_turns` is reached.

        Raises:
            UsageError: when no trajectory is under way, it is complete, or another turn of it is being done.
        """
        with self._alone() as under_way:
            if under_way.ended:
                raise UsageError(f"trajectory {under_way.id!r} is over ({under_way.ended}): finalize_trajectory() it")
            turn = await self._turn(under_way, user_message, agent_response)
            under_way.turns.append(turn)
            if _completes(turn):
                under_way.ended = "completed"
            elif turn.number >= self._max_turns:
                under_way.ended = "turns"
            return turn, under_way.ended is not None

    async def finalize_trajectory(self, *, last_words: str = "") -> Trajectory:
        """End the trajectory, complete or not, and have it judged.

        A judge that fails leaves it without a judge's part: `unjudged` says why, `total_reward` is NaN, and of a completed task
        `final_success` is None. The judge is not asked about a trajectory without turns, nor about one that broke.

        Args:
            last_words: what the user said in the end, to which there is no answer.

        Raises:
            UsageError: when no trajectory is under way.
            BudgetSpent: when the budget does not allow the judge's question; the trajectory stays, to be finalized later.
        """
        with self._alone() as under_way:
            under_way.last_words = last_words
            tools, score, unjudged = self.tools, None, ""
            if self._judge is not None and under_way.turns and not under_way.fault:
                try:
                    score = await self._judge.judge_episode(under_way.trace(tools), under_way.goal)
                except JudgeFailed as error:
                    unjudged = str(error)
            self._open = None
        return under_way.closed(
            tools,
            score,
            unjudged,
            judged=self._judge is not None,
            weight=self._judge_weight,
            threshold=self._threshold,
        )

    async def play(
        self,
        agent: Agent,
        user: SimulatedUser,
        goal: str,
        *,
        seed: int = 0,
        files: Mapping[str, str] | None = None,
        trajectory_id: str | None = None,
    ) -> Trajectory:
        """Let an agent and a simulated user work on a task to its end; what one of them gets wrong lands on the trace.

        Args:
            agent: acts; one message a turn.
            user: talks.
            goal: what is to be done.
            seed: decides what the user says where it has a choice.
            files: as in `start_new_trajectory`.
            trajectory_id: as in `start_new_trajectory`.

        Raises:
            UsageError: as `start_new_trajectory`.
            BudgetSpent: when a model's budget does not allow another question.
        """
        name = self.start_new_trajectory(goal, files=files, trajectory_id=trajectory_id)
        under_way = self._under_way()
        under_way.facts.update(user=user.name, seed=seed)
        speaker = user.begin(Trace(conversation_id=name, messages=(), tools=self.tools, metadata={"goal": goal}), seed)
        last_words = ""
        while not under_way.ended:
            try:
                said = await speaker.speak(under_way.messages)
            except (UserFailed, ModelError) as error:
                under_way.broke("user", f"the user failed: {error}")
                break
            if said.ended:
                last_words = said.text
                under_way.facts["user_left"] = said.ended
                break
            try:
                action = await agent.act((*self.messages, User(said.text)), self.tools)
            except (AnswerError, ModelError) as error:
                under_way.broke("agent" if isinstance(error, AnswerError) else "endpoint", str(error))
                # What the agent could not answer was said all the same.
                last_words = said.text
                break
            await self.process_turn(said.text, action)
        return await self.finalize_trajectory(last_words=last_words)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What an agent sees: what it is told, the goal, and the conversation so far.

        Raises:
            UsageError: when no trajectory is under way.
        """
        under_way = self._under_way()
        return (System(under_way.system), *under_way.messages)

    @property
    def workspace(self) -> Workspace:
        """Where actions are done, or were in the last trajectory.

        Raises:
            UsageError: when there is none.
        """
        return self._workspaces.current

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """What an agent can do in the workspace."""
        return tuple(self.workspace.catalog.values())

    def close(self) -> None:
        """Drop the trajectory under way, if there is one, and remove the temporary folder."""
        self._open = None
        self._workspaces.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _under_way(self) -> OpenTrajectory:
        if self._open is None:
            raise UsageError("no trajectory is under way: call start_new_trajectory(goal) first")
        return self._open

    @contextmanager
    def _alone(self) -> Generator[OpenTrajectory]:
        under_way = self._under_way()
        if self._busy:
            raise UsageError(f"trajectory {under_way.id!r} is at work on a turn: await it before the next call")
        self._busy = True
        try:
            yield under_way
        finally:
            self._busy = False

    async def _turn(self, under_way: OpenTrajectory, words: str, answer: str | Assistant) -> Turn:
        said = answer if isinstance(answer, Assistant) else read_answer(answer, self.workspace.actions)
        number = len(under_way.turns) + 1
        calls = [
            ToolCall(call.name, call.arguments, f"call_{number}_{place}") for place, call in enumerate(said.tool_calls, start=1)
        ]
        reward = 0.0
        results: list[Tool] = []
        effects: list[Effect] = []
        for place, call in enumerate(calls):
            effect, result = await self._done(call) if place < self._max_actions else ("refused", self._too_many())
            results.append(result.message(call))
            effects.append(effect)
            if effect in ("changed", "read"):
                action = StructuredAction.from_tool_call(call, self.workspace.actions)
                reward += 0.0 if action in under_way.paid else self._action_reward
                under_way.paid.add(action)
        return Turn(
            number=number,
            user=User(words.encode(errors="replace").decode()),
            assistant=Assistant(said.content, tuple(calls)),
            text=answer if isinstance(answer, str) else said.content,
            results=tuple(results),
            effects=tuple(effects),
            reward=reward,
        )

    async def _done(self, call: ToolCall) -> tuple[Effect, ToolResult]:
        try:
            arguments = call.parsed()
        except ArgumentsError as error:
            reason = call.arguments if call.arguments.startswith(BROKEN) else str(error)
            return "broken", ToolResult(error=reason, source="refused")
        # An API takes its time to answer; other trajectories go on meanwhile.
        result = await asyncio.to_thread(self.workspace.call, call.name, arguments)
        if result.error is not None:
            return "refused", result
        return ("read" if result.note == "read" else "changed") if had_effect(result) else "unchanged", result

    def _too_many(self) -> ToolResult:
        return ToolResult(
            error=f"not done: a message may hold {self._max_actions} actions, send the others next turn", source="refused"
        )


def _completes(turn: Turn) -> bool:
    return any(result.name == ActionType.COMPLETE_TASK and result.error is None for result in turn.results)
