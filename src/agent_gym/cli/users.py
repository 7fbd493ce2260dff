"""`agent-gym users`: how like people the simulated users are."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_gym.cli.data import DEFAULT
from agent_gym.cli.limits import MaxConcurrency, MaxCost, MaxRequests, MaxSeconds, RequestsPerMinute, TokensPerMinute
from agent_gym.cli.terminal import ApiBase, console, mistakes_in_one_line, print_json
from agent_gym.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.environment.users import User
    from agent_gym.evaluation.users_check import Agreement, Spread, UsersCheck
    from agent_gym.optimization.limits import Limits
    from agent_gym.traces import Trace

app = typer.Typer(help="Measure how like people the simulated users are.", no_args_is_help=True)


class Who(StrEnum):
    """A simulated user."""

    AGENDA = "agenda"
    REPLAY = "replay"
    LLM = "llm"


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction]
    # With one command only, Typer would leave its name out.
    pass


@app.command("check")
def check(
    data: Annotated[Path, typer.Option(help="An SGD folder.")] = DEFAULT,
    split: Annotated[str, typer.Option(help="Where the conversations are drawn from.")] = "dev",
    limit: Annotated[int, typer.Option(help="How many conversations.")] = 200,
    user: Annotated[Who, typer.Option(help="Who is held against the recorded people.")] = Who.AGENDA,
    user_model: Annotated[str | None, typer.Option(help="Plays the user `llm`.")] = None,
    api_base: ApiBase = None,
    seed: Annotated[int, typer.Option(help="Decides which conversations are drawn, and what the user says.")] = 0,
    threads: Annotated[int, typer.Option(help="Conversations under way at once.")] = 32,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    max_concurrency: MaxConcurrency = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Hold a simulated user against the people of conversations that its phrases are not taken from.

    Turn by turn on the recorded conversations, and in whole conversations with an agent that follows the recorded system.
    """
    with mistakes_in_one_line(again="what was answered is kept and will not be paid again"):
        if limit < 1 or threads < 1:
            raise UsageError(f"limit and threads must be 1 or more, got {limit} and {threads}")
        if user_model is not None and user is not Who.LLM:
            raise UsageError(f"user {user.value!r} asks no model, so --user-model {user_model} would be ignored: leave it out")

        from agent_gym.environment import SGDEnvironment
        from agent_gym.evaluation.users_check import check_users
        from agent_gym.lm.loop import run_sync
        from agent_gym.testing import GoldAgent
        from agent_gym.traces import SGDLoader
        from agent_gym.traces.sgd_acts import SGDActs

        limits: Limits = {
            "max_cost": max_cost,
            "max_requests": max_requests,
            "max_seconds": max_seconds,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "max_concurrency": max_concurrency,
        }
        who = _llm(user_model, api_base, limits) if user is Who.LLM else user.value
        loader = SGDLoader(data, strict=False)
        acts = SGDActs(loader.path)
        environment = SGDEnvironment(loader, split, user=who, limit=limit, seed=seed)

        def agent(task: "Trace") -> GoldAgent:
            return GoldAgent(task, acts.of(task) or ())

        report = run_sync(check_users(environment, acts, agent, seed=seed, threads=threads))
        if as_json:
            print_json(report)
        else:
            print_check(console(), report)


def _llm(model: str | None, api_base: str | None, limits: "Limits") -> "User":
    from agent_gym.environment.users import LLMUser
    from agent_gym.lm.model import make_lm
    from agent_gym.optimization.limits import budget_of, rate_of

    return LLMUser(make_lm(model, role="user", api_base=api_base, budget=budget_of(limits), rate=rate_of(limits)))


def print_check(out: "Console", report: "UsersCheck") -> None:
    """Every figure beside the human one."""
    from rich.table import Table

    table = Table("", "human", report.user, "distance", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, spread in (
        ("words in a turn", report.words),
        ("values told in a turn", report.slots),
        ("turns of a conversation", report.turns),
    ):
        if spread is not None:
            table.add_row(name, f"{spread.human:.2f}", f"{spread.user:.2f}", _distance(spread))
    for act, share in report.acts.items():
        table.add_row(act, f"{share.human:.3f}", f"{share.user:.3f}", "")
    out.print(
        f"{report.conversations} conversations, {report.human_turns} human turns; agreement is turn by turn on the record",
        markup=False,
    )
    out.print(table)
    if report.acts_divergence is None:
        out.print(f"{report.user} does not say what it means: acts and values cannot be compared")
    else:
        out.print(f"acts: Jensen-Shannon {report.acts_divergence:.4f} bits; {_agreement(report.act_agreement)}")
        out.print(f"acts with what they are about: {_agreement(report.slot_agreement)}")
    if report.slots_divergence is not None:
        out.print(f"how much is told at once: Jensen-Shannon {report.slots_divergence:.4f} bits")
    out.print(f"left the record before the human did: {report.stopped_early} of {report.conversations}")
    if report.failed:
        out.print(f"failed, left out: {report.failed}")
    ended = ", ".join(f"{how} {count}" for how, count in report.ended.items())
    out.print(f"with an agent that follows the record: success {report.success:.3f}; ended {ended}", markup=False)


def _distance(spread: "Spread") -> str:
    return f"KS {spread.ks:.3f}, Wasserstein {spread.wasserstein:.2f}"


def _agreement(one: "Agreement | None") -> str:
    return "" if one is None else f"precision {one.precision:.3f}, recall {one.recall:.3f}, F1 {one.f1:.3f}"
