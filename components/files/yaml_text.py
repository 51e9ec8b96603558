"""YAML for people: keys in order, multi-line texts as blocks."""

from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# A query is one line, however long: a folded one cannot be copied.
_WIDTH = 10_000


class Quoted(str):
    """A text that is always written in single quotes."""


class _Dumper(_Base):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401
        """Equal values are written twice: references are hard to read."""
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
