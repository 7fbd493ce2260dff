"""The plot of a transaction: collect the arguments, have them all confirmed, and only then make the call."""

from collections.abc import Sequence
from typing import Any

from sample_world.services import Intent, Row
from sample_world.stage import Stage
from sample_world.transcript import Act

CHANGEABLE = ("date", "time", "count", "flag")
"""Kinds of arguments about which a user may change his mind at the last moment."""


def decide(stage: Stage, intent: Intent, row: Row) -> None:
    """The user takes what was offered, and books it, or does not."""
    select = stage.act("SELECT")
    if stage.dice.chance(0.5):
        stage.left = ([], stage.say("select"))
        book(stage, intent, row, intent.words["open_here"], [select])
        return
    stage.user([select], stage.say("select"))
    stage.transcript.system([stage.intent_act("OFFER_INTENT", intent)], stage.say("offer_intent", intent.words["do"]))
    if stage.dice.chance(0.3):
        stage.transcript.intents[stage.service.name] = "NONE"
        stage.left = ([stage.act("NEGATE_INTENT")], stage.say("negate_intent"))
    else:
        book(stage, intent, row, [], [stage.act("AFFIRM_INTENT")])


def book(stage: Stage, intent: Intent, row: Row, templates: Sequence[str], acts: Sequence[Act] = ()) -> None:
    """Book a row of the table.

    `acts` are those by which the user came here from a search; without templates, he just agrees.
    """
    dice = stage.dice
    extra = [] if acts else stage.carry(slot for slot in intent.required if stage.slot(slot).kind == "date")
    settled = {*stage.known()}
    if acts:
        settled.add(stage.service.name_slot)  # it enters the state with the very turn that selects it
    wishes = {slot: row.get(slot) or stage.slot(slot).draw(dice) for slot in intent.required if slot not in settled}
    wishes |= {slot: _unlike(stage, slot, default) for slot, default in intent.optional.items() if dice.chance(0.45)}
    told = {slot: value for slot, value in wishes.items() if dice.chance(0.4)}
    if templates:
        stage.open(intent, [*acts], told, extra, templates)
    else:
        words = stage.say("affirm_intent", stage.details(told)) if told else "Yes, please."
        stage.user([*acts, *stage.informs(told)], words, intent=intent)
    stage.complete(intent, wishes, "answer_book")
    _conclude(stage, intent)


def _unlike(stage: Stage, slot: str, value: str) -> str:
    """A value other than this one."""
    while (drawn := stage.slot(slot).draw(stage.dice)) == value:
        pass
    return drawn


def _arguments(stage: Stage, intent: Intent) -> Row:
    known = stage.known()
    return {slot: known.get(slot) or intent.optional[slot] for slot in sorted(intent.arguments)}


def _conclude(stage: Stage, intent: Intent) -> None:
    """Confirm, perhaps change, call; after a refusal, perhaps once more on another day or at another time."""
    results = _confirm_and_call(stage, intent)
    if not results and stage.dice.chance(0.6):
        slot = stage.dice.pick([slot for slot in intent.required if stage.slot(slot).kind in ("date", "time")])
        new = {slot: _unlike(stage, slot, _arguments(stage, intent)[slot])}
        acts = [stage.intent_act("INFORM_INTENT", intent), *stage.informs(new)]
        stage.user(acts, stage.say("retry", stage.details(new)), intent=intent)
        results = _confirm_and_call(stage, intent)
    if not results:
        stage.give_up()
    elif stage.dice.chance(0.3):
        stage.enquire(intent, results[0])


def _confirm_and_call(stage: Stage, intent: Intent) -> list[Row]:
    arguments = _arguments(stage, intent)
    _confirm(stage, arguments, f"{intent.words['do']} ", "confirm")
    if stage.dice.chance(0.22):
        slot = stage.dice.pick([slot for slot in intent.arguments if stage.slot(slot).kind in CHANGEABLE])
        new = {slot: _unlike(stage, slot, arguments[slot])}
        stage.user([stage.act("NEGATE"), *stage.informs(new)], stage.say("negate_change", stage.details(new)))
        _confirm(stage, new, "", "confirm_again")
    requests, questions = stage.questions(intent) if stage.dice.chance(0.2) else ([], [])
    stage.user([stage.act("AFFIRM"), *requests], stage.say("affirm"), *questions)
    arguments = _arguments(stage, intent)
    results = stage.service.book(arguments)
    call: dict[str, Any] = {"call": (intent.name, arguments), "results": results}
    if results:
        words = stage.dice.pick([*intent.words["success"], stage.say("success")])
        stage.tell(results[0], requests, [stage.act("NOTIFY_SUCCESS")], words, **call)
    else:
        stage.transcript.system([stage.act("NOTIFY_FAILURE")], stage.say("failure"), **call)
    return results


def _confirm(stage: Stage, values: Row, lead: str, kind: str) -> None:
    words = stage.say(kind, lead + stage.details(values, "confirm", formal=True))
    stage.transcript.system([stage.act("CONFIRM", slot, value) for slot, value in values.items()], words)
