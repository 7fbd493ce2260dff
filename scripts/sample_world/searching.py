"""The plot of a search: wishes, questions for what is missing, a call, offers, second thoughts."""

import re

from sample_world.services import Intent, Row
from sample_world.stage import Stage
from sample_world.transcript import Act

REPLACEABLE = ("choice", "city", "word")
"""Kinds of criteria a user may replace after seeing what there is."""


def search(stage: Stage) -> Row | None:
    """The row the user settles on; None when nothing was found and the user gave up."""
    intent, dice = stage.service.search, stage.dice
    extra = stage.carry(intent.required)
    carried = stage.known()
    target = dice.pick(stage.service.matches(carried))
    wishes = {slot: target.get(slot) or stage.slot(slot).draw(dice) for slot in intent.required if slot not in carried}
    for slot in intent.optional:
        # Hardly anybody asks for what is lacking ("without showers").
        if dice.chance(0.35) and not (target[slot] == "False" and dice.chance(0.8)):
            wishes[slot] = target[slot]
    hopeless = _hopeless(stage, {**carried, **wishes}) if dice.chance(0.16) else {}
    better = {slot: wishes.get(slot, "dontcare") for slot in hopeless}
    wishes |= hopeless
    told = {slot: value for slot, value in wishes.items() if slot in hopeless or dice.chance(0.5)}
    stage.open(intent, [], told, extra, intent.words["open"])
    _not_minding(stage, wishes)
    stage.complete(intent, wishes, "answer_search")
    rows = _call(stage)
    if not rows:
        if dice.chance(0.25):
            return None
        _relent(stage, better)
        rows = _call(stage)
    return _browse(stage, rows)


def _hopeless(stage: Stage, query: Row) -> Row:
    """A value of an optional slot with which nothing is found, if there is one."""
    for name in stage.service.search.optional:
        for value in stage.slot(name).values:
            if not stage.service.matches({**query, name: value}):
                return {name: value}
    return {}


def _not_minding(stage: Stage, wishes: Row) -> None:
    """Now and then the user adds, to the first answer, that something does not matter."""
    intent = stage.service.search
    free = [slot for slot in intent.optional if slot not in wishes]
    missing = [slot for slot in intent.required if slot not in stage.known()]
    if free and missing and stage.dice.chance(0.25):
        slot, asked = stage.dice.pick(free), missing[0]
        stage.transcript.system([stage.act("REQUEST", asked)], stage.sure(), stage.words(asked, "ask"))
        answer = stage.slot(asked).phrase("answer", wishes[asked], stage.dice)
        stage.user(stage.informs({asked: wishes[asked], slot: "dontcare"}), answer, stage.words(slot, "any"))


def _relent(stage: Stage, better: Row) -> None:
    """After an empty search the user takes back what was hopeless."""
    free = [stage.words(slot, "any") for slot, value in better.items() if value == "dontcare"]
    wanted = {slot: value for slot, value in better.items() if value != "dontcare"}
    stage.user(stage.informs(better), *free, *([stage.say("again", stage.details(wanted))] if wanted else []))


def _query(stage: Stage) -> Row:
    known = stage.known()
    return {slot: known[slot] for slot in sorted(stage.service.search.arguments) if slot in known}


def _call(stage: Stage) -> list[Row]:
    """The system searches with all it knows, and offers the first row or says that there is none."""
    intent, query = stage.service.search, _query(stage)
    rows = stage.service.find(query)
    if not rows:
        words = [stage.say("nothing"), stage.say("change")]
        stage.transcript.system([stage.act("NOTIFY_FAILURE")], *words, call=(intent.name, query))
        return rows
    acts, offer = _offer(stage, intent, rows[0])
    words = [stage.sure()]
    if len(rows) > 1 and stage.dice.chance(0.6):
        acts.append(stage.act("INFORM_COUNT", "count", str(len(rows))))
        words = [stage.say("found", len(rows), stage.service.source["things"])]
    stage.transcript.system(acts, *words, offer, call=(intent.name, query), results=rows)
    return rows


def _offer(stage: Stage, intent: Intent, row: Row) -> tuple[list[Act], str]:
    template: str = stage.dice.pick(intent.words["offer"])
    slots = re.findall(r"{(\w+)}", template)
    said = {slot: stage.slot(slot).said(row[slot], stage.dice, formal=True) for slot in slots}
    stage.mentioned = set(slots)
    return [stage.act("OFFER", slot, row[slot]) for slot in slots], template.format(**said)


def _browse(stage: Stage, rows: list[Row]) -> Row:
    """The user looks around: asks about a row, wants another one, or replaces a criterion."""
    intent, place = stage.service.search, 0
    for _ in range(stage.dice.below(4)):
        move = stage.dice.below(5)
        if move < 2:
            stage.enquire(intent, rows[place])
        elif move < 4 and place + 1 < len(rows):
            place += 1
            stage.user([stage.act("REQUEST_ALTS")], stage.say("more"))
            acts, offer = _offer(stage, intent, rows[place])
            stage.transcript.system(acts, stage.say("another"), offer)
        elif move == 4 and (new := _replacement(stage)):
            stage.user([*stage.informs(new), stage.act("REQUEST_ALTS")], stage.say("refine", stage.details(new)))
            rows, place = _call(stage), 0
    return rows[place]


def _replacement(stage: Stage) -> Row | None:
    """One criterion with another value, such that something is found."""
    query, service = _query(stage), stage.service
    options = [
        {name: value}
        for name in service.search.arguments
        if stage.slot(name).kind in REPLACEABLE
        for value in stage.slot(name).values
        if value != query.get(name) and service.matches({**query, name: value})
    ]
    return stage.dice.pick(options) if options else None
