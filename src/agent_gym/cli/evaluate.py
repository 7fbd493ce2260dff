"""`agent-gym evaluate`: measure an agent on recorded conversations."""

from pathlib import Path
from typing import Annotated

import typer

from agent_gym.cli.data import DEFAULT
from agent_gym.cli.limits import MaxConcurrency, MaxCost, MaxRequests, MaxSeconds, RequestsPerMinute, TokensPerMinute
from agent_gym.cli.pairs import read_weights
from agent_gym.cli.terminal import ApiBase, ProgressLines, console, mistakes_in_one_line, print_json


def evaluate(
    agent: Annotated[Path | None, typer.Argument(help="A saved agent; the baseline when left out.")] = None,
    data: Annotated[Path, typer.Option(help="An SGD folder.")] = DEFAULT,
    split: Annotated[str, typer.Option(help="Where the examples are drawn from.")] = "dev",
    limit: Annotated[int, typer.Option(help="How many examples.")] = 100,
    model: Annotated[str | None, typer.Option(help="The agent's model, or `offline`.", envvar="AGENT_GYM_MODEL")] = None,
    api_base: ApiBase = None,
    judge_model: Annotated[str | None, typer.Option(help="Judges, where a weight asks for it.")] = None,
    schema_variant: Annotated[
        str | None, typer.Option(help="Show the agent SGD-X's other names for the tools, e.g. v1.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="E.g. similarity=0.3,tool_accuracy=0.7")] = None,
    seed: Annotated[int, typer.Option(help="Decides which examples are drawn.")] = 0,
    threads: Annotated[int, typer.Option(help="Rollouts in flight at once.")] = 32,
    timeout: Annotated[float, typer.Option(help="Seconds until a request counts as lost.")] = 120.0,
    attempts: Annotated[int, typer.Option(help="Times a request is sent before it counts as failed.")] = 4,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    max_concurrency: MaxConcurrency = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Play an agent on examples of a split and print its scores."""
    with mistakes_in_one_line(again="what was answered is kept and will not be paid again"):
        scaled = read_weights(weights)

        from agent_gym.cli.show import print_reports
        from agent_gym.optimization.measure import measure

        with ProgressLines() as progress:
            report, usage = measure(
                agent,
                data,
                split,
                limit=limit,
                model=model,
                api_base=api_base,
                judge_model=judge_model,
                schema_variant=schema_variant,
                weights=scaled,
                seed=seed,
                threads=threads,
                max_cost=max_cost,
                max_requests=max_requests,
                max_seconds=max_seconds,
                requests_per_minute=requests_per_minute,
                tokens_per_minute=tokens_per_minute,
                max_concurrency=max_concurrency,
                timeout=timeout,
                attempts=attempts,
                on_event=progress,
            )
        if as_json:
            print_json(report)
        else:
            print_reports(console(), {str(agent or "baseline"): report}, usage)
