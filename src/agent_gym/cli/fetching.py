"""A download with a progress bar."""

import sys
from pathlib import Path

from agent_gym.traces.fetch import BASE_URL, FetchReport, Progress, fetch


def fetch_shown(to: Path, source: str | None, mirror: str | None) -> FetchReport:
    """Fetch a data set; a bar on a terminal, silence elsewhere.

    Raises:
        UsageError: for a source that cannot be used.
        DataError: when the download fails for good.
    """
    if not sys.stderr.isatty():
        return fetch(to, source, base_url=mirror or BASE_URL)
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bar(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task("files", total=None)

        def show(progress: Progress) -> None:
            of = f" of {progress.files_total}" if progress.files_total else ""
            bar.update(task, completed=progress.bytes_done, description=f"files {progress.files_done}{of}")

        return fetch(to, source, base_url=mirror or BASE_URL, progress=show)
