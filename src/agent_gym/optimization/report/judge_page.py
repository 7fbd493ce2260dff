"""A calibration as one HTML file: what was judged, every figure of agreement, and the judge's scores against the truth."""

from agent_gym.optimization.calibration import Calibration
from agent_gym.optimization.report.agreement import agreement_table, measured, score_charts
from agent_gym.optimization.report.markup import clipped, element
from agent_gym.optimization.report.page import Part, document


def render_calibration(calibration: Calibration) -> str:
    """The calibration as a whole HTML document without a network; everything in it is shown as text."""
    parts = [
        Part("measured", "What was measured", measured(calibration)),
        Part("agreement", "Agreement with the truth", agreement_table(calibration)),
        Part("scores", "Scores against the truth", score_charts(calibration)),
    ]
    if calibration.notes:
        notes = element("ul", *(element("li", clipped(note, 1000)) for note in calibration.notes[:100]))
        parts.append(Part("notes", "Notes", notes))
    judge = calibration.models.get("judge", "judge")
    return str(document(f"Can {clipped(judge, 200)} be trusted as a judge?", parts))
