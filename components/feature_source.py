"""Reads Feast definitions as Python syntax, without running them and without Feast.

Feast takes what the modules hold when they were run. What is read here is the plain form of that: calls at the top of
a module with names and types written out. Anything else is refused, since nobody could review it either.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from components.feature_definitions import (
    EntityDefinition,
    FeatureDefinitions,
    ServiceDefinition,
    ViewDefinition,
    ViewKind,
)
from components.feature_syntax import (
    UnreadableError,
    argument,
    items_of,
    literal,
    one_text,
    text_of,
    type_name,
)
from components.problems import Problem

FOLDER = "features"
_VIEWS = {
    "FeatureView": ViewKind.BATCH,
    "BatchFeatureView": ViewKind.BATCH,
    "StreamFeatureView": ViewKind.STREAM,
    "OnDemandFeatureView": ViewKind.ON_DEMAND,
}
_DECORATORS = {
    "on_demand_feature_view": ViewKind.ON_DEMAND,
    "stream_feature_view": ViewKind.STREAM,
    "batch_feature_view": ViewKind.BATCH,
}
_READ = {*_VIEWS, *_DECORATORS, "Entity", "FeatureService"}


@dataclass
class _Module:
    """One file: its syntax, and where its names come from (module and name there, or Feast's own)."""

    name: str
    file: str
    tree: ast.Module
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    feast: dict[str, str] = field(default_factory=dict)


@dataclass
class _Found:
    """What was read so far; variables are found by module and name."""

    problems: list[Problem] = field(default_factory=list)
    entities: dict[tuple[str, str], EntityDefinition] = field(default_factory=dict)
    views: dict[tuple[str, str], ViewDefinition] = field(default_factory=dict)
    services: list[ServiceDefinition] = field(default_factory=list)


def read_definitions(files: Mapping[str, str]) -> tuple[FeatureDefinitions, list[Problem]]:
    """What the files define, and everything about them that cannot be read.

    Args:
        files: The text of each Python file by its path inside `features/`.
    """
    found = _Found()
    modules: list[_Module] = []
    for path, text in sorted(files.items()):
        file = f"{FOLDER}/{path}"
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            reason = f"is no Python: {error.msg}"
            found.problems.append(
                Problem(file=file, line=error.lineno, reason=reason, fix="correct the line")
            )
            continue
        modules.append(_module(path.removesuffix(".py").replace("/", "."), file, tree))
    # Views name entities, and services name views, which other modules may hold.
    for step in (_read_entity, _read_view, _read_service):
        for module in modules:
            for variable, node, kind in _definitions(module):
                try:
                    step(found, module, variable, node, kind)
                except UnreadableError as error:
                    found.problems.append(_problem(module, error))
    for module in modules:
        found.problems += _hidden(module)
    return _unique(files, found)


def _module(name: str, file: str, tree: ast.Module) -> _Module:
    module = _Module(name=name, file=file, tree=tree)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                name = alias.asname or alias.name
                if node.module.partition(".")[0] == "feast":
                    module.feast[name] = alias.name
                module.imported[name] = (node.module, alias.name)
    return module


def _definitions(module: _Module) -> Iterator[tuple[str, ast.Call, str]]:
    """Variable, call and Feast's class of each definition at the top of a module."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            kind = _feast_name(module, node.value.func)
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if kind in _READ and isinstance(target, ast.Name):
                yield target.id, node.value, kind
        elif isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call):
                    kind = _feast_name(module, decorator.func)
                    if kind in _DECORATORS:
                        yield node.name, decorator, kind


def _hidden(module: _Module) -> Iterator[Problem]:
    """Definitions that are not at the top of the module, so that only running it would tell what they are."""
    seen = {id(node) for _, node, _ in _definitions(module)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and id(node) not in seen:
            kind = _feast_name(module, node.func)
            if kind in _READ:
                yield Problem(
                    file=module.file,
                    line=node.lineno,
                    field=kind,
                    reason="is not at the top of the module, so only running it would tell what it defines",
                    fix=f"write name = {kind}(...) at the top of the module",
                )


def _feast_name(module: _Module, node: ast.expr) -> str:
    """Feast's name of what is called; empty for anything else."""
    if isinstance(node, ast.Name):
        return module.feast.get(node.id, "")
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "feast":
        return node.attr
    return ""


def _read_entity(found: _Found, module: _Module, variable: str, node: ast.Call, kind: str) -> None:
    if kind != "Entity":
        return
    own = text_of(node, "name")
    keys = argument(node, "join_keys")
    value_type = argument(node, "value_type")
    found.entities[module.name, variable] = EntityDefinition(
        name=own,
        join_key=own if keys is None else one_text(keys),
        value_type=None if value_type is None else type_name(value_type),
        file=module.file,
        line=node.lineno,
    )


def _read_view(found: _Found, module: _Module, variable: str, node: ast.Call, kind: str) -> None:
    view_kind = _VIEWS.get(kind) or _DECORATORS.get(kind)
    if view_kind is None:
        return
    # A decorated function gives its view its name.
    own = variable if kind in _DECORATORS and argument(node, "name") is None else text_of(node, "name")
    entities = [_entity(found, module, item) for item in items_of(argument(node, "entities"), "entities")]
    keys = {entity.join_key for entity in entities}
    found.views[module.name, variable] = ViewDefinition(
        name=own,
        kind=view_kind,
        features={name: dtype for name, dtype in _schema(module, node).items() if name not in keys},
        entities=tuple(entity.name for entity in entities),
        file=module.file,
        line=node.lineno,
    )


def _read_service(found: _Found, module: _Module, variable: str, node: ast.Call, kind: str) -> None:
    if kind != "FeatureService":
        return
    features: dict[str, tuple[str, ...]] = {}
    for item in items_of(argument(node, "features"), "features"):
        view, chosen = _projection(found, module, item)
        features[view.name] = chosen
    found.services.append(
        ServiceDefinition(name=text_of(node, "name"), features=features, file=module.file, line=node.lineno)
    )


def _projection(found: _Found, module: _Module, node: ast.expr) -> tuple[ViewDefinition, tuple[str, ...]]:
    """A view and the features taken from it: all, or those in brackets behind it."""
    if isinstance(node, ast.Subscript):
        view, _ = _projection(found, module, node.value)
        items = node.slice.elts if isinstance(node.slice, ast.List | ast.Tuple) else [node.slice]
        chosen = tuple(literal(item) for item in items)
        for feature, item in zip(chosen, items, strict=True):
            if feature not in view.features:
                known = ", ".join(sorted(view.features))
                raise UnreadableError(
                    item,
                    f"{view.name} has no feature {feature}",
                    f"name one of {known}, or add it to the view",
                )
        return view, chosen
    view_of = found.views.get(_origin(module, node))
    if view_of is None:
        raise UnreadableError(
            node,
            "is no view that is defined here, so only running it would tell what is in it",
            "name the variable of a view, with the features in brackets: view[['a', 'b']]",
        )
    return view_of, tuple(view_of.features)


def _entity(found: _Found, module: _Module, node: ast.expr) -> EntityDefinition:
    entity = found.entities.get(_origin(module, node))
    if entity is None:
        raise UnreadableError(
            node, "is no entity that is defined here", "name the variable of an Entity(...)"
        )
    return entity


def _origin(module: _Module, node: ast.expr) -> tuple[str, str]:
    """Module and name of a variable where it is defined."""
    if not isinstance(node, ast.Name):
        return module.name, ""
    source, variable = module.imported.get(node.id, (module.name, node.id))
    return source.removeprefix(f"{FOLDER}."), variable


def _schema(module: _Module, node: ast.Call) -> dict[str, str]:
    schema = argument(node, "schema")
    if schema is None:
        raise UnreadableError(
            node,
            "has no schema, so only the source would tell its features",
            "add schema=[Field(name=..., dtype=...)]",
        )
    features: dict[str, str] = {}
    for item in items_of(schema, "schema"):
        if not isinstance(item, ast.Call) or _feast_name(module, item.func) != "Field":
            raise UnreadableError(item, "is no Field(name=..., dtype=...)", "write the fields out")
        dtype = argument(item, "dtype")
        if dtype is None:
            raise UnreadableError(item, "has no dtype", "add dtype=..., one of feast.types")
        features[text_of(item, "name")] = type_name(dtype)
    return features


def _problem(module: _Module, error: UnreadableError) -> Problem:
    return Problem(
        file=module.file,
        line=getattr(error.node, "lineno", None),
        field=ast.unparse(error.node).partition("(")[0][:80],
        reason=error.reason,
        fix=error.fix,
    )


def _unique(files: Mapping[str, str], found: _Found) -> tuple[FeatureDefinitions, list[Problem]]:
    """Everything by its name; a name that is there twice is a problem, as it is to Feast."""
    problems = list(found.problems)
    entities: dict[str, EntityDefinition] = {}
    views: dict[str, ViewDefinition] = {}
    services: dict[str, ServiceDefinition] = {}
    for entity in found.entities.values():
        problems += _twice("entity", entities.setdefault(entity.name, entity), entity)
    for view in found.views.values():
        problems += _twice("view", views.setdefault(view.name, view), view)
    for service in found.services:
        problems += _twice("service", services.setdefault(service.name, service), service)
    definitions = FeatureDefinitions(files=files, entities=entities, views=views, services=services)
    return definitions, problems


Definition = EntityDefinition | ViewDefinition | ServiceDefinition


def _twice(what: str, first: Definition, this: Definition) -> Iterator[Problem]:
    if first is not this:
        yield Problem(
            file=this.file,
            line=this.line,
            field=this.name,
            reason=f"the {what} {this.name} is defined twice, at first in {first.file}:{first.line}",
            fix="rename or remove one of them",
        )
