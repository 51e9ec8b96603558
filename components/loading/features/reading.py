"""What was read of the definitions so far, and how a mistake in one is kept without losing the others."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from components.files.problems import Problem
from components.loading.features.modules import Definition
from components.loading.features.syntax import DefinitionError, ToldError, argument, items_of, missing
from components.settings.feature_definitions import EntityDefinition, ServiceDefinition, ViewDefinition

Read = TypeVar("Read")


@dataclass
class Found:
    """What was read so far, by the dotted name that others import it by.

    Attributes:
        made: Every call at the top of a module whose result has a name.
        told: The names, and the modules, of what could not be read.
    """

    made: dict[str, Definition]
    told: set[str]
    problems: list[Problem] = field(default_factory=list)
    entities: dict[str, EntityDefinition] = field(default_factory=dict)
    views: dict[str, ViewDefinition] = field(default_factory=dict)
    services: dict[str, ServiceDefinition] = field(default_factory=dict)

    def is_told(self, name: str) -> bool:
        """True where a name, or the module it is in, could not be read."""
        return name in self.told or name.rpartition(".")[0] in self.told


@dataclass
class Reading:
    """One definition that is read: what goes wrong with a part of it does not keep the others from being read."""

    found: Found
    definition: Definition
    whole: bool = True

    @property
    def node(self) -> ast.Call:
        """Its call."""
        return self.definition.node

    @property
    def line(self) -> int:
        """The line of its name, or of the call where that is the function's."""
        return (argument(self.node, "name") or self.node).lineno

    def tell(self, error: DefinitionError) -> None:
        """Keep a problem of the definition."""
        self.whole = False
        problem = self.definition.module.problem(error.node, error.reason, error.fix, error.name)
        self.found.problems.append(problem)

    def tell_missing(self, reason: str, fix: str) -> None:
        """Keep that an argument is not there."""

        def read() -> None:
            raise missing(self.node, reason, fix)

        self.part(read)

    def part(self, read: Callable[[], Read]) -> Read | None:
        """What is read; None where that is told."""
        try:
            return read()
        except DefinitionError as error:
            self.tell(error)
        except ToldError:
            self.whole = False
        return None

    def parts(self, name: str, read: Callable[[ast.expr], Read]) -> list[Read]:
        """What is read of each item of a list that is an argument."""
        items = self.part(lambda: items_of(argument(self.node, name), name))
        several = (self.part(partial(read, item)) for item in items or [])
        return [each for each in several if each is not None]
