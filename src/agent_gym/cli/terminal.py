"""What the user sees: mistakes in one line, results on stdout, progress on stderr."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from agent_gym.errors import AgentGymError, UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from agent_gym.optimization.result import Event


# Not Typer's `envvar`: an endpoint in the environment is no mistake of who uses the offline model, one on the command line is.
ApiBase = Annotated[str | None, typer.Option(help="Another endpoint for the models; AGENT_GYM_API_BASE by default.")]

OFFLINE = "offline is a schema-guided policy, not a neural model: these scores say that the pipeline works, no more."


@contextmanager
def mistakes_in_one_line(*, again: str = "") -> Generator[None]:
    """Exit codes and one line on stderr instead of a traceback.

    Args:
        again: what an interrupted user should know, e.g. that the same command continues.
    """
    try:
        yield
    except UsageError as error:
        raise _leave(str(error), 2) from None
    except AgentGymError as error:
        raise _leave(str(error), 1) from None
    except KeyboardInterrupt:
        raise _leave(f"interrupted{'; ' + again if again else ''}", 130) from None
    except BrokenPipeError:
        raise typer.Exit(1) from None
    except OSError as error:
        raise _leave(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1) from None


def complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    print(f"agent-gym: {' '.join(message.splitlines())}", file=sys.stderr)


def _leave(message: str, code: int) -> typer.Exit:
    complain(message)
    return typer.Exit(code)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    import msgspec

    # A path is what it names.
    encoded = msgspec.json.encode(value, enc_hook=os.fspath)
    sys.stdout.write(msgspec.json.format(encoded, indent=1).decode() + "\n")


def console() -> "Console":
    """Where results are printed."""
    from rich.console import Console

    # Rich's guess for what is no terminal is 80 columns, which cuts tables that a file or a pipe could hold.
    return Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 120)


def print_figures(out: "Console", table: "Table") -> None:
    """A table of figures at the width it needs: a narrow terminal folds its lines, where Rich would cut digits off."""
    narrow = out.width
    out.width = max(narrow, out.measure(table, options=out.options.update(width=1000)).maximum)
    out.print(table)
    out.width = narrow


class ProgressLines:
    """A run's events on stderr: a bar on a terminal, one line a phase elsewhere."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (
                SpinnerColumn(),
                TextColumn("{task.description:<20}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            # The stream itself: DSPy's own prints are caught on `sys.stderr` while it works.
            self._bar = Progress(*columns, console=Console(file=sys.stderr))
            self._bar.start()
        self._out = sys.stderr
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: "Event") -> None:
        """Show an event."""
        if event.kind == "note":
            self._say(f"note: {event.text}")
        elif self._bar is None:
            if event.kind == "phase_finished":
                self._say(
                    f"[{event.seconds:7.1f}s] {event.phase}{f': {event.done} examples' if event.done else ''}{_spent(event)}"
                )
        elif event.kind == "phase_started":
            self._task = self._bar.add_task(event.phase, total=event.total)
        elif self._task is not None:
            total = event.total if event.kind == "progress" else event.total or event.done or 1
            self._bar.update(self._task, completed=event.done if event.kind == "progress" else total, total=total)

    def heading(self, strategy: str, repeat: int) -> None:
        """Say which run begins."""
        self._say(f"{strategy}, repeat {repeat}" if repeat else strategy)

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=self._out, flush=True)


def _spent(event: "Event") -> str:
    requests = sum(usage.requests for usage in event.usage.values())
    hits = sum(usage.cache_hits for usage in event.usage.values())
    return f", {requests} requests{f', {hits} from the cache' if hits else ''}" if requests or hits else ""
