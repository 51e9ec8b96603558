"""A file that was written to break its reader has one message, and soon."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from components.errors import Problem
from delivery.checking.check import check
from tests.support.features import write_features
from tests.support.projects import GOOD_STACK, MODEL, project

FILES = ("models/a.yaml", "Pulumi.test.yaml", "Pulumi.yaml")
NAMES = "abcdefghi"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(NAMES)
)
DEEP = ("? ", "- ", "[", "{a: ", "- ? ", "? - ", "[{? ", "{? ", "!!seq [", "&a [", "-\t", "? - ? [", "[\n")


def one(folder: Path, file: str) -> Problem:
    """The one problem of a file, which is found within a second or so."""
    before = time.process_time()
    found = [problem for problem in check(folder).problems if problem.file == file]
    assert time.process_time() - before < 5
    assert len(str(found[0])) < 10_000
    return found[0]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("opening", DEEP, ids=ascii)
@pytest.mark.parametrize("number", [60, 24_300])
def test_what_is_nested_deeply(tmp_path: Path, file: str, opening: str, number: int) -> None:
    project(tmp_path)
    (tmp_path / file).write_text(opening * number)
    assert "not valid YAML" in one(tmp_path, file).reason


def test_what_is_nested_by_its_lines(tmp_path: Path) -> None:
    project(tmp_path, a="".join(f"{' ' * level}a:\n" for level in range(1_000)))
    assert "nested deeper than 50 levels" in one(tmp_path, "models/a.yaml").reason


@pytest.mark.parametrize(
    "number", ["1" * 5_000, "-" + "9" * 5_000, "9223372036854775808", "-9223372036854775809"]
)
def test_a_number_of_more_than_64_bits(tmp_path: Path, number: str) -> None:
    found = one(project(tmp_path, a=MODEL + f"port: {number}\n"), "models/a.yaml")
    assert (found.field, found.reason) == ("port", "is a number that takes more than 64 bits")


@pytest.mark.parametrize("number", [".inf", "-.INF", ".nan", "1.0e+999", "1" * 400 + ".0"])
def test_a_number_that_is_none(tmp_path: Path, number: str) -> None:
    found = one(project(tmp_path, a=MODEL + f"port: {number}\n"), "models/a.yaml")
    assert "without quotes YAML reads this as a number" in found.reason


def test_aliases_that_would_fill_the_memory(tmp_path: Path) -> None:
    assert "aliases are not supported" in one(project(tmp_path, a=BOMB + MODEL), "models/a.yaml").reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [*a]", "aliases are not supported"),
        (
            "owner: !!python/object/apply:os.system [id]",
            "the tag tag:yaml.org,2002:python/object/apply:os.system",
        ),
        ("env: !!set {A: null}", "the tag tag:yaml.org,2002:set is not supported"),
        ("env: !!seq {A: b}", "the tag tag:yaml.org,2002:seq is not supported"),
        ("owner: !!null a", "the tag tag:yaml.org,2002:null is not supported"),
        ("port: !!int '80'", "the tag tag:yaml.org,2002:int is not supported"),
        ("!x\nowner: a", "the tag !x is not supported"),
        ("{[a, b]: c}", "the key a collection is not a text"),
        ("a: 1\n---\na: 2", "expected a single document"),
        ('owner: "\\ud83d"', "not valid YAML"),
        ("owner: a\0b", "contains the character U+0000, which YAML allows only as an escape"),
        ("%YAML 9.9\n---\na: b", "not valid YAML"),
    ],
)
def test_what_no_model_file_contains(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in one(project(tmp_path, a=text), "models/a.yaml").reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "iso-8859-15"])
def test_another_encoding(tmp_path: Path, encoding: str) -> None:
    found = one(project(tmp_path, a=(MODEL + "# €\n").encode(encoding)), "models/a.yaml")
    assert "UTF-8" in found.reason or "not valid YAML" in found.reason


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    assert (
        check(project(tmp_path, GOOD_STACK.encode("utf-8-sig"), a=MODEL.encode("utf-8-sig"))).problems == ()
    )


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{number}: {number}\n" for number in range(20_000)),
        "a: b\n" * 50_000,
        f"{'k' * 70_000}: 1\n",
        f"env: {{{', '.join(f'k{number}: 1' for number in range(20_000))}}}\n",
        f"tolerations: [{', '.join(['{}'] * 10_000)}]\n",
    ],
    ids=["keys", "twice", "long", "values", "list"],
)
def test_thousands_of_mistakes(tmp_path: Path, text: str) -> None:
    one(project(tmp_path, a=MODEL + text), "models/a.yaml")


def test_thousands_of_values_in_an_entry(tmp_path: Path) -> None:
    values = ", ".join(f'K{number}: "1"' for number in range(5_000))
    stack = GOOD_STACK + f"      env: {{{values}}}\n"
    before = time.process_time()
    check(project(tmp_path, stack))
    assert time.process_time() - before < 5


REFUSED = ["\x7f", "\x80", "\x84", "\x85", "\x86", "\x9f", "\ufffe", "\uffff"]
# Odd, and stored as they are written: those next to the others, and what Unicode calls no character.
STORED = ["\t", "~", "\xa0", "\u2028", "\ufdd0", "\ufeff", "\ufffd", "\U0001fffe", "\U0010ffff"]
CELL = 'env:\n  FIRST: "1"\n  SECOND: {}\n'


def escaped(character: str) -> str:
    code = ord(character)
    return f"\\U{code:08x}"


@pytest.mark.parametrize("character", REFUSED, ids=ascii)
@pytest.mark.parametrize("form", ["as it is", "escaped", "in a block", "in a key"])
def test_a_character_that_does_not_reach_the_cluster(tmp_path: Path, character: str, form: str) -> None:
    text = {
        "as it is": CELL.format(f'"a{character}b"'),
        "escaped": CELL.format(f'"a{escaped(character)}b"'),
        "in a block": CELL.format(f"|\n    one\n    a{character}b\n"),
        "in a key": f'env:\n  FIRST: "1"\n  "a{escaped(character)}b": c\n',
    }[form]
    found = one(project(tmp_path, a=MODEL + text), "models/a.yaml")
    name = f"U+{ord(character):04X}"
    assert found.reason == f"contains the character {name}, which the API server refuses or changes"
    assert found.line == MODEL.count("\n") + (5 if form == "in a block" else 3)
    assert found.field == ("env.a" + character + "b" if form == "in a key" else "env.SECOND")
    assert character not in str(found)


@pytest.mark.parametrize("character", STORED, ids=ascii)
def test_other_odd_characters_are_allowed(tmp_path: Path, character: str) -> None:
    report = check(project(tmp_path, a=MODEL + CELL.format(f'"a{escaped(character)}b"')))
    assert report.problems == ()


def test_each_such_character_is_reported_with_what_else_is_wrong(tmp_path: Path) -> None:
    text = CELL.format('"\x80"') + '  THIRD: "\x81"\nowner: a\n# \x1b\n'
    problems = [p for p in check(project(tmp_path, a=MODEL + text)).problems if p.file == "models/a.yaml"]
    first = MODEL.count("\n")
    assert [(p.line, p.field) for p in problems] == [
        (first + 3, "env.SECOND"),
        (first + 4, "env.THIRD"),
        (first + 5, "owner"),
        (first + 6, ""),
    ]
    assert "given twice" in problems[2].reason


def test_such_a_character_in_a_stack_file_and_in_a_definition(tmp_path: Path) -> None:
    folder = project(tmp_path, GOOD_STACK + '  ml-deployments:kubeContext: "a\x9fb"\n')
    write_features(folder)
    (folder / "features" / "entities.py").write_text('# first\nNAME = "\x7f"\n', encoding="utf-8")
    assert one(folder, "Pulumi.test.yaml").field == "config.ml-deployments:kubeContext"
    definition = one(folder, "features/entities.py")
    assert (definition.line, definition.fix) == (2, 'write it as an escape, like "\\u007f"')
