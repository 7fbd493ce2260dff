"""`agent-gym data`: get a data set, bring logs of your own, and see what is in them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agent_gym.cli.importing import check_, import_
from agent_gym.cli.terminal import console, mistakes_in_one_line, print_json

app = typer.Typer(help="Get a data set, bring logs of your own, and see what is in them.", no_args_is_help=True)
app.command("import")(import_)
app.command("check")(check_)

DEFAULT = Path("data/raw/schema_guided_dialogue")
Data = Annotated[Path, typer.Option(help="An SGD folder, or traces: a file of JSON lines, or a folder of them.")]


@app.command()
def fetch(
    to: Annotated[Path, typer.Option(help="Folder to put it into.")] = DEFAULT,
    source: Annotated[
        str | None, typer.Option("--from", help="A local archive (tar.gz, tar.xz, zip) or folder, or an archive's URL.")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="Where the files lie, when not in the public repository.", envvar="AGENT_GYM_SGD_MIRROR")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Download Schema-Guided Dialogue (CC BY-SA 4.0) from its public repository, or take a local copy of it."""
    with mistakes_in_one_line(again="the same command continues where it stopped"):
        from agent_gym.cli.fetching import fetch_shown

        report = fetch_shown(to, source, mirror)
        if as_json:
            print_json(report)
        else:
            print(f"{report.fetched} files fetched, {report.kept} already there, {report.bytes / 1e6:.1f} MB in {to}")


@app.command()
def stats(
    data: Data = DEFAULT,
    split: Annotated[str | None, typer.Option(help="Such as train, dev or test; all that are there when left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count dialogues, turns, tool calls and services, and say what cannot be read."""
    with mistakes_in_one_line():
        from agent_gym.traces import open_data

        source = open_data(data, strict=False)
        report = source.report
        splits: dict[str, int] = {}
        for name in [split] if split else source.splits():
            splits[name] = sum(1 for _ in source.load(name))
        counts: dict[str, Any] = {
            "dialogues": report.dialogues,
            "turns": report.turns,
            "tool_calls": report.tool_calls,
            "services": len(report.services),
            "unreadable": report.unreadable,
        }
        if as_json:
            print_json({**counts, "splits": splits, "faults": [str(fault) for fault in report.faults]})
            return
        out = console()
        for name, count in counts.items():
            out.print(f"{name.replace('_', ' '):<12}{count:>10,}")
            for inside, dialogues in splits.items() if name == "dialogues" and len(splits) > 1 else ():
                out.print(f"  {inside:<10}{dialogues:>10,}", markup=False)
        for fault in report.faults:
            out.print(f"unreadable: {fault}", markup=False)
