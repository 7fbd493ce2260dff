"""Where an agent leaves the recorded path, and how much of a log can therefore judge it.

The recorded user says what the recorded user said. As long as the agent makes the recorded calls, those words answer it, and
the log can judge it. At the first turn in which its calls differ, what the user says next was said to somebody else: from
there on the conversation can no longer be judged from the log.

A further call that only looks something up, or is refused, leaves nothing behind, so it does not end the path. Words are not
compared: an agent that asks another question than the recorded one makes another call later, and is seen then.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from agent_gym.environment.episode import SPOILING
from agent_gym.errors import ArgumentsError
from agent_gym.evaluation.statistics import bootstrap_interval
from agent_gym.lm.prompt import render_action
from agent_gym.messages import Assistant, Message, ToolCall, User
from agent_gym.metrics import CallCounts, count_calls
from agent_gym.tools.mocker import is_same_call
from agent_gym.tools.recordings import answered_calls
from agent_gym.traces import Trace
from agent_gym.traces.task import Task, calls_of, tasks_of

MISSED, EXTRA, WRONG, BROKE = "missed a call", "made a further call", "called with other arguments", "broke off"


class FollowedPath(msgspec.Struct, frozen=True, kw_only=True):
    """How far one conversation followed its recording."""

    id: str
    turns: int
    """Recorded turns of the user that were answered; of a conversation that `max_turns` cut short, those that were played."""
    followed: int
    """Of these, the turns before the agent left the path: what the log can judge."""
    reason: str = ""
    """Why it left; empty when it followed the path to the end."""
    user: str = ""
    """What the user had said there."""
    expected: tuple[str, ...] = ()
    """The recorded calls of that turn, as a model writes them."""
    played: tuple[str, ...] = ()
    """The agent's calls of that turn."""
    calls: CallCounts = CallCounts()
    """Over the turns that the log can judge, the one where it left included."""
    spoilt: str = ""
    """Whose fault it is that nothing is known of the rest: the agent's "endpoint", the "user" or a "tool" failed."""

    @property
    def known(self) -> bool:
        """It says something: it was played until the agent left the path or to its end, and there was a turn to play."""
        return not self.spoilt and self.turns > 0

    @property
    def judged_to_the_end(self) -> bool:
        """The log judges the whole conversation."""
        return self.known and not self.reason


class PathReport(msgspec.Struct, frozen=True, kw_only=True):
    """How far an agent follows recorded conversations. Shares are in [0, 1]."""

    n: int
    """Conversations that were played."""
    failed: int
    """Conversations that the agent's endpoint, the user or a tool cut short, or in whose record nothing was answered: left out
    of everything else."""
    on_path: float
    """Of the conversations, those that followed the path to the end."""
    interval: tuple[float, float]
    """95 % bootstrap interval of that."""
    judged_turns: float
    """Of all recorded turns, the share that the log can judge."""
    reasons: dict[str, int]
    """Why conversations left the path."""
    call_precision: float
    call_recall: float
    call_f1: float
    """Over the turns that the log can judge."""
    paths: tuple[FollowedPath, ...] = ()

    def headline(self) -> dict[str, Any]:
        """The report without its paths, as JSON values."""
        return {name: value for name, value in msgspec.to_builtins(self).items() if name != "paths"}


def follow(recorded: Trace, episode: Trace) -> FollowedPath:
    """How far an episode played with the recorded user follows the recording."""
    tasks = list(tasks_of(recorded))
    played = _played(recorded, tasks, episode.messages)
    transactional = {spec.name for spec in recorded.tools if spec.transactional}
    fault = str(episode.metadata.get("fault", "")) if episode.error is not None else ""
    turns = len(played) if episode.metadata.get("truncated") else len(tasks)
    counts = CallCounts()
    for number, (task, (done, is_last)) in enumerate(zip(tasks, played, strict=False)):
        ended = fault if is_last else ""
        if ended in SPOILING:
            return FollowedPath(id=recorded.conversation_id, turns=turns, followed=number, calls=counts, spoilt=ended)
        counts += count_calls(task, Trace(conversation_id=task.id, messages=(*task.prompt, *done)))
        if reason := BROKE if ended else _difference(task.expected_calls, done, transactional):
            return FollowedPath(
                id=recorded.conversation_id,
                turns=turns,
                followed=number,
                reason=reason,
                user=getattr(task.prompt[-1], "content", ""),
                expected=_written(task.expected),
                played=_written(done),
                calls=counts,
            )
    return FollowedPath(id=recorded.conversation_id, turns=turns, followed=turns, calls=counts)


def summarize_paths(paths: Iterable[FollowedPath]) -> PathReport:
    """Paths as a report."""
    ordered = sorted(paths, key=lambda one: one.id)
    known = [one for one in ordered if one.known]
    whole = [float(one.judged_to_the_end) for one in known]
    turns = sum(one.turns for one in known)
    counts = sum((one.calls for one in known), CallCounts())
    return PathReport(
        n=len(known),
        failed=len(ordered) - len(known),
        on_path=math.fsum(whole) / len(whole) if whole else 0.0,
        interval=bootstrap_interval(whole),
        judged_turns=sum(one.followed for one in known) / turns if turns else 0.0,
        reasons=dict(Counter(one.reason for one in known if one.reason).most_common()),
        call_precision=counts.precision,
        call_recall=counts.recall,
        call_f1=counts.f1,
        paths=tuple(ordered),
    )


def _played(recorded: Trace, tasks: Sequence[Task], messages: Sequence[Message]) -> list[tuple[tuple[Message, ...], bool]]:
    """What the agent did in each task that it came to, and whether the episode ended there.

    Words that nobody answered in the record are a turn of the episode all the same: what the agent did then, it did before the
    recorded system spoke.
    """
    said = [index for index, message in enumerate(recorded.messages) if isinstance(message, User)]
    starts = [index for index, message in enumerate(messages) if isinstance(message, User)]
    ends = [*starts, len(messages)]
    played: list[tuple[tuple[Message, ...], bool]] = []
    first = 0
    for task in tasks:
        if first >= len(starts):
            break
        behind = min(said.index(task.start) + 1, len(starts))
        done = messages[starts[first] + 1 : ends[behind]]
        played.append((tuple(message for message in done if not isinstance(message, User)), behind == len(starts)))
        first = behind
    return played


def _difference(expected: Sequence[ToolCall], played: tuple[Message, ...], transactional: set[str]) -> str:
    left = calls_of(played)
    for call in expected:
        found = next((one for one in left if _same(call, one)), None)
        if found is None:
            return WRONG if any(one.name == call.name for one in left) else MISSED
        left.remove(found)
    done = [call for call, answer in answered_calls(Trace(conversation_id="", messages=played)) if answer.error is None]
    return EXTRA if any(one.name in transactional and one in done for one in left) else ""


def _same(recorded: ToolCall, made: ToolCall) -> bool:
    try:
        return is_same_call(recorded, made.name, made.parsed())
    except ArgumentsError:
        return (recorded.name, recorded.arguments) == (made.name, made.arguments)


def _written(messages: Sequence[Message]) -> tuple[str, ...]:
    return tuple(render_action(message) for message in messages if isinstance(message, Assistant) and message.tool_calls)
