"""A comparison as one HTML file that can be sent to anyone: no network, no script, for a phone, a screen and paper."""

from agent_gym.optimization.comparison import Comparison
from agent_gym.optimization.report.page import page


def render_report(comparison: Comparison) -> str:
    """The report as a whole HTML document.

    Everything in the comparison is shown as text, whatever it holds; very long texts are cut, and say so.
    """
    return str(page(comparison))


__all__ = ["render_report"]
