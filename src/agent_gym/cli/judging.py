"""The options that say who judges, and by what."""

from pathlib import Path
from typing import Annotated

import typer

JudgeModel = Annotated[str | None, typer.Option(help="Judges, where a weight asks for it; the agent's model by default.")]
RubricFile = Annotated[
    Path | None, typer.Option("--rubric", help="A text file that says how the judge judges, criteria included.")
]
