"""A trajectory while it goes on, and what it comes to when it is closed."""

import math
from dataclasses import dataclass, field
from typing import Any

from agent_gym.actions import StructuredAction
from agent_gym.environment.trajectories.trajectory import Ending, Trajectory, Turn
from agent_gym.messages import Message, ToolSpec, User
from agent_gym.metrics import Score
from agent_gym.traces import Trace

OUTCOMES = {True: "success", False: "failure", None: "unknown"}


@dataclass
class OpenTrajectory:
    """What has happened so far."""

    id: str
    goal: str
    system: str
    """What the agent is told beside the conversation."""
    turns: list[Turn] = field(default_factory=list[Turn])
    paid: set[StructuredAction] = field(default_factory=set[StructuredAction])
    """The actions that have earned their reward."""
    ended: Ending | None = None
    last_words: str = ""
    """What the user said at the end, when nobody answered any more."""
    error: str | None = None
    fault: str = ""
    """Whose failure broke it: of the "agent", its "endpoint" or the "user"."""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    """What else the trace's metadata shall hold."""

    def broke(self, fault: str, error: str) -> None:
        """End it with a failure of agent, endpoint or user."""
        self.ended, self.fault, self.error = "broken", fault, error

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation."""
        said = [message for turn in self.turns for message in turn.messages]
        return (*said, User(self.last_words)) if self.last_words else tuple(said)

    def trace(self, tools: tuple[ToolSpec, ...]) -> Trace:
        """What a judge is shown."""
        return Trace(conversation_id=self.id, messages=self.messages, tools=tools, metadata={"goal": self.goal})

    def closed(
        self, tools: tuple[ToolSpec, ...], score: Score | None, unjudged: str, *, judged: bool, weight: float, threshold: float
    ) -> Trajectory:
        """What it came to.

        Args:
            tools: what the agent could do.
            score: the judge's.
            unjudged: why there is none.
            judged: there is a judge.
            weight: times the judge's score, for the whole.
            threshold: from which score on a completed task is a success.
        """
        unknown = bool(unjudged) or self.fault in ("endpoint", "user")
        earned = math.nan if unknown else weight * score.value if score is not None else 0.0
        reached = self.ended == "completed" and (score is None or score.value >= threshold)
        success = None if self.fault in ("endpoint", "user") or (reached and unjudged) else reached
        actions = math.fsum(turn.reward for turn in self.turns)
        rewards = [0.0, *(turn.reward for turn in self.turns), *([None if unknown else earned] if judged else [])]
        trace = Trace(
            conversation_id=self.id,
            messages=self.messages,
            tools=tools,
            outcome=OUTCOMES[success],
            scores={
                **({} if success is None else {"success": float(success)}),
                **({} if score is None else {"judge": score.value}),
                **({} if unknown else {"reward": actions + earned}),
            },
            metadata=self._facts(score, unjudged, rewards),
            error=self.error,
        )
        return Trajectory(
            id=self.id,
            goal=self.goal,
            system=self.system,
            turns=tuple(self.turns),
            ended=self.ended or "stopped",
            final_success=success,
            judge=score,
            unjudged=unjudged,
            judge_reward=earned,
            trace=trace,
        )

    def _facts(self, score: Score | None, unjudged: str, rewards: list[float | None]) -> dict[str, Any]:
        verdict = {} if score is None else {"value": score.value, "parts": dict(score.parts), "reason": score.reason}
        return {
            "goal": self.goal,
            **self.facts,
            "ended": self.ended or "stopped",
            **({"truncated": True} if self.ended == "turns" else {}),
            **({"fault": self.fault} if self.fault else {}),
            "turns": len(self.turns),
            "effects": [list(turn.effects) for turn in self.turns],
            # As every rollout keeps them: the opening, each step, and what was paid at the end.
            "rewards": rewards,
            **({"judge": verdict} if verdict else {}),
            **({"unjudged": unjudged} if unjudged else {}),
        }
