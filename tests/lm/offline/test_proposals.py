# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
"""The engine answers DSPy's own prompts in the form they ask for."""

import asyncio
from typing import Any, Literal

import dspy
import pytest

from agent_gym.lm.base import Request, Turn
from agent_gym.lm.offline import OfflineModel
from agent_gym.lm.offline.proposals import RULES, instruct


class Proposal(dspy.Signature):
    """Propose a better instruction."""

    basic_instruction: str = dspy.InputField()
    tip: str = dspy.InputField()
    proposed_instruction: str = dspy.OutputField(desc="An instruction")
    score: float = dspy.OutputField()
    kind: Literal["short", "long"] = dspy.OutputField()
    good: bool = dspy.OutputField()
    names: list[str] = dspy.OutputField()


BASE = "Help the user with tools."


def ask(adapter: dspy.ChatAdapter, sample: str = "") -> dict[str, Any]:
    turns = [
        Turn(message["role"], message["content"])
        for message in adapter.format(Proposal, [], {"basic_instruction": BASE, "tip": "Be brief."})
    ]
    completion = asyncio.run(OfflineModel().complete(Request(turns=tuple(turns), sample=sample)))
    return adapter.parse(Proposal, completion.text)


@pytest.mark.parametrize("adapter", [dspy.ChatAdapter(), dspy.JSONAdapter()], ids=["chat", "json"])
def test_every_field_is_filled_with_its_type(adapter: dspy.ChatAdapter) -> None:
    answer = ask(adapter)
    assert BASE in answer["proposed_instruction"]
    assert (answer["score"], answer["kind"], answer["good"], answer["names"]) == (0.5, "short", True, [])


def test_draws_differ_and_repeat() -> None:
    drawn = [ask(dspy.ChatAdapter(), str(draw))["proposed_instruction"] for draw in range(12)]
    assert len(set(drawn)) > 8
    assert drawn == [ask(dspy.ChatAdapter(), str(draw))["proposed_instruction"] for draw in range(12)]


def test_a_rule_that_stands_already_is_not_added_again() -> None:
    base = " ".join(RULES)
    assert all(instruct(base, seed).count(rule) == 1 for seed in range(30) for rule in RULES)


def test_a_reflection_is_answered_between_fences() -> None:
    asked = f"An assistant has these instructions:\n```\n{BASE}\n```\nWrite a new instruction within ``` blocks."
    text = asyncio.run(OfflineModel().complete(Request(turns=(Turn("user", asked),)))).text
    assert text.startswith("```\n")
    assert text.endswith("\n```")
    assert BASE in text
