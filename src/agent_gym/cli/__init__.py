"""The command line: results to stdout, progress to stderr; 0 done, 1 failed, 2 the user's mistake, 130 interrupted.

One file a noun; a command reads its options, calls one function and prints what it gave. What a command needs is imported
inside it, so that `agent-gym --help` answers at once.
"""

import sys

import typer

from agent_gym.cli import compare, data, evaluate, judge, optimize, preferences, rollouts, show, users
from agent_gym.cli.terminal import complain

app = typer.Typer(
    name="agent-gym",
    help="Measure and optimize tool-calling dialogue agents on conversation traces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")
app.add_typer(judge.app, name="judge")
app.add_typer(users.app, name="users")
app.command("optimize")(optimize.optimize)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("show")(show.show)
app.command("rollouts")(rollouts.rollouts)
app.command("preferences")(preferences.preferences)


@app.callback(invoke_without_command=True)
def _options(  # pyright: ignore[reportUnusedFunction]
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        from agent_gym import __version__

        print(__version__)
        raise typer.Exit


def main() -> None:
    """The `agent-gym` command."""
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        # Typer would draw a box. A command without arguments has printed its help, and says nothing here.
        if message := error.format_message():
            # The words before a wrong choice are those of who checked it.
            complain(f"{message.replace(': Value error, ', ': ').rstrip('.')}; agent-gym --help tells what there is")
        code = error.exit_code
    sys.exit(code)
