"""The options with which a command's spending and speed are limited."""

from typing import Annotated

import typer

MaxCost = Annotated[float | None, typer.Option(help="US dollars that a run may spend; what was found by then is kept.")]
MaxRequests = Annotated[int | None, typer.Option(help="Requests that a run may send; what was found by then is kept.")]
MaxSeconds = Annotated[
    float | None, typer.Option(help="Seconds after which a run asks no more; what was found by then is kept.")
]
RequestsPerMinute = Annotated[float | None, typer.Option(help="Requests sent a minute, at most.")]
TokensPerMinute = Annotated[float | None, typer.Option(help="Tokens a minute, prompts and answers, at most.")]
MaxConcurrency = Annotated[int | None, typer.Option(help="Requests in flight at once, at most.")]
