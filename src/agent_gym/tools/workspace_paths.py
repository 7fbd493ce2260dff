"""Which names a file of a workspace may have: the same on every system, so that a trajectory can be played anywhere.

A path is names joined by `/`. What any system gives a meaning beyond that is refused here, before the file system sees it:
ways out (`..`, a leading `/` or `~`, drive letters, backslashes), Windows' devices and streams, characters that hide what a
name says, and characters that only look like a `/` or a `.` until something folds them.
"""

import unicodedata

LONGEST_PATH = 1024
LONGEST_NAME = 255
"""Bytes in UTF-8."""
DEEPEST = 16
"""Names in a path."""
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    port + digit for port in ("com", "lpt") for digit in "0123456789¹²³"
}
_REPOSITORIES = {".git", "git~1"}
"""What stands in there is run by the next git command of whoever owns the folder."""
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories: controls, formats (directions, joiners), halves of surrogate pairs, line and paragraph ends."""


class Refused(Exception):
    """What an agent asked for is not done; the message is what the agent sees."""


def names_of(path: str) -> tuple[str, ...]:
    """The names that lead from the root to a file.

    Raises:
        Refused: when the path leads out, or no portable file could be called so.
    """
    folded = unicodedata.normalize("NFKC", path) if len(path) <= LONGEST_PATH else path
    fault = _fault_of_path(path) or _fault_of_path(folded)
    if fault or folded.count("/") != path.count("/"):
        fault = fault or "holds what only looks like a /"
        raise Refused(f"path {_shown(path)} {fault}: name a file below the workspace's root, such as notes/plan.md")
    return tuple(path.split("/"))


def _fault_of_path(path: str) -> str | None:
    if not path:
        return "is empty"
    if len(path) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} bytes"
    if any(unicodedata.category(character) in _UNSEEN for character in path):
        return "holds control or invisible characters"
    if len(path.encode()) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} bytes"
    if path.startswith(("/", "~")):
        return "does not begin at the workspace's root"
    if "\\" in path or ":" in path:
        return r"holds a \ or a :"
    names = path.split("/")
    if len(names) > DEEPEST:
        return f"is deeper than {DEEPEST} names"
    return next((fault for name in names if (fault := _fault_of_name(name))), None)


def _fault_of_name(name: str) -> str | None:
    if not name:
        return "holds an empty name"
    if name in {".", ".."}:
        return f"goes through {name!r}"
    if name[-1] in ". " or name[0] in "~ ":
        return f"holds {name!r}, which begins or ends as no portable name does"
    if len(name.encode()) > LONGEST_NAME:
        return f"holds a name of more than {LONGEST_NAME} bytes"
    if name.partition(".")[0].rstrip().casefold() in _DEVICES:
        return f"holds {name!r}, which is a device on some systems"
    return f"holds {name!r}, which belongs to git" if name.casefold() in _REPOSITORIES else None


def _shown(path: str) -> str:
    return f"{path[:80]!a}{'…' * (len(path) > 80)}"
