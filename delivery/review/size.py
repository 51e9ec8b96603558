"""Keeps a page below the size a comment may have."""

from collections.abc import Sequence
from dataclasses import dataclass

# GitHub refuses a comment of more than 65,536 characters. Bytes of UTF-8 are never fewer than characters, however those
# are counted, and some room is left for what a proxy or an editor adds.
LIMIT_BYTES = 60_000


@dataclass(frozen=True, kw_only=True)
class Block:
    """A part of a page: what it begins with, items of which some may be left out, and what it ends with.

    Attributes:
        head: Markdown.
        items: Markdown, one after the other.
        tail: Markdown; empty for none.
        separator: Between the items.
        short: The same items, each cut, for a page on which the whole ones do not fit; empty for the items themselves.
        rank: Blocks with a lower rank are filled first.
        noun: What an item is, for the line that says how many were left out.
    """

    head: str
    items: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    tail: str = ""
    separator: str = "\n"
    rank: int = 0
    noun: str = "line"

    def text(self, command: str, shown: Sequence[str]) -> str:
        """The block as Markdown with some of its items; `command` shows all, and is Markdown too."""
        text = "\n".join(part for part in (self.head, self.separator.join(shown)) if part)
        if missing := len(self.items) - len(shown):
            text += (
                f"\n\n**{missing} of {len(self.items)} {self.noun}s are left out**, since the page would be too long "
                f"for a comment. To see everything: {command}"
            )
        return f"{text}\n\n{self.tail}" if self.tail else text


def fitted(blocks: Sequence[Block], command: str, limit: int) -> str:
    """The blocks as one page of at most `limit` bytes, with as many items as fit, by rank and order."""
    whole = _joined(blocks, command, [block.items for block in blocks])
    if _size(whole) <= limit:
        return whole
    shown: list[list[str]] = [[] for _ in blocks]
    left = limit - _size(_joined(blocks, command, shown))
    for index, block in sorted(enumerate(blocks), key=lambda pair: pair[1].rank):
        for item in block.short or block.items:
            needed = _size(item) + _size(block.separator)
            if needed <= left:
                left -= needed
                shown[index].append(item)
    return _chopped(_joined(blocks, command, shown), limit)


def _joined(blocks: Sequence[Block], command: str, shown: Sequence[Sequence[str]]) -> str:
    return "\n\n".join(block.text(command, some) for block, some in zip(blocks, shown, strict=True)) + "\n"


def _size(text: str) -> int:
    return len(text.encode())


def _chopped(page: str, limit: int) -> str:
    """The last resort, for a page whose headings alone are too long: its first lines."""
    kept, left = [], limit
    for line in page.splitlines(keepends=True):
        left -= _size(line)
        if left < 0:
            break
        kept.append(line)
    return "".join(kept)
