"""An API key that does not print itself.

A key travels in one request header and nowhere else. It is held in an object whose `repr` says nothing, which no copy or
pickle can carry into a file, and which knows how to take itself out of a text that came back from a server.
"""

import os
from typing import NoReturn, Self

HIDDEN = "[key]"
_SECRET_NAMES = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


class Secret:
    """A text that shows itself only to `reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself. Use it in the expression that sends it; keep no name for it."""
        return self._value

    def scrub(self, text: str) -> str:
        """`text` without this secret."""
        return text.replace(self._value, HIDDEN) if self._value else text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not written anywhere")


def scrub_environment(text: str) -> str:
    """`text` without any key of the environment; for libraries that read their keys there themselves."""
    for name, value in os.environ.items():
        if name.endswith(_SECRET_NAMES) and len(value) >= 8:
            text = text.replace(value, HIDDEN)
    return text
