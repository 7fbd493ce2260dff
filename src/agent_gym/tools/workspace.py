"""Where structured actions are done: a folder of files, a few hosts, a task to complete, a user to ask.

A workspace is a tool backend: whatever an agent asks for, the answer is a `ToolResult`, with an error when it is not done. It
is a sandbox for what agents write, not for code: nothing is ever run. Files stay below its root (`workspace_paths`,
`workspace_files`), the network is off until hosts are named (`web`).

Whether an action had an effect is on the result's `note`, and `had_effect(result)` reads it:

    changed    something is different now: a file, the task, a question to the user, a service that took a request
    read       the agent was told something: a file's text, a service's answer
    unchanged  it was done and made no difference: the same text again, a task completed twice, an answer of 400 or more
    (empty)    it was not done: `error` says why
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from agent_gym.actions import ACTIONS, ActionKind, ActionRegistry, ActionType
from agent_gym.actions.json_text import fault_of
from agent_gym.actions.parameters import ApiCall, AskUser, CompleteTask, CreateFile, EditFile, ReadFile
from agent_gym.actions.registry import Handler
from agent_gym.errors import ArgumentsError
from agent_gym.messages import ToolResult
from agent_gym.tools.catalog import ToolCatalog
from agent_gym.tools.web import Web
from agent_gym.tools.workspace_files import Folder
from agent_gym.tools.workspace_paths import Refused

CHANGED, READ, UNCHANGED = "changed", "read", "unchanged"
SOURCE, REFUSED = "workspace", "refused"


@dataclass(frozen=True)
class Limits:
    """What an agent may use up."""

    files: int = 100
    """Files and folders together."""
    file_bytes: int = 1_000_000
    total_bytes: int = 10_000_000
    seconds: float = 10.0
    """For one request, from the look-up to the last byte."""
    body_bytes: int = 1_000_000
    """Of a request's body and of an answer's."""


def had_effect(result: ToolResult) -> bool:
    """Whether the action behind a workspace's answer was valid and brought something new."""
    return result.error is None and result.note in (CHANGED, READ)


class Workspace:
    """A tool backend that does structured actions.

    `call` waits for files and servers: from asynchronous code, use `await asyncio.to_thread(workspace.call, name, arguments)`.

    Args:
        root: the folder; made when it is not there.
        hosts: what `api_call` may reach, e.g. `api.example.com`; nothing unless named. See `Web`.
        methods: what it may send there.
        private_hosts: hosts that may be on this machine or its private networks.
        limits: what may be used up.
        actions: which actions there are.

    Raises:
        UsageError: when the root cannot be a workspace, or a host or method is none.
    """

    blocking = True
    """Calls wait for the world: an episode makes them on a thread of their own."""

    def __init__(
        self,
        root: Path | str,
        *,
        hosts: Iterable[str] = (),
        methods: Iterable[str] = ("GET",),
        private_hosts: Iterable[str] = (),
        limits: Limits | None = None,
        actions: ActionRegistry = ACTIONS,
    ) -> None:
        self.limits = limits = limits or Limits()
        self.actions = actions
        self.web = Web(hosts, methods, private_hosts, seconds=limits.seconds, max_bytes=limits.body_bytes)
        self.folder = Folder(
            Path(root), max_files=limits.files, max_file_bytes=limits.file_bytes, max_total_bytes=limits.total_bytes
        )
        self.summary: str | None = None
        """What `complete_task` said first; None while the task is open."""
        self.questions: tuple[str, ...] = ()
        """What `ask_user` asked, in order."""
        self._lock = threading.Lock()

    @property
    def catalog(self) -> ToolCatalog:
        """The actions as tools; `api_call` only when it can reach something."""
        return ToolCatalog(spec for spec in self.actions.specs() if spec.name != ActionType.API_CALL or self.web)

    @property
    def root(self) -> Path:
        """The folder, links resolved."""
        return self.folder.root

    def files(self) -> tuple[str, ...]:
        """The paths of all files, sorted."""
        return self.folder.paths()

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Do an action, or say why not; `note` says what difference it made."""
        try:
            kind = self.actions.kind(name)
            parameters = kind.validated(arguments)
            if kind.handler is not None:
                return self._own(kind, kind.handler, parameters)
            value, note = self._do(parameters)
        except (ArgumentsError, Refused) as error:
            return ToolResult(error=str(error), source=REFUSED)
        except OSError as error:
            # The system's own message would name the folder.
            return ToolResult(error=f"{name}: the system refuses ({error.strerror or type(error).__name__})", source=REFUSED)
        return ToolResult(value, source=SOURCE, note=note)

    def _do(self, parameters: BaseModel) -> tuple[Any, str]:
        """What an action gives, and the difference it made."""
        match parameters:
            case CreateFile():
                data = parameters.content.encode()
                changed = self.folder.write(parameters.path, data)
                return {"path": parameters.path, "bytes": len(data)}, CHANGED if changed else UNCHANGED
            case ReadFile():
                return {"path": parameters.path, "content": self.folder.text(parameters.path)}, READ
            case EditFile():
                size, changed = self.folder.replace(parameters.path, parameters.old, parameters.new)
                return {"path": parameters.path, "bytes": size}, CHANGED if changed else UNCHANGED
            case ApiCall():
                answer = self.web.fetch(parameters.method, parameters.url, parameters.headers, parameters.body)
                safe = parameters.method.upper() in ("GET", "HEAD", "OPTIONS")
                return answer._asdict(), UNCHANGED if answer.status >= 400 else READ if safe else CHANGED
            case CompleteTask():
                return self._complete(parameters.summary)
            case AskUser():
                return self._ask(parameters.question)
            case _:
                raise AssertionError(f"{type(parameters).__name__} belongs to no built-in action")

    def _complete(self, summary: str) -> tuple[Any, str]:
        with self._lock:
            first = self.summary is None
            self.summary = summary if self.summary is None else self.summary
            return {"summary": self.summary}, CHANGED if first else UNCHANGED

    def _ask(self, question: str) -> tuple[Any, str]:
        with self._lock:
            new = question not in self.questions
            self.questions = (*self.questions, question) if new else self.questions
            return {"question": question}, CHANGED if new else UNCHANGED

    def _own(self, kind: ActionKind, handler: Handler, parameters: BaseModel) -> ToolResult:
        """What a user's own action gives. Its handler may answer with a `ToolResult` to say itself what difference it made."""
        try:
            given: Any = handler(parameters, self)
            result = given if isinstance(given, ToolResult) else ToolResult(given, source=SOURCE, note=_usual_note(kind))
            value = result.value.model_dump(mode="json") if isinstance(result.value, BaseModel) else result.value
            value = msgspec.json.decode(msgspec.json.encode(value))
            if fault := fault_of(value):
                raise ValueError(fault)
            return msgspec.structs.replace(result, value=value)
        except Exception as error:
            said = str(error)[:500].encode(errors="replace").decode()
            return ToolResult(error=f"{kind.name} failed ({type(error).__name__}): {said}", source=SOURCE)


def _usual_note(kind: ActionKind) -> str:
    return CHANGED if kind.spec.transactional else READ
