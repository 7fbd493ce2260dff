"""What is meant, in plain words made of the names in a schema: for what no corpus has phrases for."""

import re

from agent_gym.lm.offline.schema import words
from agent_gym.tools.recordings import DONTCARE

_SOCIAL = {
    "AFFIRM": "Yes.",
    "NEGATE": "No.",
    "AFFIRM_INTENT": "Yes, please.",
    "NEGATE_INTENT": "No, not now.",
    "SELECT": "That sounds good.",
    "REQUEST_ALTS": "Is there anything else?",
    "THANK_YOU": "Thank you.",
    "GOODBYE": "Goodbye.",
}
_LEAD = re.compile(r"^(?:has|have|is|are|serves|offers|allows) ")


def plain(act: str, tool: str, slot: str, value: str, meaning: str) -> str:
    """A sentence for one act.

    Args:
        act: INFORM, REQUEST, SELECT, INFORM_INTENT or one that needs no more words.
        tool: the tool that is wanted, `SERVICE-INTENT`.
        slot: argument or field.
        value: as it is to be said; empty when it is only asked for.
        meaning: its canonical value.
    """
    label = " ".join(words(slot)) or slot
    bare = _LEAD.sub("", label)
    match act:
        case "INFORM_INTENT":
            return f"I would like to {' '.join(words(tool.rpartition('-')[2])) or tool}."
        case "REQUEST":
            return (
                f"Is it {bare}?"
                if label.startswith("is ")
                else f"What about {bare}?"
                if bare != label
                else f"Can you tell me the {label}?"
            )
        case "SELECT" if slot:
            return f"I would like {value}."
        case "INFORM" if DONTCARE in (value, meaning):
            return f"I don't care about the {label}."
        case "INFORM" if (meaning or value) in ("True", "False"):
            return f"{bare.capitalize()}: {'yes' if (meaning or value) == 'True' else 'no'}."
        case "INFORM":
            return f"The {label} should be {value}."
        case _:
            return _SOCIAL.get(act, "Okay.")
