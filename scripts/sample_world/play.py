"""How a dialogue goes: one service after the other, until each goal is reached, refused or given up.

The system's side is one fixed policy, so that there is something to learn: it asks for what is required before it calls,
offers what it found, repeats every argument before a transactional call and makes that call only after the user has agreed.
The user's side is dice.
"""

from collections.abc import Sequence
from typing import Any

from sample_world.booking import book, decide
from sample_world.searching import search
from sample_world.services import Service
from sample_world.stage import TALK, Leftover, Stage
from sample_world.transcript import Act, Transcript
from sample_world.words import Dice


def play(services: Sequence[Service], dice: Dice) -> list[dict[str, Any]]:
    """The turns of one dialogue that visits these services one after the other."""
    settable = {service.name: frozenset(service.booking.arguments if service.booking else ()) for service in services}
    transcript = Transcript(dice, settable)
    left: Leftover = ([], "")
    for index, service in enumerate(services):
        if index and dice.chance(0.4):
            _thank(transcript, services[index - 1], left, dice)
            left = ([], dice.pick(TALK["next"]))
        elif index and not left[1]:
            left = ([], dice.pick(TALK["by_the_way"]))
        left = _visit(Stage(service, transcript, dice, left))
    _close(transcript, services[-1], left, dice)
    return transcript.turns


def _visit(stage: Stage) -> Leftover:
    """All that happens at one service; ends after a system turn, with what the user is about to say."""
    service, intent = stage.service, stage.service.booking
    if intent and stage.dice.chance(0.12 if service.linked else 0.4):
        book(stage, intent, stage.dice.pick(service.table), intent.words["open"])
        return stage.left
    row = search(stage)
    if row is None:
        stage.give_up()
    elif intent is None:
        stage.left = ([stage.act("SELECT")], stage.say("select"))
    elif service.linked:
        decide(stage, intent, row)
    elif stage.dice.chance(0.5):
        book(stage, intent, row, intent.words["open_here"])
    return stage.left


def _thank(transcript: Transcript, service: Service, left: Leftover, dice: Dice) -> None:
    transcript.user([*left[0], Act(service.name, "THANK_YOU")], left[1], dice.pick(TALK["thanks"]))
    transcript.system([Act(service.name, "REQ_MORE")], dice.pick(TALK["req_more"]))


def _close(transcript: Transcript, service: Service, left: Leftover, dice: Dice) -> None:
    name = service.name
    if dice.chance(0.5):
        _thank(transcript, service, left, dice)
        if dice.chance(0.5):
            transcript.user([Act(name, "NEGATE")], dice.pick(TALK["no_more"]), intent="NONE")
        else:
            words = dice.pick(TALK["no_more"]), dice.pick(TALK["thanks"])
            transcript.user([Act(name, "NEGATE"), Act(name, "THANK_YOU")], *words, intent="NONE")
    else:
        acts = [*left[0], Act(name, "THANK_YOU"), Act(name, "GOODBYE")]
        transcript.user(acts, left[1], dice.pick(TALK["thanks"]), dice.pick(TALK["goodbye_user"]))
    transcript.system([Act(name, "GOODBYE")], dice.pick(TALK["goodbye"]))
