"""An HTML document as a browser's parser would understand it: elements in order, with their attributes and their text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link"}


@dataclass
class Node:
    """An element."""

    tag: str
    attributes: dict[str, str | None]
    parts: "list[Node | str]" = field(default_factory=list["Node | str"])

    @property
    def text(self) -> str:
        """All text in it, as it stands."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def every(self, *tags: str) -> "list[Node]":
        """The elements in it with one of these names, in order; all of them without a name."""
        return [node for node in self._walk() if not tags or node.tag in tags]

    def one(self, key: str) -> "Node":
        """The element with this id."""
        (found,) = [node for node in self._walk() if node.attributes.get("id") == key]
        return found

    def _walk(self) -> "Iterator[Node]":
        for part in self.parts:
            if isinstance(part, Node):
                yield part
                yield from part._walk()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"<{tag}> has an attribute twice: {attrs}"
        node = Node(tag, dict(attrs))
        self.open[-1].parts.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data!r}")


def read_page(text: str) -> Node:
    """The document.

    Raises:
        AssertionError: when an element is not closed, or closed out of turn, or there is a comment in it.
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root], f"not closed: {[node.tag for node in reader.open[1:]]}"
    return reader.root
