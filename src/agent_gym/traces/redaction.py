"""Personal data taken out of traces: e-mail addresses, phone numbers and card numbers.

Each value becomes a placeholder that stays the same wherever the value stands ("[EMAIL_1]"), so that a conversation still makes
sense: the number that a user gives is the number that the agent passes on. Looked at are ids, words, arguments, results,
errors, goals and metadata: values, never the names of fields. Tool definitions are left alone. JSON stays JSON.

What counts:

- **e-mail**: `name@host.tld`.
- **card**: 13 to 19 digits, together or in a card's groups, that begin as cards do and whose Luhn check digit is right.
- **phone**: with `+` and 7 to 15 digits; written in a phone's groups, (408) 247-8880 or 020 7946 0958; or any 7 to 15 digits in
  a field named after a phone, behind a word such as "phone" or "call me at", or known by then as a phone from elsewhere.

Not touched: dates, times, prices, and bare numbers without such a sign (orders, timestamps, amounts). This finds what is
written the usual way; it is no proof that nothing personal is left. Names and addresses stay.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from agent_gym.errors import ArgumentsError
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, User
from agent_gym.traces.trace import Goal, IntentGoal, Trace

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?!\w)")
_NUMBER = re.compile(
    r"""(?<![\w\#.,/+-])(?:
        (?P<date>[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}
            | [0-9]{1,2}(?P<d>[-./])[0-9]{1,2}(?P=d)(?:[0-9]{4}|[0-9]{2})
            | [0-9]{5}-[0-9]{4})                                               # the last is a ZIP code
        | (?P<card>[0-9]{13,19}
            | [0-9]{4}(?P<c>[ -])[0-9]{4}(?P=c)[0-9]{4}(?P=c)[0-9]{1,7}
            | 3[0-9]{3}(?P<a>[ -])[0-9]{6}(?P=a)[0-9]{4,5})
        | (?P<phone>\(?(?:\+|00)1\)?[ .-]?\(?[2-9][0-9]{2}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4}
            | \(?\+\(?[0-9][0-9 ().\-/]{5,20}[0-9]
            | (?:1[ .-]?)?(?:\([2-9][0-9]{2}\)[ ]?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}
            | (?=(?:[ ()/-]{0,2}[0-9]){9})\(?0[0-9]{1,5}\)?[ /-][0-9]{2,8}(?:[ -][0-9]{2,5}){0,3}
            | 0[0-9](?P<f>[ .])[0-9]{2}(?:(?P=f)[0-9]{2}){3})
        | (?P<bare>[0-9]{7,15} | [0-9]{3}[ -][0-9]{4})
    )(?![\w@]|[,.:][0-9])""",
    re.VERBOSE,
)
_ANY_PHONE = re.compile(r"[+(]{0,2}[0-9](?:[ ().\-/]{0,2}[0-9]){6,14}")
_UNBROKEN = {0xA0: " ", 0x202F: " ", 0x2011: "-"}
_ENOUGH_DIGITS = re.compile(r"[0-9](?:[0-9]\W?[0-9]|\W{1,2}[0-9])")
"""In every number looked for; searched first because it is fast, and most texts hold no number."""
_ISSUER = re.compile(r"4|5[0-8]|2[2-7]|3[0-9]|6[0-9]")
_PHONE_FIELD = re.compile(r"phone|contact_?n|mobile|fax|whatsapp|msisdn|(?:^|_)(?:tel|cell|sms)(?:$|_)", re.IGNORECASE)
_OTHER_FIELD = re.compile(
    r"(?:^|_|[a-z](?=I))(?:id|ids|order|invoice|ticket|tracking|sku|reference|ref|code|number)$", re.IGNORECASE
)
_PHONE_WORD = re.compile(
    r"(?:phone|mobile|\bcell|\btel|\bfax|whatsapp|\b(?:call|text|reach) (?:me|us|him|her|them))[^0-9.!?\n]{0,40}$",
    re.IGNORECASE,
)


class Redactor:
    """Replaces personal data: the same value by the same placeholder over its whole life, which ends with the process."""

    def __init__(self) -> None:
        self._placeholders: dict[str, dict[str, str]] = {"EMAIL": {}, "PHONE": {}, "CARD": {}}

    @property
    def counts(self) -> Mapping[str, int]:
        """How many different values of each kind were found."""
        return {kind: len(found) for kind, found in self._placeholders.items()}

    def redacted(self, trace: Trace) -> Trace:
        """The trace without the personal data that is known by its form."""
        self._learn(trace)
        return msgspec.structs.replace(
            trace,
            conversation_id=self.text(trace.conversation_id),
            messages=tuple([self._message(message) for message in trace.messages]),
            outcome=trace.outcome and self.text(trace.outcome),
            goal=trace.goal and self._goal(trace.goal),
            metadata=self.value(trace.metadata),
            error=trace.error and self.text(trace.error),
        )

    def text(self, text: str, field: str = "") -> str:
        """Text without personal data; `field` is the name under which it stands, where it has one."""
        if "@" in text:
            text = _EMAIL.sub(lambda found: self._placeholder("EMAIL", found[0].casefold()), text)
        if _ENOUGH_DIGITS.search(text):
            if field and _PHONE_FIELD.search(field):
                text = _replaced(text, _ANY_PHONE, lambda found: self._placeholder("PHONE", _same_phone(found[0])))
            text = _replaced(text, _NUMBER, lambda found: self._number(found, field))
        return text

    def value(self, value: Any, field: str = "") -> Any:
        """A JSON value without personal data."""
        if isinstance(value, str):
            return self.text(value, field)
        if isinstance(value, dict):
            return {name: self.value(item, name) for name, item in cast(dict[str, Any], value).items()}
        if isinstance(value, list | tuple):
            return [self.value(item, field) for item in cast(list[Any], value)]
        if isinstance(value, int) and not isinstance(value, bool):
            digits = str(value) if abs(value) < 10**19 else ""
            if _is_card(digits) or (7 <= len(digits) <= 15 and _PHONE_FIELD.search(field)):
                return self.text(digits, field)
        return value

    def _learn(self, trace: Trace) -> None:
        # A user says the number before the agent writes it into a field that is named after a phone.
        for message in trace.messages:
            if isinstance(message, Tool):
                self._learn_from(message.result)
            elif isinstance(message, Assistant):
                for call in message.tool_calls:
                    if _PHONE_FIELD.search(call.arguments):
                        self._learn_from(_parsed(call))

    def _learn_from(self, value: Any, field: str = "") -> None:
        if isinstance(value, dict):
            for name, item in cast(dict[str, Any], value).items():
                self._learn_from(item, name)
        elif isinstance(value, list):
            for item in cast(list[Any], value):
                self._learn_from(item, field)
        elif isinstance(value, str | int) and field and _PHONE_FIELD.search(field):
            self.value(value, field)

    def _message(self, message: Message) -> Message:
        match message:
            case System():
                return System(self.text(message.content))
            case User():
                return User(self.text(message.content))
            case Assistant():
                return Assistant(self.text(message.content), tuple([self._call(call) for call in message.tool_calls]))
            case Tool():
                error = message.error and self.text(message.error)
                return msgspec.structs.replace(message, result=self.value(message.result), error=error)

    def _call(self, call: ToolCall) -> ToolCall:
        parsed = _parsed(call)
        redacted = self.value(parsed) if parsed is not None else None
        # Text that holds nothing personal stays as the model spelled it; broken JSON is redacted as the text it is.
        raw = call.arguments if redacted == parsed else msgspec.json.encode(redacted).decode()
        accepted = {name: tuple([self.text(one, name) for one in values]) for name, values in call.accepted.items()}
        return ToolCall(call.name, self.text(call.arguments) if parsed is None else raw, call.id, accepted)

    def _goal(self, goal: Goal) -> Goal:
        return Goal(
            tuple(
                IntentGoal(
                    intent.tool,
                    {name: tuple([self.text(one, name) for one in said]) for name, said in intent.slots.items()},
                    intent.requested,
                )
                for intent in goal.intents
            )
        )

    def _number(self, found: re.Match[str], field: str) -> str:
        written = found[0]
        digits = re.sub(r"[^0-9]", "", written)
        if found["card"] and _is_card(digits):
            return self._placeholder("CARD", digits)
        if found["date"] or not 7 <= len(digits) <= 15:
            return written
        shaped = found["phone"] and ("+" in written or not (field and _OTHER_FIELD.search(field)))
        known = _same_phone(digits) in self._placeholders["PHONE"]
        named = _PHONE_WORD.search(found.string[max(0, found.start() - 60) : found.start()])
        return self._placeholder("PHONE", _same_phone(digits)) if shaped or known or named else written

    def _placeholder(self, kind: str, value: str) -> str:
        found = self._placeholders[kind]
        return found.setdefault(value, f"[{kind}_{len(found) + 1}]")


def _replaced(text: str, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> str:
    """The text with every match replaced, where blanks and hyphens that do not break a line count as plain ones."""
    plain = text.translate(_UNBROKEN)
    if plain == text:
        return pattern.sub(by, text)
    pieces: list[str] = []
    end = 0
    for found in pattern.finditer(plain):
        new = by(found)
        pieces += [text[end : found.start()], new if new != found[0] else text[found.start() : found.end()]]
        end = found.end()
    return "".join([*pieces, text[end:]])


def _parsed(call: ToolCall) -> dict[str, Any] | None:
    try:
        return call.parsed()
    except ArgumentsError:
        return None


def _is_card(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or not _ISSUER.match(digits):
        return False
    doubled = "0246813579"
    total = sum(int(doubled[int(digit)] if place % 2 else digit) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def _same_phone(written: str) -> str:
    """One spelling for the notations of a number: without signs, the trunk's 00, and America's 1."""
    digits = re.sub(r"[^0-9]", "", written).removeprefix("00")
    return digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
