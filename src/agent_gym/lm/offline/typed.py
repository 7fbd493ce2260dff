"""Arguments of a closed kind: one of several options, a day, an hour, an amount, a count, a yes or no."""

import re
from collections.abc import Sequence
from functools import lru_cache

from agent_gym.lm.offline.mentions import Taken, Words, find, stem_spans
from agent_gym.lm.offline.schema import PEOPLE, Param, stem, words
from agent_gym.lm.offline.values import MONTHS, Found, money, numbers

_AFTER_NO = re.compile(
    r"\b(?:no|not|without|non|never|don't|doesn't|isn't|aren't|do not|won't|except)\b[\w' -]{0,24}$", re.IGNORECASE
)
_END = (
    r"return\w*|back|until|till|til|through|thru|end(?:ing|s)?|drop\w*|check(?:ing)?[ -]?out|come home|coming home|up to"
    rf"|to(?= (?:the |next |this |\w+day|{'|'.join(MONTHS)}|\d|$))"
)
_START = r"from|leav\w*|depart\w*|start\w*|begin\w*|check(?:ing)?[ -]?in|pick\w*|outbound|arriv\w*|between"
_CUE = re.compile(rf"\b(?:(?P<to>{_END})|(?P<from>{_START}))(?=\W|$)", re.IGNORECASE)
_AFTER_CUE = re.compile(
    r"(?P<to>drop|return|check(?:ing)?[ -]?out|back)|(?P<from>pick|check(?:ing)?[ -]?in|departure|start)", re.IGNORECASE
)


def fill_choices(said: Words, params: list[Param], taken: Taken, filled: dict[str, str]) -> None:
    for param in sorted(params, key=lambda p: p.name not in said.asked):
        if param.kind != "choice" or param.name in filled:
            continue
        for read in (find, _by_stems, _by_first_word):
            best: tuple[int, int, int, str] = (0, 0, 0, "")
            for option in param.options:
                at = read(option, said.text)
                if at and taken.free(*at) and not _AFTER_NO.search(said.text[: at[0]]):
                    first = not best[0] or at[1] <= best[1]
                    longer = at[0] < best[2] and at[1] - at[0] > best[0]
                    best = (at[1] - at[0], *at, option) if first or longer else best
            if best[0]:
                filled[param.name] = best[3]
                taken.take(best[1], best[2])
                break


def _by_stems(option: str, text: str) -> tuple[int, int] | None:
    """An option in another form of its words."""
    stemmed, seen = _option_stems(option), stem_spans(text)
    for first, (word, start, _) in enumerate(seen):
        if word == next(iter(stemmed), None) and tuple(other for other, _, _ in seen[first : first + len(stemmed)]) == stemmed:
            return start, seen[first + len(stemmed) - 1][2]
    return None


def _by_first_word(option: str, text: str) -> tuple[int, int] | None:
    """An option of several words by its first."""
    stemmed = _option_stems(option)
    if len(stemmed) < 2 or len(stemmed[0]) < 5:
        return None
    return next(((start, end) for word, start, end in stem_spans(text) if word == stemmed[0]), None)


@lru_cache(maxsize=4096)
def _option_stems(option: str) -> tuple[str, ...]:
    stemmed = tuple(stem(word) for word in words(option))
    return stemmed if max(map(len, stemmed), default=0) > 3 else ()


def fill_pairs(said: Words, params: list[Param], found: Sequence[Found], taken: Taken, filled: dict[str, str]) -> None:
    """Days and hours: by the words before them, by what was asked, in the order of the arguments."""
    open_ones = [p for p in params if p.name not in filled]
    fresh = [value for value in found if taken.free(value.start, value.end)]
    for at, value in enumerate(fresh):
        if not open_ones:
            return
        if any(value.value == other.value for other in fresh[:at]) and len({other.value for other in fresh}) >= len(open_ones):
            continue  # one day said twice, and another one still to come
        before = said.text[: value.start]
        side = _side(before, said.text[value.end :])
        chosen = max(open_ones, key=lambda p: _claim(p, side, said, before))
        filled[chosen.name] = value.value
        taken.take(value.start, value.end)
        open_ones.remove(chosen)


def _side(before: str, after: str) -> str:
    """Which end of a span the nearest word speaks of."""
    side = ""
    for match in _CUE.finditer(re.split(r"[.;!?]", before)[-1][-36:]):
        side = "to" if match["to"] else "from"
    if not side:
        match = _AFTER_CUE.match(after.lstrip(" ,").removeprefix("for ").removeprefix("as ").removeprefix("the "))
        side = "" if match is None else "to" if match["to"] else "from"
    return side


def _claim(param: Param, side: str, said: Words, before: str) -> float:
    claim = 2.0 * (param.name in said.asked) + 0.5 * param.required + 0.1 * (param.side == "from")
    if side and param.side:
        claim += 3.0 if side == param.side else -1.5
    near = {stem(word) for word in words(before[-40:])}
    return claim + 0.8 * len(near & param.stems)


