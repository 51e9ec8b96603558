"""The modules in `features/` as syntax: where their names come from, and the calls that define something."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from components.files.problems import Problem
from components.settings.feature_definitions import ViewKind

FOLDER = "features"
VIEWS = {
    "FeatureView": ViewKind.BATCH,
    "BatchFeatureView": ViewKind.BATCH,
    "StreamFeatureView": ViewKind.STREAM,
    "OnDemandFeatureView": ViewKind.ON_DEMAND,
}
DECORATORS = {
    "on_demand_feature_view": ViewKind.ON_DEMAND,
    "stream_feature_view": ViewKind.STREAM,
    "batch_feature_view": ViewKind.BATCH,
}
READ = frozenset({*VIEWS, *DECORATORS, "Entity", "FeatureService"})
_VIEW_FIX = "define a FeatureView, BatchFeatureView, StreamFeatureView or OnDemandFeatureView"
_PROJECT_FIX = "remove it: the program names the project of each stage in feature_store.yaml"


@dataclass
class Module:
    """One file.

    Attributes:
        name: What Feast imports it as.
        file: Its path in the project.
        tree: Its syntax.
        imported: Where each imported name comes from, as a dotted name.
    """

    name: str
    file: str
    tree: ast.Module
    imported: dict[str, str] = field(default_factory=dict)

    def problem(self, node: ast.AST, reason: str, fix: str, name: str | None = None) -> Problem:
        """A problem at a piece of the file; `name` is what is told of it instead of its begin."""
        return Problem(
            file=self.file,
            line=getattr(node, "lineno", None),
            field=ast.unparse(node).partition("(")[0][:80] if name is None else name,
            reason=reason,
            fix=fix,
        )


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A call at the top of a module whose result has a name there.

    Attributes:
        module: The module.
        variable: The name.
        node: The call.
        kind: Feast's class or decorator; empty where Feast's is not called.
        made_by: What is called, as it is written.
    """

    module: Module
    variable: str
    node: ast.Call
    kind: str
    made_by: str

    @property
    def key(self) -> str:
        """The dotted name that others import it by."""
        return f"{self.module.name}.{self.variable}"


def parsed(path: str, text: str) -> Module:
    """One file as a module; raises SyntaxError, also for what is no Python for another reason."""
    try:
        tree = ast.parse(text)
    except (ValueError, RecursionError) as error:
        raise SyntaxError(str(error)) from None
    name = path.removesuffix(".py").replace("/", ".")
    module = Module(name=name, file=f"{FOLDER}/{path}", tree=tree)
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                module.imported[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            # With `features.` it is told by itself; what is taken from there is the same.
            source = _source(module, node).removeprefix(f"{FOLDER}.")
            module.imported |= {each.asname or each.name: f"{source}.{each.name}" for each in node.names}
    return module


def _source(module: Module, node: ast.ImportFrom) -> str:
    """The module that a name is imported from; a relative one is that of the folder."""
    if not node.level:
        return node.module or ""
    package = module.name.split(".")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def resolved(module: Module, node: ast.expr) -> str:
    """The dotted name of what a name stands for; empty where only running it would tell."""
    if isinstance(node, ast.Name):
        return module.imported.get(node.id, f"{module.name}.{node.id}")
    if isinstance(node, ast.Attribute) and (owner := resolved(module, node.value)):
        return f"{owner}.{node.attr}"
    return ""


def feast_name(module: Module, node: ast.expr) -> str:
    """Feast's name of what is called; empty for anything else."""
    found = resolved(module, node)
    return found.rpartition(".")[2] if found.startswith("feast.") else ""


def definitions(module: Module) -> Iterator[Definition]:
    """Each call at the top of a module whose result has a name there; of one name the last, which Feast sees alone."""
    found: dict[str, Definition] = {}
    for node in module.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    found[target.id] = _definition(module, target.id, node.value)
        elif isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and feast_name(module, decorator.func) in DECORATORS:
                    found[node.name] = _definition(module, node.name, decorator)
    yield from found.values()


def _definition(module: Module, variable: str, node: ast.Call) -> Definition:
    kind = feast_name(module, node.func)
    return Definition(
        module=module, variable=variable, node=node, kind=kind, made_by=ast.unparse(node.func)[:80]
    )


def hidden(module: Module) -> Iterator[ast.Call]:
    """Calls that define something, and are not at the top of the module."""
    seen = {id(each.node) for each in definitions(module)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and id(node) not in seen and feast_name(module, node.func) in READ:
            yield node


def hidden_names(module: Module) -> set[str]:
    """The dotted names that calls which are not at the top may give what they define."""
    calls = {id(node) for node in hidden(module)}
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign) and any(id(each) in calls for each in ast.walk(node.value)):
            found |= {f"{module.name}.{target.id}" for target in node.targets if isinstance(target, ast.Name)}
    return found


def module_problems(module: Module, names: frozenset[str]) -> Iterator[Problem]:
    """What of a module nobody can read, and what of its imports and kinds Feast refuses.

    Args:
        module: The module.
        names: The names of all modules.
    """
    for call in hidden(module):
        kind = feast_name(module, call.func)
        reason = "is not at the top of the module, so only running it would tell what it defines"
        yield module.problem(call, reason, f"write name = {kind}(...) at the top of the module", kind)
    for statement in module.tree.body:
        yield from _imports(module, statement, names)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            kind = feast_name(module, node.func)
            if kind.endswith("View") and kind not in VIEWS:
                reason = f"a {kind} is not read here, so nobody could say what a service takes from it"
                yield module.problem(node, reason, _VIEW_FIX, kind)
            elif kind == "Project":
                reason = (
                    "Feast applies only the project that feature_store.yaml names, another one in each stage"
                )
                yield module.problem(node, reason, _PROJECT_FIX, kind)


def _imports(module: Module, node: ast.stmt, names: frozenset[str]) -> Iterator[Problem]:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.ImportFrom) and node.level and "." not in module.name:
        reason = "is a relative import, and Feast imports each file by its name alone"
        yield module.problem(node, reason, f"write from {node.module or 'module'} import ...")
        return
    source = _source(module, node) if isinstance(node, ast.ImportFrom) else ""
    sources = [source] if source else [alias.name for alias in node.names]
    for each in sources:
        if each.partition(".")[0] == FOLDER and not any(n.startswith(f"{FOLDER}.") for n in names):
            reason = f"Feast runs inside {FOLDER}/, where there is no module {FOLDER}"
            yield module.problem(node, reason, f"leave {FOLDER}. out")
    starred = any(alias.name == "*" for alias in node.names)
    if starred and (source.partition(".")[0] == "feast" or source in names):
        reason = "takes every name, so only running it would tell which these are"
        yield module.problem(node, reason, "name what is imported")
