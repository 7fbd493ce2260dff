"""Arguments of an open kind, told by their place in the sentence ("from X", "by X", "X songs"), or by a bare answer."""

import re

from agent_gym.lm.offline.acts import user_acts
from agent_gym.lm.offline.mentions import Taken, Words, inside_a_name
from agent_gym.lm.offline.schema import Param, stem, words
from agent_gym.lm.offline.spans import Span, answer, spans

_STATE = re.compile(r", ?(?:[A-Z]{2,4}\b\.?|[A-Z][a-z]+(?: [A-Z][a-z]+)?)$")
_OWNED = re.compile(r" [a-z]")
_NAMED = frozenset(
    "called named titled title name song movie film show event album track play hear watch see attend artist singer"
    " band".split()
)
_MAKER = frozenset("artist director directed author singer band actor performer musician by".split())
_PLACES_BEFORE = frozenset(
    "in at near around to from of for visit visiting leaving city area into within reach toward towards outside".split()
)


def fill_names(said: Words, params: list[Param], taken: Taken, filled: dict[str, str]) -> None:
    _fill_classes(said, [p for p in params if p.kind == "type"], taken, filled)
    candidates = [span for span in spans(taken.masked(said.text)) if taken.free(span.start, span.end)]
    pairs = [
        (score, -span.start, span, param)
        for span in candidates
        for param in params
        if (param.kind != "type" or (span.capital and param.required)) and (score := _fits(span, param, said)) >= 2
    ]
    for _, _, span, param in sorted(pairs, key=lambda pair: pair[:2], reverse=True):
        if param.name not in filled and taken.free(span.start, span.end):
            filled[param.name] = tidy(span.text, param, bool(_OWNED.match(said.text[span.end :])))
            taken.take(span.start, span.end)
    for param in params:
        if param.name in said.asked and param.name not in filled and not said.dont_care:
            bare = answer(said.text)
            if (
                not bare
                or user_acts(bare) & {"affirm", "negate", "thanks", "bye", "alternatives"}
                or (said.negate and len(bare.split()) > 3)
            ):
                continue
            rivals = [p for p in params if p.name in said.asked]
            at = said.text.find(bare)
            if bare and len(rivals) == 1 and taken.free(at, at + len(bare)) and not said.question:
                filled[param.name] = tidy(bare, param)
                taken.take(at, at + len(bare))


def tidy(text: str, param: Param, possessive: bool = False) -> str:
    """A city without its state; an owner without the ending."""
    if param.kind == "place" and not text[:1].isdigit():
        return _STATE.sub("", text)
    return text.removesuffix("'s") if possessive else text


def _fits(span: Span, param: Param, said: Words) -> float:
    score = 1.4 * (param.name in said.asked) + 0.4 * param.required + 1.8 * (param.name in said.due and span.capital)
    if (
        not span.capital
        and param.name not in said.asked
        and (
            param.name in said.held
            or stem(span.text.split()[0]) in said.nouns
            or stem(span.text.split()[-1]) in said.nouns
            or not said.lower
        )
    ):
        return 0.0
    before = span.before
    named = {stem(word) for word in words(said.text[max(0, span.start - 20) : span.start])[-2:]}
    following = {stem(word) for word in words(said.text[span.end : span.end + 14])[:1]}
    if param.kind == "place":
        if (
            any(character.isdigit() for character in span.text)
            != ("address" in param.stems | param.about or "destin" in param.stems)
            and span.text[0].isdigit()
        ):
            score -= 1
        rival = {"from", "to"} <= said.sides
        if before == "from":
            score += {"from": 3.0, "": 0.6, "to": -2.0 if rival else 0.6}[param.side]
        elif before in ("to", "for", "into", "visit", "reach", "towards"):
            score += {"to": 3.0, "": 1.7, "from": -2.0 if rival else 1.7}[param.side]
        elif before in ("leaving", "departing") or re.search(
            r"(?:leav|depart)\w*(?: out of| in| is)?(?: the)? $", said.text[: span.start]
        ):
            score += {"from": 3.0, "": 0.6, "to": -2.0 if rival else 0.6}[param.side]
        elif before in _PLACES_BEFORE:
            score += {"": 2.4, "to": 1.4, "from": 0.8}[param.side] if rival else 2.4
        elif span.capital:
            score += 0.7
        return score if span.capital else score - 0.5
    if before in _PLACES_BEFORE and before not in ("for", "of", "to", "at") and param.name not in said.asked:
        score -= 1.5
    if param.kind == "type":
        return score + 1.2 if before not in _PLACES_BEFORE else 0.0
    if (
        before in ("love", "like", "enjoy", "hear")
        and span.capital
        and (param.stems | param.about) & {stem(word) for word in _MAKER}
    ):
        score += 1.6
    if before == "by" or before in _MAKER:
        score += 3.0 if (param.stems | param.about) & {stem(word) for word in _MAKER} else -1.0
    if named & param.stems or following & param.stems:
        score += 2.2
    elif before in _NAMED and "name" in words(param.name):
        score += 1.6
    return score + (0.5 if span.capital else -0.5)


_CLASS_BREAK = frozenset(
    "a an the some any good nice great other more different another of for in on to find me new and or is are i my that"
    " with you like want"
    " see watch hear play enjoy what which do have know by search get these those few no best really local popular"
    " interesting cheap from"
    " all fun show need looking at about listen there kind type upcoming time your this please their his her its our be"
    " interested prefer serves serving having were was am we us me into s".split()
)
_CLASS_WORDS = frozenset(stem(word) for word in "food kind type place genre one show stuff style category thing".split())


def _fill_classes(said: Words, params: list[Param], taken: Taken, filled: dict[str, str]) -> None:
    """Open classes: the adjective in front of what the tool is about ("Italian food", "pop songs")."""
    tokens = [(match[0], match.start(), match.end()) for match in re.finditer(r"[A-Za-z][\w'&-]*", said.text)]
    for param in params:
        heads = param.stems | said.nouns | _CLASS_WORDS
        for at in range(1, len(tokens)):
            if stem(tokens[at][0]) not in heads:
                continue
            first = at
            while (
                first
                and at - first < 3
                and tokens[first - 1][0].lower() not in _CLASS_BREAK
                and _touch(said.text, tokens, first)
            ):
                first -= 1
            while first < at and (stem(tokens[first][0]) in heads):
                first += 1
            start, end = tokens[first][1], tokens[at - 1][2]
            if first < at and taken.free(start, end) and not inside_a_name((start, end), said.text):
                filled[param.name] = said.text[start:end]
                taken.take(start, end)
                break


def _touch(text: str, tokens: list[tuple[str, int, int]], at: int) -> bool:
    return text[tokens[at - 1][2] : tokens[at][1]] == " "
