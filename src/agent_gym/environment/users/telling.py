"""What the user says of its values: told when asked for, agreed to when read back rightly, corrected when not."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from agent_gym.environment.users.asking import ask
from agent_gym.environment.users.goal import Errand, Values, is_dontcare
from agent_gym.environment.users.phrases import AGAIN, NEXT, Meant
from agent_gym.environment.users.questions import asked
from agent_gym.environment.users.standing import Standing
from agent_gym.environment.users.understanding import agrees, params_of, proposes, says, wrong_values
from agent_gym.errors import ArgumentsError
from agent_gym.messages import ToolCall, ToolSpec
from agent_gym.tools.recordings import DONTCARE
from agent_gym.values import canonical

VOLUNTEERED = 3
"""Values that are told unasked in one turn."""


def tell(now: Standing, slot: str, errand: Errand | None = None) -> Meant:
    errand = errand or now.errand
    values = errand.slots[slot]
    return Meant("INFORM", errand.tool, slot, values[0], _meaning(values))


def _dontcare(now: Standing, slot: str) -> Meant:
    return Meant("INFORM", now.errand.tool, slot, DONTCARE, DONTCARE)


def inform(now: Standing, words: str, questioned: Iterable[str]) -> list[Meant]:
    """Answer a question for arguments; when that tells nothing new, tell what is still unsaid."""
    errand, stand = now.errand, now.stand
    params = {param.name: param for param in params_of(now.specs[errand.tool])}
    wanted = [slot for slot in params if slot in questioned]
    known = [slot for slot in wanted if slot in errand.slots]
    if all(slot in stand.said for slot in known or wanted[:1]) and (unsaid := volunteer(now)):
        return unsaid
    if not known:
        stand.said |= set(wanted[:1])
        return [_dontcare(now, slot) for slot in wanted[:1]]
    proposed = [slot for slot in known if proposes(params[slot], words, errand.slots[slot], now.today)]
    told = [slot for slot in known if slot not in proposed]
    # What the recorded user told along with one of these.
    for group in errand.together:
        if set(group) & set(known):
            told += [slot for slot in group if slot in errand.slots and slot not in (*told, *stand.said, *proposed)]
    stand.said |= {*told, *proposed}
    return [*([Meant("AFFIRM")] if proposed else []), *(tell(now, slot) for slot in told)]


def ahead(now: Standing, words: str, service: str, start: int) -> list[Meant]:
    """Answer a question for what a later errand of a service holds: the agent goes straight for the booking."""
    for later, stand in zip(now.goal.errands[start:], now.stands[start:], strict=True):
        spec = now.specs.get(later.tool)
        if later.service != service or spec is None:
            continue
        questioned = asked(words, params_of(spec), set(later.slots) - stand.said, now.today)
        if told := [slot for slot in later.slots if slot in questioned]:
            stand.said |= set(told)
            return [tell(now, slot, later) for slot in told]
    return []


def confirm(now: Standing, words: str, known: Mapping[str, Sequence[str]]) -> list[Meant]:
    """Agree to what was read back, or correct it."""
    errand, stand = now.errand, now.stand
    spec = now.specs[errand.tool]
    wrong = wrong_values(words, errand, spec, now.today, known, stand.corrected)
    wrong += [slot for slot in _unheard(now, words) if slot not in wrong]
    if wrong:
        stand.corrected |= set(wrong)
        stand.said |= set(wrong)
        return [Meant("NEGATE"), *map(partial(tell, now), wrong)]
    return agree(now, words)


def _unheard(now: Standing, words: str) -> list[str]:
    """What the agent cannot know when it reads back: never said, not read back, not shown by an offer, not the default."""
    errand, stand = now.errand, now.stand
    rows = now.rows.get(errand.service, ())
    defaults = {param.name: param.default for param in params_of(now.specs[errand.tool])}
    return [
        slot
        for slot, values in errand.slots.items()
        if slot not in stand.said
        and slot not in now.carried()
        and not is_dontcare(values)
        and not says(slot, values, words, now.today)
        and not any(agrees(row, {slot: values}) and slot in row for row in rows)
        and not (defaults.get(slot) is not None and any(canonical(defaults[slot]) == canonical(one) for one in values))
    ]


def agree(now: Standing, words: str) -> list[Meant]:
    stand = now.stand
    stand.agreed.add(words)
    return [Meant("AFFIRM"), *ask(now, "confirm")]


def objection(now: Standing, call: ToolCall) -> list[Meant]:
    """Something was done that was not wanted: say what was."""
    errand, stand = now.errand, now.stand
    stand.opened = True
    wrong = differences(call, errand, now.spec) if call.name == errand.tool else []
    stand.said |= set(wrong)
    if wrong:
        return [Meant("NEGATE"), *map(partial(tell, now), wrong)]
    return [Meant("NEGATE"), Meant("INFORM_INTENT", errand.tool, meaning=moment(now))]


def set_right(now: Standing) -> list[Meant]:
    """Say again what the last search got wrong; once, for the agent may know better ("Oakland, CA")."""
    stand, said = now.stand, now.stand.said | now.carried()
    wrong = [slot for slot in stand.wrong if slot in said and slot not in stand.corrected]
    stand.corrected |= set(wrong)
    return [Meant("NEGATE"), *map(partial(tell, now), wrong)] if wrong else []


def volunteer(now: Standing) -> list[Meant]:
    stand = now.stand
    unsaid = now.unsaid()[:VOLUNTEERED]
    stand.said |= set(unsaid)
    return [tell(now, slot) for slot in unsaid]


def moment(now: Standing) -> str:
    """Whether a wish is the first, another, or one that is tried again."""
    if now.at == 0:
        return ""
    before, stand = now.goal.errands[now.at - 1], now.stands[now.at - 1]
    return AGAIN if before.tool == now.errand.tool and stand.state != "done" else NEXT


def _meaning(values: Values) -> str:
    return next((one for one in values if one in ("True", "False", DONTCARE)), values[-1])


def differences(call: ToolCall, errand: Errand, spec: ToolSpec | None) -> list[str]:
    """The arguments of the errand that a call got wrong, or left out although that does not say them."""
    try:
        given = call.parsed()
    except ArgumentsError:
        return list(errand.slots)
    left_out = {param.name: param.default for param in params_of(spec)} if spec is not None else dict[str, str | None]()
    wrong: list[str] = []
    for slot, values in errand.slots.items():
        value = given.get(slot, left_out.get(slot))
        if not is_dontcare(values) and (value is None or not any(canonical(value) == canonical(one) for one in values)):
            wrong.append(slot)
    return wrong
