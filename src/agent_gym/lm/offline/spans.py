"""Names in running text: which words may be the value of an open slot, and what stands before them.

spans("Flights from New York to chi-town")    ("New York", before="from"), ("chi-town", before="to")
"""

import re
from functools import lru_cache
from typing import NamedTuple


class Span(NamedTuple):
    """Words that may be a name."""

    text: str
    start: int
    end: int
    before: str
    """The word in front, lower case."""
    capital: bool


_WORD = r"[\w.'&!@#+-]*[\w!@#]"
_JOIN = r",? & |,? (?:of|the|and|de|la|del|vs\.?)(?: the)? (?=[A-Z])|,? |/|, "
_HALT = r"(?!(?:I|My|We|Can|Could|Please|It|What|How|Is|Are|Do|Also)\b)"
_PART = rf"[A-Z]{_WORD}|[A-Z]\b\.?|\d+(?:st|nd|rd|th)?\b(?! ?(?:am|pm))|# ?\w+|[Ss]uite \w+|[Ss]treet\b|[Aa]venue\b|[Rr]oad\b"
_CAPITAL = re.compile(
    rf"(?<![\w'])(?:[A-Z0-9]{_WORD}|[A-Z]|\d+)(?:(?:{_JOIN}){_HALT}(?:{_PART})|(?<=\b[A-Z][rt])\. [A-Z]{_WORD})*"
)
_LOWER = re.compile(
    r"\b(in|to|from|at|near|around|by|called|named|titled|for|like|of|directed by|starring|into|visit|visiting|leaving|"
    r"album|song|movie) (?:the )?(?:city of )?"
    r"([a-z][\w.'-]*(?: [a-z][\w.'-]*){0,3})",
)
_FUNCTION = frozenset(
    "i i'm i'd i'll i've you can could would will please find what when where which who how is are do does did yes no"
    " nope yeah yep sure ok okay"
    " the a an and but so or if in on at to from for with my me we it it's its that that's this there there's they he"
    " she help show tell get give"
    " book reserve buy search look play make let lets let's thanks thank hi hello hey good great perfect awesome nice"
    " fine cool alright well"
    " also actually maybe now not am just right correct sounds looking any anything something some another other how's"
    " what's where's"
    " check schedule have has had need want like love prefer going leaving add change set transfer send one two three"
    " four five six seven"
    " great! wonderful excellent amazing oh as by after before today tomorrow next later set rent call order all wait"
    " hmm um dont don't"
    " are there were was be been do does whats im ill id ive lovely absolutely definitely certainly preferably try use then"
    " morning afternoon evening night monday tuesday wednesday thursday friday saturday sunday january february march"
    " april may june july"
    " august september october november december".split()
)
_NUMERALS = frozenset("one two three four five six seven".split())
_BREAK = frozenset(
    "i and or on in at to from for with my me we is are that this it please the a an of by as if can could would but so"
    " be there which who"
    " when what where today tomorrow next this later later leaving returning departing going coming until till around"
    " after before about some"
    " any one two three four five six seven eight nine ten have has was were will do does am pm thanks thank not then"
    " you your our us"
    " morning afternoon evening night monday tuesday wednesday thursday friday saturday sunday march april also area".split()
)


@lru_cache(maxsize=16384)
def spans(text: str) -> tuple[Span, ...]:
    """Names in order; capitalised ones first choice, lower-case words after a preposition where no capital stands."""
    found: list[Span] = []
    for match in _CAPITAL.finditer(text):
        start, said = _trim(text, match.start(), match[0])
        if said:
            found.append(Span(said, start, start + len(said), _word_before(text, start), True))
    taken = [(span.start, span.end) for span in found]
    for match in _LOWER.finditer(text):
        kept: list[str] = []
        for word in match[2].split():
            if word.lower().rstrip(".,!?'") in _BREAK:
                break
            kept.append(word)
        said = " ".join(kept).rstrip(".,!?'")
        start = match.start(2)
        if said and not any(start < end and begin < start + len(said) for begin, end in taken):
            found.append(Span(said, start, start + len(said), match[1].split()[-1].lower(), False))
    return tuple(sorted(found, key=lambda span: span.start))


