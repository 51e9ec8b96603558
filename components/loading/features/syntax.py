"""Pieces of Python syntax that are read without running them. Pure functions that raise DefinitionError."""

import ast
from dataclasses import dataclass

_LITERAL = "write it out as a text in quotes"


@dataclass(eq=False)
class DefinitionError(Exception):
    """Something that only running the module would tell, or that Feast refuses.

    Attributes:
        node: Where it is.
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it.
        name: What is told of the place; None for the begin of what is written there.
    """

    node: ast.AST
    reason: str
    fix: str
    name: str | None = None


class ToldError(Exception):
    """A name of something whose own mistake is told where it is."""


def argument(node: ast.Call, name: str) -> ast.expr | None:
    """A named argument of a call; None where it is not given."""
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def given(node: ast.Call, name: str) -> bool:
    """True where a named argument is given and is not None."""
    value = argument(node, name)
    return value is not None and not (isinstance(value, ast.Constant) and value.value is None)


def missing(node: ast.Call, reason: str, fix: str) -> Exception:
    """Why an argument that is needed is not there; told already where others are given without their names."""
    if node.args or any(keyword.arg is None for keyword in node.keywords):
        return ToldError()
    return DefinitionError(node, reason, fix)


def text_of(node: ast.Call, name: str) -> str:
    """A named argument that must be a text."""
    value = argument(node, name)
    if value is None:
        raise missing(node, f"has no {name}=", f'add {name}="..."')
    return literal(value)


def literal(node: ast.expr) -> str:
    """The text that a node is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise DefinitionError(node, "is no text, so only running it would tell what it is", _LITERAL)


def one_text(node: ast.expr) -> str:
    """The one text of a list."""
    items = items_of(node, "join_keys")
    if len(items) != 1:
        raise DefinitionError(node, "has not exactly one join key", "name one; Feast takes no more")
    return literal(items[0])


def items_of(node: ast.expr | None, name: str) -> list[ast.expr]:
    """The items of a list that is written out; none where there is no list."""
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return []
    if isinstance(node, ast.Tuple):
        raise DefinitionError(node, f"{name} is a tuple, and Feast takes a list only", "write [...]")
    if not isinstance(node, ast.List):
        raise DefinitionError(
            node, f"{name} is no list, so only running it would tell what is in it", "write it out"
        )
    return node.elts
