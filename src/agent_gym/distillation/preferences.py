"""Preference pairs: in one state, one assistant message that did better and one that did worse.

What a message is worth is the mean reward of the samples that decided so in that state: what else they decided afterwards is
averaged out. Which of two messages is chosen follows from these means and from nothing else; what cannot be told apart gives
no pair.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from agent_gym.distillation.decisions import Decision, decisions
from agent_gym.distillation.prompt import Row, chat_action, chat_rows, readable
from agent_gym.errors import UsageError
from agent_gym.messages import Assistant
from agent_gym.tools import ToolCatalog
from agent_gym.traces import Trace
from agent_gym.traces.trace import load_trace

SOURCES = ("best-worst", "gold-worst")
MARGIN = 0.1
RECORDED = 1.0
"""What the recorded answer is worth: metrics score against it."""
SAME = 1e-9
"""Two means as close as this are equal: rounding is no preference."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One decision, right and wrong."""

    task: str
    source: str
    """One of `SOURCES`."""
    prompt: list[Row]
    chosen: Row
    rejected: Row
    tools: list[Row]
    margin: float
    """By how much the chosen message is worth more, in (0, 1]."""

    def row(self) -> Row:
        """A row of TRL's conversational preference format; trainers pass over the last three fields."""
        return {
            "prompt": self.prompt,
            "chosen": [self.chosen],
            "rejected": [self.rejected],
            "tools": self.tools,
            "task": self.task,
            "source": self.source,
            "margin": self.margin,
        }


class NoPair(msgspec.Struct, frozen=True):
    """A decision that gives no pair."""

    reason: str


class Picked(msgspec.Struct, frozen=True):
    """Which of several messages is better, by their keys."""

    chosen: str
    rejected: str
    margin: float


class _Point(msgspec.Struct):
    """A state in which decisions were made."""

    rows: list[Row]
    tools: list[Row]
    actions: dict[str, Row] = {}
    rewards: list[tuple[str, float]] = []


def pick(source: str, rewards: Sequence[tuple[str, float]], recorded: str | None, margin: float = MARGIN) -> Picked | NoPair:
    """Which of the messages decided in one state is chosen, which rejected.

    Args:
        source: "best-worst" of the samples, or "gold-worst": the recorded message against the worst sample.
        rewards: of each sample, what it decided and the reward it came to, in [0, 1]; in any order.
        recorded: what the recorded system decided in this state; None when that is not known.
        margin: pairs whose messages differ by less are left out.
    """
    by_action: dict[str, list[float]] = {}
    for action, reward in rewards:
        by_action.setdefault(action, []).append(reward)
    if not by_action:
        return NoPair("no sample could be read")
    worth = {action: math.fsum(values) / len(values) for action, values in sorted(by_action.items())}
    # Equals are told apart by their text alone, on either side in the same way.
    worst = min(worth, key=lambda action: (worth[action], action))
    if source == "gold-worst":
        if recorded is None:
            return NoPair("nothing recorded in this state")
        if recorded == worst:
            return NoPair("the worst sample is what was recorded")
        best, value = recorded, RECORDED
    else:
        if len(rewards) == 1:
            return NoPair("only one sample in this state")
        if len(worth) == 1:
            return NoPair("all samples decided the same")
        best = min(worth, key=lambda action: (-worth[action], action))
        value = worth[best]
    difference = value - worth[worst]
    if difference <= SAME:
        return NoPair("a tie")
    if difference < margin - SAME:
        return NoPair("margin too small")
    return Picked(best, worst, difference)


def pairs_of(
    rollouts: Sequence[Trace], sources: Sequence[str] = SOURCES[:1], margin: float = MARGIN
) -> Iterator[Pair | NoPair]:
    """The pairs of one task, and why its other decisions give none.

    Args:
        rollouts: all samples of one task, each with a reward; their order does not matter.
        sources: the first that gives a pair in a state gives its one pair.
        margin: see `pick`.

    Raises:
        UsageError: for a source that there is not, or a margin outside of [0, 1].
    """
    require_sources(sources, margin)
    points: dict[bytes, _Point] = {}
    unreadable: set[bytes] = set()
    for rollout in sorted(rollouts, key=lambda rollout: rollout.conversation_id):
        for decision in decisions(rollout):
            if (point := _point(points, decision)) is None:
                unreadable.add(_key(decision.messages))
            elif readable(decision.action):
                action = chat_action(decision.action, decision.messages)
                point.actions[_key(action).decode()] = action
                point.rewards.append((_key(action).decode(), rollout.scores["reward"]))
    for _ in unreadable:
        yield NoPair("a call before it cannot be read")
    if not points:
        return
    recorded = _recorded(rollouts[0])
    for state, point in points.items():
        yield _pair(str(rollouts[0].metadata["task"]), point, recorded.get(state), sources, margin)


def require_sources(sources: Sequence[str], margin: float) -> None:
    """Refuse what pairs cannot be made of.

    Raises:
        UsageError: see `pairs_of`.
    """
    if unknown := [source for source in sources if source not in SOURCES]:
        raise UsageError(f"there is no source {unknown[0]!r} of pairs: take {' or '.join(SOURCES)}")
    if not sources:
        raise UsageError(f"pairs need a source: take {' or '.join(SOURCES)}")
    if not 0 <= margin <= 1:
        raise UsageError(f"a margin is between 0 and 1, as rewards are, got {margin}")


def same_state(pair: Pair) -> bytes:
    """Of all pairs with one state, tools included, the same bytes."""
    return _key([pair.prompt, pair.tools])


def _point(points: dict[bytes, _Point], decision: Decision) -> _Point | None:
    if not all(readable(message) for message in decision.messages if isinstance(message, Assistant)):
        return None
    rows = chat_rows(decision.messages)
    return points.setdefault(_key(rows), _Point(rows, ToolCatalog(decision.tools).openai_tools()))


def _pair(task: str, point: _Point, recorded: Row | None, sources: Sequence[str], margin: float) -> Pair | NoPair:
    actions = dict(point.actions)
    known = None
    if recorded is not None:
        known = _key(recorded).decode()
        actions.setdefault(known, recorded)
    picked: Picked | NoPair = NoPair("")
    for source in sources:
        picked = pick(source, point.rewards, known, margin)
        if isinstance(picked, Picked):
            return Pair(
                task=task,
                source=source,
                prompt=point.rows,
                chosen=actions[picked.chosen],
                rejected=actions[picked.rejected],
                tools=point.tools,
                margin=picked.margin,
            )
    return picked


def _recorded(rollout: Trace) -> Mapping[bytes, Row]:
    """By state, what the recorded system did there."""
    kept: Any = rollout.metadata.get("expected")
    if not kept:
        return {}
    answer = load_trace({"conversation_id": "", "messages": kept}).messages
    before = rollout.messages[: int(rollout.metadata["start"]) + 1]
    told = decisions(msgspec.structs.replace(rollout, messages=(*before, *answer)))
    found: dict[bytes, Row] = {}
    for decision in told:
        if all(readable(message) for message in (*decision.messages, decision.action) if isinstance(message, Assistant)):
            found[_key(chat_rows(decision.messages))] = chat_action(decision.action, decision.messages)
    return found


def _key(value: Any) -> bytes:
    return msgspec.json.encode(value, order="deterministic")
