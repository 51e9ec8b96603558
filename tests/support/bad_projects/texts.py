"""What can be wrong with the text of a YAML file: values, keys, structure and depth."""

import json
from collections.abc import Callable
from itertools import pairwise
from random import Random

from tests.support.bad_projects.odd import HOSTILE, NUMBERS, READ_DIFFERENTLY, SIZED, STRUCTURES


def _bomb() -> str:
    levels = "abcdefghi"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise(levels)]
    return "\n".join(lines) + "\n"


def value(rng: Random) -> str:
    """A value as it may be written in YAML, wrong or odd."""
    match rng.randrange(6):
        case 0 | 1:
            return json.dumps(rng.choice(HOSTILE))
        case 2:
            return rng.choice(READ_DIFFERENTLY)
        case 3:
            return json.dumps(rng.choice(READ_DIFFERENTLY))
        case 4:
            return rng.choice((*NUMBERS, *(json.dumps(text) for text in SIZED)))
        case _:
            return rng.choice(STRUCTURES)


def _value_replaced(rng: Random, lines: list[str]) -> list[str]:
    at = rng.randrange(len(lines))
    key, colon, _ = lines[at].partition(": ")
    return [*lines[:at], f"{key}{colon or ': '}{value(rng)}", *lines[at + 1 :]]


def _inner_replaced(rng: Random, lines: list[str]) -> list[str]:
    """Another value for one inside a line such as `{cpu: "1", memory: 2Gi}`."""
    inner = [at for at, line in enumerate(lines) if "{" in line and ": " in line.partition("{")[2]]
    if not inner:
        return lines
    at = rng.choice(inner)
    parts = lines[at].split(": ")
    chosen = rng.randrange(1, len(parts))
    old = parts[chosen]
    end = min((old.find(sign) for sign in ",}]" if sign in old), default=len(old))
    parts[chosen] = value(rng) + old[end:]
    return [*lines[:at], ": ".join(parts), *lines[at + 1 :]]


def _hostile_text(rng: Random, lines: list[str]) -> list[str]:
    """A text that is valid where any text is, so that it comes as far as a rendered object."""
    text = json.dumps(rng.choice((*HOSTILE, *READ_DIFFERENTLY, *SIZED)))
    keys = ("owner: ", "  LOG_LEVEL: ", "  ml-deployments:kubeContext: ", "    owner: ", "encryptionsalt: ")
    wanted = [at for at, line in enumerate(lines) if line.startswith(keys)]
    if not wanted:
        return [*lines, f"owner: {text}"]
    at = rng.choice(wanted)
    return [*lines[:at], f"{lines[at].partition(': ')[0]}: {text}", *lines[at + 1 :]]


def _key(rng: Random, lines: list[str]) -> list[str]:
    at = rng.randrange(len(lines))
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    long = "k" * rng.choice((100, 1_100, 70_000))
    key = rng.choice(
        (
            long,
            json.dumps(long),
            json.dumps(rng.choice(HOSTILE)),
            rng.choice(READ_DIFFERENTLY),
            "? [a, b]\n",
            "1",
            "name",
        )
    )
    return [*lines[:at], f"{indent}{key}: {value(rng)}", *lines[at:]]


def _twice(rng: Random, lines: list[str]) -> list[str]:
    at = rng.randrange(len(lines))
    return [*lines[: at + 1], *lines[at:]]


def _removed(rng: Random, lines: list[str]) -> list[str]:
    at = rng.randrange(len(lines))
    return [*lines[:at], *lines[at + rng.randint(1, 3) :]]


def _moved(rng: Random, lines: list[str]) -> list[str]:
    shuffled = list(lines)
    line = shuffled.pop(rng.randrange(len(shuffled)))
    shuffled.insert(rng.randrange(len(shuffled) + 1), line)
    return shuffled


def _indented(rng: Random, lines: list[str]) -> list[str]:
    at = rng.randrange(len(lines))
    return [*lines[:at], rng.choice((" ", "  ", "\t", "        ", "\u00a0")) + lines[at], *lines[at + 1 :]]


def _deep(rng: Random, lines: list[str]) -> list[str]:
    number = rng.choice((30, 60, 1_000, 24_300, 100_000))
    opening = rng.choice(
        (
            "? ",
            "- ",
            "[",
            "{a: ",
            "- ? ",
            "[{? ",
            "{? ",
            "!!seq [",
            "&a [",
            "? - ",
            "-\t",
            "{\n",
            "[\n",
            "[\n\n",
        )
    )
    deep = opening * number
    if rng.random() < 0.2:
        deep = "\n".join(
            " " * level + rng.choice(("a:", "?", "-", ":")) for level in range(min(number, 1_000))
        )
    at = rng.randrange(len(lines) + 1)
    return (
        [deep]
        if rng.random() < 0.3
        else [*lines[:at], rng.choice(("", "env: ", "z:\n  ")) + deep, *lines[at:]]
    )


def _bomb_added(rng: Random, lines: list[str]) -> list[str]:
    return [*_bomb().splitlines(), *lines] if rng.random() < 0.5 else [*lines, *_bomb().splitlines()]


def _characters(rng: Random, lines: list[str]) -> list[str]:
    at = rng.randrange(len(lines))
    line = lines[at]
    where = rng.randrange(len(line) + 1)
    sign = rng.choice(
        (
            "\t",
            "\x1b",
            "\0",
            "\u2028",
            "\x85",
            "\ufeff",
            "\u202e",
            "'",
            '"',
            "#",
            ": ",
            "- ",
            "{",
            "]",
            "&",
            "*",
            "!",
            "|",
            ">",
            "%",
            "@",
            "`",
            "\\",
        )
    )
    return [*lines[:at], line[:where] + sign + line[where:], *lines[at + 1 :]]


def _long_list(rng: Random, lines: list[str]) -> list[str]:
    at = rng.randrange(len(lines))
    key = lines[at].partition(": ")[0]
    item = rng.choice(("a", "{a: b}", "[]", '"1"', "1"))
    return [
        *lines[:at],
        f"{key}: [{', '.join([item] * rng.choice((100, 100, 100, 20_000)))}]",
        *lines[at + 1 :],
    ]


TEXTS: tuple[Callable[[Random, list[str]], list[str]], ...] = (
    _value_replaced,
    _value_replaced,
    _inner_replaced,
    _inner_replaced,
    _hostile_text,
    _hostile_text,
    _hostile_text,
    _key,
    _twice,
    _removed,
    _moved,
    _indented,
    _deep,
    _bomb_added,
    _characters,
    _long_list,
)
