"""Pieces of Python syntax that are read without running them. Pure functions that raise UnreadableError."""

import ast
from dataclasses import dataclass

_LITERAL = "write it out as a text in quotes"


@dataclass(eq=False)
class UnreadableError(Exception):
    """Something that only running the module would tell."""

    node: ast.AST
    reason: str
    fix: str


def type_name(node: ast.expr) -> str:
    """A type as it is written, without the module it is taken from."""
    return ast.unparse(node).replace("feast.types.", "").replace("types.", "").replace("ValueType.", "")


def argument(node: ast.Call, name: str) -> ast.expr | None:
    """A named argument of a call; None where it is not given."""
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def text_of(node: ast.Call, name: str) -> str:
    """A named argument that must be a text."""
    value = argument(node, name)
    if value is None:
        raise UnreadableError(node, f"has no {name}=", f'add {name}="..."')
    return literal(value)


def literal(node: ast.expr) -> str:
    """The text that a node is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise UnreadableError(node, "is no text, so only running it would tell what it is", _LITERAL)


def one_text(node: ast.expr) -> str:
    """The one text of a list."""
    items = items_of(node, "join_keys")
    if len(items) != 1:
        raise UnreadableError(node, "has not exactly one join key", "name one; Feast takes no more")
    return literal(items[0])


def items_of(node: ast.expr | None, name: str) -> list[ast.expr]:
    """The items of a list that is written out; none where there is no list."""
    if node is None:
        return []
    if not isinstance(node, ast.List | ast.Tuple):
        raise UnreadableError(
            node, f"{name} is no list, so only running it would tell what is in it", "write it out"
        )
    return node.elts
