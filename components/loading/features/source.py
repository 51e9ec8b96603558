"""Reads Feast definitions as Python syntax, without running them and without Feast.

Feast takes what the modules hold when they were run. What is read here is the plain form of that: calls at the top of
a module with names and types written out. Anything else is refused, since nobody could review it either.

Each mistake is told once, where it is: what names something that could not be read is not told on top of that.
"""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from components.files.problems import Problem
from components.loading.features.modules import (
    DECORATORS,
    FOLDER,
    READ,
    VIEWS,
    Definition,
    Module,
    definitions,
    feast_name,
    hidden_names,
    module_problems,
    parsed,
    resolved,
)
from components.loading.features.reading import Found, Reading
from components.loading.features.refusals import refused
from components.loading.features.signatures import wrong_arguments
from components.loading.features.syntax import (
    DefinitionError,
    ToldError,
    argument,
    given,
    literal,
    missing,
    one_text,
    text_of,
)
from components.loading.features.types import feature_type, value_type
from components.settings.feature_definitions import (
    EntityDefinition,
    FeatureDefinitions,
    ServiceDefinition,
    ViewDefinition,
)


def read_definitions(
    files: Mapping[str, str], unread: Collection[str] = ()
) -> tuple[FeatureDefinitions, list[Problem]]:
    """What the files define, and everything about them that cannot be read or that Feast refuses.

    Args:
        files: The text of each Python file by its path inside `features/`.
        unread: The paths of files that are there, and whose text is not; what is imported from them is not told.
    """
    modules: list[Module] = []
    problems: list[Problem] = []
    told = {path.removesuffix(".py").replace("/", ".") for path in unread}
    for path, text in sorted(files.items()):
        try:
            modules.append(parsed(path, text))
        except SyntaxError as wrong:
            told.add(path.removesuffix(".py").replace("/", "."))
            reason = f"is no Python: {wrong.msg}"
            problems.append(
                Problem(file=f"{FOLDER}/{path}", line=wrong.lineno, reason=reason, fix="correct the line")
            )
    names = frozenset(module.name for module in modules)
    made = {each.key: each for module in modules for each in definitions(module)}
    for module in modules:
        problems += module_problems(module, names)
        told |= hidden_names(module)
    found = Found(made=made, told=told, problems=problems)
    # Views name entities, and services name views, which other modules may hold.
    for step, kinds in _STEPS:
        for definition in made.values():
            if definition.kind in kinds:
                reading = Reading(found, definition)
                for error in wrong_arguments(definition.node, definition.kind):
                    reading.tell(error)
                step(reading)
                if not reading.whole:
                    found.told.add(definition.key)
            elif definition.kind.endswith("View") and definition.kind not in READ:
                found.told.add(definition.key)
    return _unique(files, found)


def _read_entity(reading: Reading) -> None:
    node, module = reading.node, reading.definition.module
    own = reading.part(lambda: text_of(node, "name"))
    keys = argument(node, "join_keys")
    key = own if keys is None or not given(node, "join_keys") else reading.part(lambda: one_text(keys))
    kind = argument(node, "value_type")
    written = (
        None
        if kind is None or not given(node, "value_type")
        else reading.part(lambda: value_type(module, kind))
    )
    if own is not None and key is not None and reading.whole:
        reading.found.entities[reading.definition.key] = EntityDefinition(
            name=own, join_key=key, value_type=written, file=module.file, line=reading.line
        )


def _read_view(reading: Reading) -> None:
    definition, node = reading.definition, reading.node
    # A decorated function gives its view its name.
    decorated = definition.kind in DECORATORS and argument(node, "name") is None
    own = definition.variable if decorated else reading.part(lambda: text_of(node, "name"))
    entities = reading.parts("entities", lambda item: _entity(reading, item))
    fields = _schema(reading)
    for error in refused(definition, own or "", entities, fields, reading.found.made):
        reading.tell(error)
    keys = {entity.join_key for entity in entities}
    if reading.whole and not fields.keys() - keys:
        reason = "names no feature, so Feast would take every column of the source"
        fix = "add Field(name=..., dtype=...) for each feature"
        reading.tell(DefinitionError(argument(node, "schema") or node, reason, fix))
    if own is None or not reading.whole:
        return
    reading.found.views[definition.key] = ViewDefinition(
        name=own,
        kind=VIEWS.get(definition.kind) or DECORATORS[definition.kind],
        features={name: dtype for name, (dtype, _) in fields.items() if name not in keys},
        entities=tuple(entity.name for entity in entities),
        file=definition.module.file,
        line=reading.line,
    )


def _read_service(reading: Reading) -> None:
    module, node = reading.definition.module, reading.node
    own = reading.part(lambda: text_of(node, "name"))
    if argument(node, "features") is None:
        reading.tell_missing("has no features=", "add features=[...] with the views it takes")
    features: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    for item, (view, chosen) in reading.parts("features", lambda item: (item, _projection(reading, item))):
        for feature in chosen:
            if (first := owners.get(feature)) is not None:
                # Feast could not answer.
                whence = f"from {first} and from {view.name}" if first != view.name else f"twice from {first}"
                reason = f"takes {feature} {whence}, and a model reads it by its name alone"
                fix = "rename the feature in one view, or leave it out of one: view[['a', 'b']]"
                reading.tell(DefinitionError(item, reason, fix, own))
            owners[feature] = view.name
        features[view.name] = (*features.get(view.name, ()), *chosen)
    if own is not None and reading.whole:
        reading.found.services[reading.definition.key] = ServiceDefinition(
            name=own, features=features, file=module.file, line=reading.line
        )