def fill_money(said: Words, params: list[Param], taken: Taken, filled: dict[str, str]) -> None:
    amounts = [p for p in params if p.kind == "money"]
    if not amounts:
        return
    found = money(said.text) or (numbers(said.text) if any(p.name in said.asked for p in amounts) else ())
    for value, param in zip(found, amounts, strict=False):
        if taken.free(value.start, value.end):
            filled[param.name] = value.value
            taken.take(value.start, value.end)


_CODE = re.compile(r"(?<![\w$£€.,:/-])(?P<letters>[A-Z]{1,5}-?)?\d[\w-]*\b(?![.,:/]\d)")


def fill_codes(said: Words, params: list[Param], taken: Taken, filled: dict[str, str]) -> None:
    """IDs: by the word before ("order A-1042", "my ID is 123"), by what was asked, or by their look alone."""
    open_ones = [p for p in params if p.name not in filled]
    for match in _CODE.finditer(said.text) if open_ones else ():
        before = words(said.text[: match.start()])[-3:]
        scored = [(_codes(p, match, before, said), -at) for at, p in enumerate(open_ones)]
        score, at = max(scored, default=(0, 0))
        if score >= 2 and taken.free(*match.span()):
            filled[open_ones.pop(-at).name] = match[0]
            taken.take(*match.span())


def _codes(param: Param, match: re.Match[str], before: Sequence[str], said: Words) -> int:
    named = bool({*before} & {*words(param.name)}) + bool({stem(word) for word in before} & (param.stems | param.about))
    looks = 2 * bool(match["letters"]) + (sum(map(str.isdigit, match[0])) > 2)
    return 2 * named + 2 * (param.name in said.asked) + looks


def fill_numbers(said: Words, params: list[Param], taken: Taken, filled: dict[str, str]) -> None:
    open_ones = [p for p in params if p.name not in filled]
    for value in numbers(said.text):
        if not open_ones:
            return
        if not taken.free(value.start, value.end):
            continue
        after = [stem(word) for word in words(said.text[value.end : value.end + 24])[:3]]
        before = [stem(word) for word in words(said.text[: value.start])[-3:]]
        scored = [(_counts(p, value, after, before, said), -at) for at, p in enumerate(open_ones)]
        score, at = max(scored)
        if score >= 1:
            chosen = open_ones[-at]
            filled[chosen.name] = value.value
            taken.take(value.start, value.end)
            open_ones.remove(chosen)


_PEOPLE = frozenset(stem(word) for word in PEOPLE | {"us", "friends", "men", "women", "kids", "members", "individuals"})


def _near(said: Sequence[str], wanted: frozenset[str]) -> bool:
    """A word, or one it begins with: "bedrooms" says "beds"."""
    return any(
        word == key or (len(key) > 2 and word.startswith(key)) or (len(word) > 3 and key.startswith(word))
        for word in said
        for key in wanted
    )


def _counts(param: Param, found: Found, after: list[str], before: list[str], said: Words) -> float:
    value, start = found.value, found.start
    if (
        param.options
        and value not in param.options
        and not (value.isdigit() and int(value) < 1000 and max(map(len, param.options)) < 3)
    ):
        return 0.0
    if max((len(option) for option in param.options), default=0) == 4 and len(value) != 4:
        return 0.0
    own = param.stems | (param.about & _PEOPLE)
    score = 1.6 * (param.name in said.asked) + 1.0 * _near(before, param.stems)
    score += 2.4 * _near(after[:1], param.stems) + 1.3 * _near(after[1:], param.stems) + 1.0 * _near(after, own)
    if own & _PEOPLE:
        score += (
            1.5 * _near(after[:2], _PEOPLE)
            + 1.6 * (said.text[:start].lower().endswith((" for ", "for ")))
            + 0.6 * bool({"seat", "parti"} & set(before))
        )
    return score + 0.5 * bool(param.about & set(after))


_CHILD = frozenset(stem(word) for word in "kid kids child children family".split())
_PLAIN_FLAG = frozenset(
    stem(word)
    for word in "has is are offers serves good allowed welcome allow good entry service services available include".split()
)


def fill_flags(said: Words, params: list[Param], filled: dict[str, str]) -> None:
    seen = stem_spans(said.text)
    for param in params:
        keys = (param.stems - _PLAIN_FLAG) or param.stems
        keys = keys | _CHILD if keys & _CHILD else keys
        at = next((start for word, start, _ in seen if word in keys), None)
        if at is not None and not said.question:
            filled[param.name] = "False" if _AFTER_NO.search(said.text[:at]) else "True"
        elif (
            at is None and param.name in said.asked and len(said.asked) == 1 and (said.affirm or said.negate or said.dont_care)
        ):
            filled[param.name] = "False" if said.negate and not said.dont_care else "True"
