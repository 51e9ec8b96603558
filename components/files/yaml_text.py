"""YAML as people read it: keys in order, texts of several lines as blocks."""

from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# A query is one line, however long: a folded one cannot be copied.
_WIDTH = 10_000


class Quoted(str):
    """A text that is written in single quotes, whatever is in it."""


class _Dumper(_Base):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401
        """What is there twice is written twice: a reference helps nobody who reads it."""
        return True


def _text(dumper: Any, value: str) -> Any:  # noqa: ANN401
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


def _quoted(dumper: Any, value: Quoted) -> Any:  # noqa: ANN401
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style="'")


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Quoted, _quoted)


def dump(data: Any) -> str:  # noqa: ANN401
    """Plain data as YAML, the same text for the same data."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=True, width=_WIDTH, allow_unicode=True)
    return text