_STEPS: tuple[tuple[Callable[[Reading], None], frozenset[str]], ...] = (
    (_read_entity, frozenset({"Entity"})),
    (_read_view, frozenset({*VIEWS, *DECORATORS})),
    (_read_service, frozenset({"FeatureService"})),
)


def _projection(reading: Reading, node: ast.expr) -> tuple[ViewDefinition, tuple[str, ...]]:
    """A view and the features taken from it: all, or those in brackets behind it."""
    if isinstance(node, ast.Subscript):
        view, _ = _projection(reading, node.value)
        if not isinstance(node.slice, ast.List):
            reason = "has no list in its brackets, and Feast takes only that"
            raise DefinitionError(node.slice, reason, "write two brackets: view[['a', 'b']]")
        chosen = []
        for item in node.slice.elts:
            feature = reading.part(partial(literal, item))
            if feature is not None and feature not in view.features:
                fix = f"name one of {', '.join(sorted(view.features))}, or add it to the view"
                reading.tell(DefinitionError(item, f"{view.name} has no feature {feature}", fix))
            elif feature is not None:
                chosen.append(feature)
        return view, tuple(chosen)
    origin = resolved(reading.definition.module, node)
    found = reading.found.views.get(origin)
    if found is None:
        fix = "name the variable of a view, with the features in brackets: view[['a', 'b']]"
        raise _unknown(reading, origin, node, "view", fix)
    return found, tuple(found.features)


def _entity(reading: Reading, node: ast.expr) -> EntityDefinition:
    origin = resolved(reading.definition.module, node)
    found = reading.found.entities.get(origin)
    if found is None:
        raise _unknown(reading, origin, node, "entity", "name the variable of an Entity(...)")
    return found


def _unknown(reading: Reading, origin: str, node: ast.expr, what: str, fix: str) -> Exception:
    """Why a name stands for nothing that was read."""
    made = reading.found.made.get(origin)
    if reading.found.is_told(origin):
        return ToldError()
    if made is not None:
        return DefinitionError(
            node, f"is made by {made.made_by}(...), and is no {what} that is read here", fix
        )
    reason = f"is no {what} that is defined here, so only running it would tell what is in it"
    return DefinitionError(node, reason, fix)


def _schema(reading: Reading) -> dict[str, tuple[str, ast.Call]]:
    """The type of each field that can be read, and the field."""
    if argument(reading.node, "schema") is None:
        reason = "has no schema, so only the source would tell its features"
        reading.tell_missing(reason, "add schema=[Field(name=..., dtype=...)]")
    found: dict[str, tuple[str, ast.Call]] = {}
    module = reading.definition.module

    def read(item: ast.expr) -> None:
        if not isinstance(item, ast.Call) or feast_name(module, item.func) != "Field":
            raise DefinitionError(item, "is no Field(name=..., dtype=...)", "write the fields out")
        for error in wrong_arguments(item, "Field"):
            reading.tell(error)
        name = reading.part(lambda: text_of(item, "name"))
        dtype = argument(item, "dtype")
        if dtype is None:
            raise missing(item, "has no dtype", "add dtype=..., one of feast.types")
        kind = feature_type(module, dtype)
        if name is not None:
            found[name] = (kind, item)

    reading.parts("schema", read)
    return found


def _unique(files: Mapping[str, str], found: Found) -> tuple[FeatureDefinitions, list[Problem]]:
    """Everything by its name. Feast refuses two views of one name, and of two others keeps one, no matter which."""
    problems = list(found.problems)
    entities: dict[str, EntityDefinition] = {}
    views: dict[str, ViewDefinition] = {}
    services: dict[str, ServiceDefinition] = {}
    cases: dict[str, ViewDefinition] = {}
    for entity in found.entities.values():
        problems += _twice("entity", entities.setdefault(entity.name, entity), entity)
    for view in found.views.values():
        views.setdefault(view.name, view)
        problems += _twice("view", cases.setdefault(view.name.lower(), view), view)
    problems += _same_sources(found.made.values())
    for service in found.services.values():
        problems += _twice("service", services.setdefault(service.name, service), service)
    read = FeatureDefinitions(files=files, entities=entities, views=views, services=services)
    return read, problems


def _same_sources(made: Iterable[Definition]) -> Iterator[Problem]:
    """Sources of one name; `feast apply` keeps one, no matter which, and a plan is refused."""
    seen: dict[str, Definition] = {}
    for each in made:
        name = argument(each.node, "name")
        if each.kind.endswith("Source") and isinstance(name, ast.Constant) and isinstance(name.value, str):
            first = seen.setdefault(name.value.lower(), each)
            if first is not each:
                where = f"{first.module.file}:{first.node.lineno}"
                reason = f"the source {name.value} has the name of another one in {where}, whatever its case"
                yield each.module.problem(name, reason, "rename or remove one of them", name.value)


_Defined = EntityDefinition | ViewDefinition | ServiceDefinition


def _twice(what: str, first: _Defined, this: _Defined) -> Iterator[Problem]:
    if first is this:
        return
    reason = f"the {what} {this.name} is defined twice, at first in {first.file}:{first.line}"
    if first.name != this.name:
        reason = (
            f"the {what} {this.name} differs from {first.name} in {first.file}:{first.line} in its case only"
        )
    yield Problem(
        file=this.file, line=this.line, field=this.name, reason=reason, fix="rename or remove one of them"
    )
