"""`agent-gym optimize`: tune an agent, and see what it gained."""

from pathlib import Path
from typing import Annotated

import typer

from agent_gym.cli.data import DEFAULT, Data
from agent_gym.cli.judging import JudgeModel, RubricFile
from agent_gym.cli.limits import MaxConcurrency, MaxCost, MaxRequests, MaxSeconds, RequestsPerMinute, TokensPerMinute
from agent_gym.cli.pairs import read_options, read_weights
from agent_gym.cli.plans import DryRun, print_plans
from agent_gym.cli.terminal import ApiBase, ProgressLines, console, mistakes_in_one_line, print_json

OUTPUT = Path("checkpoints/agent.json")


def optimize(
    data: Data = DEFAULT,
    strategy: Annotated[str, typer.Option(help="E.g. bootstrap, mipro or gepa; an unknown one lists all.")] = "bootstrap",
    num_train: Annotated[int, typer.Option(help="Examples to learn from.")] = 50,
    num_val: Annotated[int, typer.Option(help="Examples to choose by.")] = 40,
    num_test: Annotated[int, typer.Option(help="Held-out examples to measure on.")] = 100,
    output: Annotated[Path, typer.Option(help="Where the agent goes; the result goes beside it.")] = OUTPUT,
    split: Annotated[str | None, typer.Option(help="Draw all examples from this split.")] = None,
    model: Annotated[str | None, typer.Option(help="The agent's model, or `offline`.", envvar="AGENT_GYM_MODEL")] = None,
    prompt_model: Annotated[str | None, typer.Option(help="Writes proposals; the agent's model by default.")] = None,
    judge_model: JudgeModel = None,
    rubric: RubricFile = None,
    api_base: ApiBase = None,
    weights: Annotated[str | None, typer.Option(help="E.g. similarity=0.3,tool_accuracy=0.7")] = None,
    seed: Annotated[int, typer.Option(help="Decides all that is drawn.")] = 0,
    threads: Annotated[int, typer.Option(help="Rollouts in flight at once.")] = 16,
    timeout: Annotated[float, typer.Option(help="Seconds until a request counts as lost.")] = 120.0,
    attempts: Annotated[int, typer.Option(help="Times a request is sent before it counts as failed.")] = 4,
    option: Annotated[list[str] | None, typer.Option(help="A strategy's own option, NAME=VALUE; may be repeated.")] = None,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    max_concurrency: MaxConcurrency = None,
    dry_run: DryRun = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure an agent, tune it, measure it again on the same held-out examples, and save both agent and result."""
    with mistakes_in_one_line(again="the same command continues at no further cost"):
        chosen = read_options(option or [])
        scaled = read_weights(weights)

        from agent_gym.cli.show import print_result
        from agent_gym.optimization import OptimizationRunner
        from agent_gym.optimization.plan import Plan

        with ProgressLines() as progress:
            runner = OptimizationRunner(
                data,
                strategy,
                num_train=num_train,
                num_val=num_val,
                num_test=num_test,
                output_path=output,
                split=split,
                model=model,
                prompt_model=prompt_model,
                judge_model=judge_model,
                rubric=rubric,
                api_base=api_base,
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
                **chosen,
            )
            made = runner.plan() if dry_run else runner.run()
        if isinstance(made, Plan):
            if as_json:
                print_json(made.summary())
            else:
                print_plans(console(), [made])
            return
        result = made
        if as_json:
            print_json(result)
        else:
            print_result(result)
            print(f"agent   {runner.output_path}\nresult  {runner.result_path}")
