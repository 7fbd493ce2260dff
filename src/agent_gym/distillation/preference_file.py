"""From a file of rollouts to a file of pairs, task by task: only where each rollout stands is held, never the rollouts.

JSON lines, a pair a line, in TRL's conversational preference format with tools (`prompt`, `chosen`, `rejected`, `tools`). Two
runs on the same rollouts, in whichever order they were played, write the same bytes.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO

import msgspec

from agent_gym.distillation.preference_report import PreferenceCounts, PreferenceReport
from agent_gym.distillation.preferences import MARGIN, SOURCES, NoPair, Pair, pairs_of, require_sources, same_state
from agent_gym.errors import DataError, UsageError
from agent_gym.files import check_writable, written_whole
from agent_gym.traces import Trace
from agent_gym.traces.line import BROKEN, decode_trace


class _Metadata(msgspec.Struct):
    task: str


class _Head(msgspec.Struct):
    """What is read of a rollout to know where it belongs."""

    metadata: _Metadata
    scores: dict[str, float] = {}


_decoder = msgspec.json.Decoder(_Head)


def write_preferences(
    rollouts: Path | str, output: Path | str, sources: Sequence[str] = SOURCES[:1], margin: float = MARGIN
) -> PreferenceReport:
    """Make pairs of the decisions in a file of rollouts.

    A pair that came up before, in another task of the same words, is not written again, nor is one that says the opposite.

    Args:
        rollouts: what `collect_turns` or `rollout_many` wrote.
        output: JSON lines, written atomically.
        sources: "best-worst" and "gold-worst"; the first that gives a pair for a decision gives its one pair.
        margin: by how much the chosen side must be worth more, in [0, 1]; equals never give a pair.

    Raises:
        UsageError: for what can be known to go wrong, and when not one pair is found: nothing is written then.
        DataError: when the file holds something else than rollouts.
    """
    source, target = Path(rollouts), Path(output)
    require_sources(sources, margin)
    if not source.is_file():
        raise UsageError(f"there is no file of rollouts {str(source)!r}: make one with `agent-gym rollouts`")
    if target.is_dir():
        raise UsageError(f"pairs cannot be kept in {str(target)!r}: it is a folder; choose another output")
    if target.exists() and target.samefile(source):
        raise UsageError(f"{str(target)!r} holds the rollouts: choose another output for the pairs")
    check_writable(target.parent)
    counts = PreferenceCounts()
    places = _places(source, counts)
    met: set[bytes] = set()
    with source.open("rb") as lines, written_whole(target) as out:
        # By name, because rollouts end in another order each time.
        for task in sorted(places):
            for found in pairs_of(list(_read(lines, places[task])), sources, margin):
                told = _once(found, met)
                counts.add(told)
                if isinstance(told, Pair):
                    out.write(msgspec.json.encode(told.row()) + b"\n")
        report = counts.report()
        if not report.pairs:
            raise UsageError(_nothing(report))
    return report


def _places(path: Path, counts: PreferenceCounts) -> dict[str, list[int]]:
    """Task to where its rollouts begin, in bytes; those without a reward are counted and left out."""
    places: dict[str, list[int]] = {}
    start = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    head = _decoder.decode(line)
                except BROKEN as error:
                    raise DataError(
                        f"{path}, line {number}, is no rollout ({error}): take a file that `agent-gym rollouts` wrote; "
                        "the same command again mends one that was cut short"
                    ) from error
                counts.rollouts += 1
                if "reward" in head.scores:
                    places.setdefault(head.metadata.task, []).append(start)
                else:
                    counts.unscored += 1
            start += len(line)
    counts.tasks = len(places)
    return places


def _read(lines: IO[bytes], places: Sequence[int]) -> Iterator[Trace]:
    for place in places:
        lines.seek(place)
        yield decode_trace(lines.readline())


def _once(found: Pair | NoPair, met: set[bytes]) -> Pair | NoPair:
    if isinstance(found, NoPair):
        return found
    state = same_state(found)
    told, opposite = _digest(state, found.chosen, found.rejected), _digest(state, found.rejected, found.chosen)
    if told in met:
        return NoPair("a pair that came up before")
    if opposite in met:
        return NoPair("the opposite of a pair that came up before")
    met.add(told)
    return found


def _digest(state: bytes, chosen: object, rejected: object) -> bytes:
    sides = msgspec.json.encode([chosen, rejected], order="deterministic")
    return blake2b(state + b"\0" + sides, digest_size=16).digest()


def _nothing(report: PreferenceReport) -> str:
    if not report.decisions:
        return f"no pair: none of the {report.rollouts} rollouts has a decision with a reward"
    why = ", ".join(f"{reason} {count}" for reason, count in report.without.items())
    return (
        f"no pair: none of {report.decisions} decisions gave one ({why}); play with more samples or a higher temperature, "
        "ask for a smaller margin, or take another source"
    )