def _trim(text: str, start: int, said: str) -> tuple[int, str]:
    """Leave out English that is capitalised only because a sentence begins."""
    while said:
        first = re.match(r"[\w'!-]+", said)
        if first is None:
            return start, ""
        if first[0].lower() not in _FUNCTION:
            break
        if (
            first[0].lower() in ("the", "a", "in", "on", "no")
            and start
            and len(said) > len(first[0])
            and text[start - 2 : start - 1] not in ".?!"
        ):
            break  # "... called The Englander": inside a sentence a capital article belongs to the name
        if first[0].lower() in _NUMERALS and re.match(r" [A-Z]", said[len(first[0]) :]):
            break
        rest = said[len(first[0]) :]
        cut = len(first[0]) + len(rest) - len(rest.lstrip(" ,./&"))
        start, said = start + cut, said[cut:]
    said = said.rstrip(" ,.;:?")
    return start, said if not said.replace(" ", "").isdigit() else ""


def _word_before(text: str, start: int) -> str:
    head = re.search(
        r"([A-Za-z']+)\W*(?:the )?(?:a |city of |town of )?(?:the )?$", text[max(0, start - 24) : start], re.IGNORECASE
    )
    return head[1].lower() if head else ""


_FILLER = re.compile(
    r"^(?:\W*(?:(?:oh|well|um|hmm|ok|okay|alright|yes|yeah|sure|no|actually|great|perfect|good|please|so|and|maybe|"
    r"probably|just|like|hi|hello)\b[,.! ]*"
    r"|(?:i(?:'d| would|'ll| will|'m| am)?|we(?:'d| would|'ll)?|let's|lets|it(?:'s| is| will be| should be)?|that(?:'s|"
    r" is| would be)|they are|there is|can you|could you|would you|my|the|a|an|some|any"
    r"|(?:want|wanna|like|love|prefer|need|enjoy|think|fancy|search|look|find|looking|try|go|going|do|try|get|be|have|"
    r"eat|see|watch|hear|listen|play|living|located|interested|leave|leaving|travel|traveling|fly|flying|depart|"
    r"departing|coming|come|name|label|call|set|use|choose|make|send|visit|check|mood|craving|feel|feeling)"
    r"|to|for|in|at|from|with|by|of|on|into|out|up|about|around|really|would|will|is|it|me|us|something|anything|"
    r"someone|somewhere|kind|type|go with|how about|what about|city|called|named|title|titled|place|places|am|"
    r"be)\b[ ,]*))+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[,.!?; ]+|\b(?:please|thanks|thank you|is (?:good|fine|great|perfect|ok|okay|nice|my favorite|better)|will do|"
    r"would be (?:good|fine|great|nice|perfect|lovely)|sounds? (?:good|great|nice|fine|perfect)|works|too|instead|area|"
    r"for me|works for me|will be (?:fine|good|great)"
    r"|food|movies?|films?|songs?|music|ones?|kind|type|genre|events?|restaurants?|cuisine|there|right now|today|now|"
    r"stuff|if possible|only|style|account|thing|category|place))+$",
    re.IGNORECASE,
)


@lru_cache(maxsize=16384)
def answer(text: str) -> str:
    """A short answer without its polite wrapping: "I'd like some Italian food, please" is "Italian"."""
    first = re.split(r"(?<=[\w)])[.!?]\s+(?=\w)", text.strip())
    best = ""
    for sentence in first:
        bare = sentence.strip()
        cut = _FILLER.match(bare)
        bare = bare[cut.end() :] if cut else bare
        while bare and (tail := _TAIL.search(bare)) and tail.start() < len(bare):
            bare = bare[: tail.start()]
        bare = bare.strip(" \"'")
        if len(bare.split()) <= 5 and not all(word.lower() in _BREAK or word.lower() in _FUNCTION for word in bare.split()):
            best = best or bare
    return best
