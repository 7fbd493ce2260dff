"""Values of arguments in one turn of words.

Names that results have shown come first, then typed arguments (options, days, hours, amounts, counts), then names told by their
place in the sentence, last the bare answer to a question. Every reader takes the words it has used.
"""

from collections.abc import Iterable

from agent_gym.lm.offline.mentions import Taken, Words, inside_a_name, mention
from agent_gym.lm.offline.names import fill_names
from agent_gym.lm.offline.schema import Param
from agent_gym.lm.offline.typed import fill_choices, fill_codes, fill_flags, fill_money, fill_numbers, fill_pairs
from agent_gym.lm.offline.values import dates, times


def fill(said: Words, params: Iterable[Param]) -> dict[str, str]:
    """Values for some of `params`, the more important first."""
    wanted = list(params)
    taken, filled = Taken(), dict[str, str]()
    _fill_known(said, wanted, taken, filled)
    fill_codes(said, [p for p in wanted if p.kind == "code"], taken, filled)
    fill_choices(said, wanted, taken, filled)
    fill_pairs(said, [p for p in wanted if p.kind == "date"], dates(said.text, said.today), taken, filled)
    hours = [p for p in wanted if p.kind == "time"]
    asked_hour = any(p.name in said.asked for p in hours)
    fill_pairs(said, hours, times(said.text, asked_hour and len(said.text) < 60), taken, filled)
    fill_money(said, wanted, taken, filled)
    fill_numbers(said, [p for p in wanted if p.kind == "number"], taken, filled)
    fill_flags(said, [p for p in wanted if p.kind == "bool"], filled)
    fill_names(said, [p for p in wanted if p.kind in ("place", "text", "type") and p.name not in filled], taken, filled)
    return filled


def _fill_known(said: Words, params: list[Param], taken: Taken, filled: dict[str, str]) -> None:
    found: list[tuple[int, int, str, str]] = []
    for param in params:
        if param.kind not in ("text", "place", "type"):
            continue
        for value in said.known.get(param.name, ()):
            if len(value) > 2 and (at := mention(value, said.text)) and not inside_a_name(at, said.text):
                found.append((at[0] - at[1], at[0], param.name, value))
    for length, start, name, value in sorted(found):
        if name not in filled and taken.free(start, start - length):
            filled[name] = value
            taken.take(start, start - length)
