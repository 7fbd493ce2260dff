"""HTML that cannot be broken out of: whatever is not markup already is escaped where it enters.

Agents, users and optimizers write anything, so no part of the report puts strings together with `<` and `>` by itself:

    element("p", "5 < 6", class_="note")    ->  <p class="note">5 &lt; 6</p>

Only `element` and `joined` make `Html`; an `Html` that is sliced or added to is a plain string again, and is escaped again.
"""

import re
from collections.abc import Iterable
from html import escape

LONGEST = 2000
"""Characters of one text that are shown; a prompt has its own limit."""
_VOID = frozenset({"link", "meta"})
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0010fffe\U0010ffff]"
)


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def element(tag: str, /, *inside: str | None, **attributes: str | int | None) -> Html:
    """An element. Strings inside are escaped, `Html` is not, None is left out, as are attributes that are None.

    Args:
        attributes: `aria_label` gives aria-label, `class_` gives class.
    """
    named = "".join(f' {_named(key)}="{shown(str(value))}"' for key, value in attributes.items() if value is not None)
    opened = f"<{tag}{named}>"
    return Html(opened if tag in _VOID else f"{opened}{joined(inside)}</{tag}>")


def joined(parts: Iterable[str | None], between: str = "") -> Html:
    """Parts one after the other, each escaped unless it is `Html`."""
    return Html(shown(between).join(part if isinstance(part, Html) else shown(part) for part in parts if part is not None))


def shown(text: str) -> str:
    """The text, escaped for an element or a quoted attribute, with what cannot be seen made visible."""
    if isinstance(text, Html):
        return text
    return escape(visible(text), quote=True)


def visible(text: str) -> str:
    """The text without what may not stand in a page or would make it read otherwise than it is written.

    Control characters become their pictures, those that turn the direction of the text around their numbers.
    """
    return _UNSEEN.sub(_picture, text.replace("\r\n", "\n"))


def clipped(text: str, limit: int = LONGEST) -> str:
    """At most so many characters of a text, and how many more there are."""
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text) - limit:,} more characters)"


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"[U+{code:04X}]" if 0x202A <= code <= 0x2069 else "\ufffd"


def _named(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
