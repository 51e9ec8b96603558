"""The YAML that the project writes: what a reader finds in it, and that it is the text PyYAML itself would write."""

from typing import Any

import pytest
import yaml

from components.files.yaml_text import Quoted, dump

TEXTS = (
    *(
        "",
        " ",
        "a",
        "yes",
        "No",
        "null",
        "~",
        "=",
        "<<",
        "on",
        "1",
        "1.10",
        "0x1F",
        ".5",
        "1_000",
    ),
    *(
        "2024-01-02",
        "12:30:45",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "'a'",
        '"a"',
        "{a}",
        "[a]",
        "*a",
        "&a",
        "!a",
        "%a",
    ),
    *(
        "@a",
        "`a`",
        "|",
        ">",
        "?",
        ":",
        " a",
        "a ",
        "\ta",
        "a\t",
        "ä",
        "\x07",
        "😀",
        "a\\b",
        "x" * 20_000,
    ),
    *(
        "a\nb",
        "a\n",
        "\n",
        "a\n\nb\n\n",
        " a\nb",
        "a \nb",
        "a\n\tb",
        "a\r\nb",
        "yes\nno",
        "# a\nb",
        "ä\nb",
        "\x07\n",
    ),
)


class _Nodes(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Nodes, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Nodes.add_representer(str, _text)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:20]))
def test_a_text_is_read_as_the_same_text_and_written_as_pyyaml_writes_it(text: str) -> None:
    for data in (text, {text: text}, [text, [text]], {"a": [{"b": text, "c": 1}]}):
        assert yaml.safe_load(dump(data)) == data
        assert dump(data) == yaml.dump(data, Dumper=_Nodes, width=10_000, allow_unicode=True)


# What readers of YAML 1.1, of YAML 1.2 or in Go take for something else, and PyYAML writes without quotes.
ELSEWHERE = (
    *("y", "Y", "n", "N", "1e3", "1E3", "1e+3", ".1E9", "-.5", "+.5", "+.5e3", "1.e1", "12e03"),
    *("0o17", "0O17", "-0o7", "0b-1", "0B1", "0X1f", "0o-7", "08", "0_8", "1_e3", "0_x1f", "1__0.5"),
    *("2024-1-2", "2024-1-2 3:4:5", "2024-01-02T03"),
)


@pytest.mark.parametrize("text", ELSEWHERE)
def test_a_text_that_others_read_differently_is_quoted(text: str) -> None:
    assert dump({"a": text, "b": [text], text: "c"}) == "".join(
        sorted([f"a: '{text}'\n", f"b:\n- '{text}'\n", f"'{text}': c\n"], key=lambda line: line.strip("'"))
    )


@pytest.mark.parametrize(
    "text", ["v1.2.3", "1.2.3", "10.0.0.0/8", "1h30m", "0xg", "0o8", "1,000", "yn", "1e", "e3", "-", "+"]
)
def test_a_text_that_is_one_for_all_stays_plain(text: str) -> None:
    assert dump(text).rstrip("\n").removesuffix("\n...") in {text, f"'{text}'" if text == "-" else text}


@pytest.mark.parametrize("text", ["a\u2028b\n  c", "\x85", "a\rb", "\u2029\n"])
def test_other_ends_of_lines_are_escaped(text: str) -> None:
    """They end a line for YAML 1.1, and are part of the text for YAML 1.2."""
    assert dump(text).isascii()
    assert yaml.safe_load(dump(text)) == text


@pytest.mark.parametrize(
    "text", ["\u202egnp.exe", "a\u200bb\n", "\u2066x\u2069", "\u00ad", "x " * 9_000 + "\u200b"], ids=ascii
)
def test_what_is_not_seen_is_escaped(text: str) -> None:
    for data in (text, {text: text}, [Quoted(text)]):
        assert dump(data).isascii()
        assert yaml.safe_load(dump(data)) == data


def test_what_is_not_a_text_is_written_as_pyyaml_writes_it() -> None:
    shared = {"z": 1}
    values: tuple[Any, ...] = (
        {"m": None, "t": True, "i": -3, "f": 0.5, "e": {}, "l": [], "d": {"b": shared, "a": (shared, [])}},
        {1: 2},
        [],
        {},
        None,
    )
    for value in values:
        assert dump(value) == yaml.dump(value, Dumper=_Nodes)


def test_keys_are_in_order_and_a_text_of_several_lines_is_a_block() -> None:
    assert dump({"b": "x\ny\n", "a": [1]}) == "a:\n- 1\nb: |\n  x\n  y\n"


def test_a_quoted_text_stays_quoted_beside_the_same_text_without_quotes() -> None:
    assert dump({"a": "x", "b": Quoted("x"), "c": "x"}) == "a: x\nb: 'x'\nc: x\n"


def test_what_yaml_cannot_represent_is_refused() -> None:
    with pytest.raises(yaml.YAMLError):
        dump({"a": object()})
