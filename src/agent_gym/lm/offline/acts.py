"""What a turn does, told from its words: general English, no service in sight.

user_acts("No, make it for 4 people")                  {"negate"}
assistant_act("Shall I book it?")                      "offer_intent"
"""

import re
from functools import lru_cache

_YES = re.compile(
    r"^\W*(?:(?:oh|well|ok|okay|alright|ah|um|hmm|great|good|perfect|cool|awesome|excellent|thanks)[,.! ]+)*"
    r"(?:yes|yeah|yep|yup|yea|ya|sure|certainly|definitely|absolutely|of course|ok|okay|alright|correct|right|exactly|"
    r"perfect|great"
    r"|good|fine|nice|cool|awesome|excellent|wonderful|sounds|looks|works|please do|go ahead|do it|confirm|i confirm|"
    r"that|this|it is"
    r"|you got|you have|you're right|indeed|super|lovely|heck)\b"
    r"|\b(?:sounds? (?:good|great|perfect|nice|right|fine|ok|okay|wonderful|lovely|awesome|interesting)|go ahead|please do"
    r"|that(?:'s| is|s) (?:right|correct|fine|good|great|perfect|it|ok|okay)|that works|works for me|is (?:correct|"
    r"right|perfect))\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:(?:oh|well|um|hmm|sorry|wait|correct except)[,.! ]+)*(?:no|nah|nope|nah|not|actually|don't|do not|"
    r"negative|never mind|perhaps later"
    r"|maybe later|change|wait|instead|rather)\b|\b(?:that's not|is not right|isn't right|not right now|not now|"
    r"not yet|no,? thanks"
    r"|instead|i changed my mind|i'd rather|incorrect|is wrong|not interested|hold off)\b",
    re.IGNORECASE,
)
_THANKS = re.compile(r"\b(?:thanks?|thank you|thx|appreciate)\b", re.IGNORECASE)
_BYE = re.compile(
    r"\b(?:bye|goodbye|that(?:'s| is|s|'ll be| will be| would be)? (?:all|everything|enough|it)(?= for now|\W*$|[.,!]|"
    r" i | thank|,? then)|that'll do|nothing (?:else|more)|i(?:'m| am) "
    r"(?:done|good|all set|set|fine)|all (?:that )?i (?:need|needed|want|wanted)|no more|see you|we(?:'re| are) (?:good|done)"
    r"|don't need anything|do not need any|need nothing|have a (?:good|great|nice)|all set|enough for now)\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(
    r"\b(?:what else|anything else|something else|any(?:thing)? other|(?:some|the|are there|what|other) other|others?|"
    r"another|different|more"
    r" (?:options|choices|results|events|places)|else|besides|alternatives?)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:.*[,.!?] )?(?:(?:and|but|also|okay|ok|great|so|well)[, ]+)*(?:what|where|when|which|who|how|is|are|do|does|"
    r"did|will|can i|could i|has|have"
    r"|would (?:it|they|the)|tell me|give me|may i|can you tell|could you tell|i want to know|i'd like to know|let me know)\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"\b(?:i want|i need|i(?:'d| would) (?:also )?like|i also|book|reserve|play|please|find|search|put|add|schedule|buy)\b",
    re.IGNORECASE,
)
_PROPOSAL = re.compile(
    r"\b(?:what about|how about|is there|are there|can you find|could you find|i'd prefer|i would prefer|in the mood)\b",
    re.IGNORECASE,
)
_DONT_CARE = re.compile(
    r"\b(?:(?:i )?(?:don't|do not|dont|doesn't|does not) (?:really )?(?:care|mind|matter|have (?:a|any) (?:preference|"
    r"particular))"
    r"|any(?:thing|one|where|time)? (?:is|will be|would be|works?|will do|are) ?(?:fine|ok|okay|good|great|do)?|"
    r"no preference|up to you|not picky|whatever"
    r"|(?:either|any) (?:one|of them|is|works?)|(?:i'm|i am) (?:open|flexible|not particular)|you (?:decide|choose|"
    r"pick)|surprise me"
    r"|doesn't matter|anything|any \w+ (?:is|will|would|works|are|that))\b",
    re.IGNORECASE,
)
_CONFIRM = re.compile(
    r"\b(?:(?<!can )confirm(?!ed|s\b)|is (?:that|this|it|everything|all (?:of )?(?:that|this)) (?:all )?(?:correct|"
    r"right|ok|okay|good|alright|accurate)"
    r"|(?:correct|right|okay|ok)\s*\?|just to (?:make sure|verify|check|be sure|clarify)|do i have (?:that|this|it)"
    r" right|got (?:it|that|everything)"
    r" (?:right|correct\w*)|sound (?:right|correct)|verify|double[- ]check)",
    re.IGNORECASE,
)
_INTEND = re.compile(
    r"\b(?:do you (?:want|wish|need|feel)|would you (?:like|want|care)|shall i|should i|can i|want me to|"
    r"are you (?:interested|ready|looking)"
    r"|did you want|may i|you want|you'd like|you would like|let me|ready to|care to|interested in)\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:(?:any|some)thing (?:else|more)|any ?(?:other|further) (?:\w+ )?(?:help|way|assist\w*|need)|further|"
    r"else (?:i can|you|can i)|more (?:help|assistance)"
    r"|other (?:help|assistance|way)|assist you|help you|be of (?:\w+ )?(?:help|assistance))\b",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    r"\b(?:(?:have|enjoy) (?:a|an|your|the|yourself)|good ?bye|bye|take care|see you|great day|good day|nice day|"
    r"wonderful day)\b",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"\b(?:(?:has|have|is|are|was|were|'ve|got) (?:now |all |been |successfully |just )*(?:been )?(?:\w+ly )?(?:booked|"
    r"reserved|confirmed|scheduled|made|added|"
    r"purchased|bought|placed|transferred|completed?|done|set|successful|created|started|starting|playing|rented|saved|"
    r"updated|sent|finished)"
    r"|success\w*|starting now|start(?:s|ed)? (?:playing|shortly|now)|on (?:its|the) way|will start|now playing|enjoy the)\b",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"\b(?:sorry|apologi[sz]e|unable|could ?n[o']t|could not|failed?|unavailable|not able|wasn't|cannot|can't|unfortunately)\b",
    re.IGNORECASE,
)
_WH = re.compile(
    r"\b(?:what|which|where|when|who|how (?:many|much|long)|any (?:preference|particular|specific))\b", re.IGNORECASE
)
_OFFER = re.compile(
    r"\b(?:how about|what about|how (?:does|do|would|is)|how's|i (?:have )?found|i've found|there (?:is|are|were|was)|"
    r"there's|would you (?:like|prefer|enjoy)"
    r"|check out|have a look|recommend|suggest|i see|available)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=16384)
def user_acts(text: str) -> frozenset[str]:
    """Some of affirm, negate, thanks, bye, alternatives, question, proposal, order, dont_care."""
    acts: set[str] = set()
    if _NO.search(text):
        acts.add("negate")
    elif _YES.search(text):
        acts.add("affirm")
    for act, pattern in (
        ("thanks", _THANKS),
        ("bye", _BYE),
        ("alternatives", _ALTERNATIVE),
        ("question", _QUESTION),
        ("proposal", _PROPOSAL),
        ("order", _ORDER),
        ("dont_care", _DONT_CARE),
    ):
        if pattern.search(text):
            acts.add(act)
    return frozenset(acts)


@lru_cache(maxsize=16384)
def assistant_act(text: str) -> str:
    """confirm, offer_intent, request, offer, inform, notify, failure, more or goodbye."""
    asks = "?" in text
    if _CONFIRM.search(text):
        return "confirm"
    if _FAILED.search(text) and not _OFFER.search(text):
        return "failure"
    if _MORE.search(text) and len(text) < 90 and not _DONE.search(text):
        return "more"
    if _DONE.search(text) and not (asks and _INTEND.search(text)):
        return "notify"
    if _FAREWELL.search(text) and not asks:
        return "goodbye"
    if (
        _OFFER.search(text)
        and not (asks and _WH.match(text) and not re.match(r"what about", text, re.IGNORECASE))
        and len(text) > 30
    ):
        return "offer_intent" if re.search(r"would you (?:like|prefer) (?:to|me)\b", text, re.IGNORECASE) else "offer"
    if asks and _WH.search(text):
        return "request"
    if asks and _INTEND.search(text):
        return "offer_intent"
    return "request" if asks else "inform"
