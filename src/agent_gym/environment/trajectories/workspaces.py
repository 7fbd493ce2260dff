"""Where the workspaces of an environment come from, and what becomes of their folders."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

from agent_gym.errors import UsageError
from agent_gym.tools.workspace import Workspace


class Workspaces:
    """One workspace after the other, each in a folder of its own.

    Args:
        given: makes a workspace in a folder that is new and empty; or the one workspace that there is.
        root: where the folders are made, and stay. Without it they are temporary: one is there until the next is asked for, or
            `close()`, or this object is garbage, or the program ends.
    """

    def __init__(self, given: Workspace | Callable[[Path], Workspace], root: Path | None) -> None:
        self._given, self._root = given, root
        self._current: Workspace | None = None
        self._used = False
        self._remove: Callable[[], object] | None = None

    @property
    def current(self) -> Workspace:
        """The last one made.

        Raises:
            UsageError: when there is none.
        """
        if self._current is None:
            raise UsageError("there is no workspace: start_new_trajectory(goal) makes one, close() removes it")
        return self._current

    def following(self) -> Workspace:
        """The next one.

        Raises:
            UsageError: when there was only one.
        """
        if isinstance(self._given, Workspace):
            if self._used:
                raise UsageError("the workspace given has had its trajectory: give a function that makes one for each")
            self._current, self._used = self._given, True
        else:
            self.close()
            self._current = self._given(self._folder())
        return self._current

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._remove is not None:
            self._remove()
        self._remove = self._current = None

    def _folder(self) -> Path:
        if self._root is not None:
            self._root.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix="trajectory-", dir=self._root))
        folder = Path(tempfile.mkdtemp(prefix="agent-gym-"))
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder
