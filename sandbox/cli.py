"""The command line: `python -m sandbox up|down|status|env|tools|images|path|deploy|curl`.

Exit codes: 0 good, 1 something failed or is not up, 2 wrong usage.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from components.errors import UserError
from components.files.sources import Sources
from delivery.output import print_table, problems, say
from sandbox.cluster import lifecycle
from sandbox.cluster.environment import explicit_kubeconfig, export_lines
from sandbox.cluster.operator import Operator
from sandbox.curl import curl as send
from sandbox.deploy import deploy as run_deploy
from sandbox.images.wanted import build_all, push_all, require_committed
from sandbox.machine.paths import here
from sandbox.nodes.choice import Kind
from sandbox.nodes.real import RealNodes
from sandbox.tools.toolchain import linked_tools, tool_path

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A real Kubernetes control plane on loopback, and the tools that deploy to it.",
)

Nodes = Annotated[
    Kind | None,
    typer.Option(help="Default: what the sandbox has; for a new one simulated nodes."),
]


@app.command()
def up(nodes: Nodes = None) -> None:
    """Start the control plane, the nodes and the Prometheus operator, or repair them; does nothing when they run."""
    with _failures():
        lifecycle.up(here(), nodes)


@app.command()
def down() -> None:
    """Stop every process and remove every file but the cached tools."""
    with _failures():
        lifecycle.down(here())


@app.command()
def env() -> None:
    """Print what a sandbox shell sets: eval "$(python -m sandbox env)"."""
    with _failures():
        say(export_lines(lifecycle.environment(here())))


@app.command()
def tools(
    everything: Annotated[
        bool, typer.Option("--all", help="Include those that `up` does not start: the tests need them.")
    ] = False,
) -> None:
    """Find, download or build the tools; `up` does it too."""
    with _failures():
        lifecycle.tools(here(), everything=everything)


@app.command()
def images(
    push: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Also push them to a registry on this machine."),
    ] = None,
) -> None:
    """Build the images of the pods, without a container engine; those in the cache are only listed."""
    with _failures():
        built = build_all()
        print_table(
            ("image", "contains", "MB", "digest"),
            (
                (each.reference, each.contains, f"{image.size / 1e6:.0f}", image.digest)
                for each, image in built
            ),
        )
        if push is not None:
            push_all(push, built)
        require_committed(here().checkout, built)


@app.command()
def path(
    tool: Annotated[str, typer.Argument(help="A tool, as `status` lists it.")],
    pinned: Annotated[
        bool, typer.Option("--pinned", help="Exactly the pinned version, whatever is installed.")
    ] = False,
) -> None:
    """Print where one tool is; finds, downloads or builds only that one."""
    with _failures():
        say(str(tool_path(here(), tool, pinned=pinned)))


@app.command()
def status() -> None:
    """Show the components and the tools; exit 1 unless all is up."""
    paths = here()
    cluster = lifecycle.cluster_of(paths)
    operator = Operator(paths, cluster)
    kind = lifecycle.kind_of(paths)
    real = RealNodes(paths) if kind is Kind.REAL else None
    print_table(
        ("component", "process", "state"),
        (
            (component.name, str(component.pid or "-"), "not running" if component.pid is None else "running")
            for component in (
                *cluster.components(),
                operator.component(),
                *(() if real is None else real.components()),
            )
        ),
    )
    print_table(
        ("tool", "from", "path"),
        ((tool.name, tool.origin, str(tool.path or "-")) for tool in linked_tools(paths)),
    )
    wanted = explicit_kubeconfig(paths)
    if wanted is not None:
        say(f"KUBECONFIG names {wanted}; the sandbox's own control plane is not used.")
    if kind is not None:
        say(f"The nodes are {kind}.")
    if real is not None and real.world.alive():
        say(f"Images are pushed to {real.registry.host}.")
    if not (cluster.ready() and operator.healthy() and (real is None or real.ready(cluster.kubectl))):
        say("Not up. `python -m sandbox up` starts or repairs it.")
        raise typer.Exit(1)


@app.command()
def deploy(
    stages: Annotated[list[str] | None, typer.Argument(help="Default: staging, then the others.")] = None,
    nodes: Nodes = None,
) -> None:
    """Deploy stages with Pulumi, starting the sandbox if needed, and show what runs."""
    paths = here()
    known = sorted(Sources.of(paths.checkout).stages, key=lambda stage: (stage != "staging", stage))
    unknown = sorted(set(stages or ()) - set(known))
    if unknown:
        raise typer.BadParameter(
            f"Pulumi.{unknown[0]}.yaml does not exist; the stages are {', '.join(known)}"
        )
    with _failures():
        run_deploy(paths, stages or known, nodes)


@app.command()
def curl(
    model: Annotated[str, typer.Argument(help="A model of the stage.")],
    stage: Annotated[str, typer.Option(help="Its stage.")] = "staging",
    path: Annotated[str, typer.Option(help="The path of the URL.")] = "/",
    data: Annotated[str, typer.Option(help="JSON to post; without it the request is a GET.")] = "",
) -> None:
    """Send a request to a model's Service in the cluster, and print the answer; needs real nodes."""
    with _failures():
        code = send(here(), model, stage, path, data)
    raise typer.Exit(code)


@contextmanager
def _failures() -> Iterator[None]:
    with problems():
        try:
            yield
        except subprocess.TimeoutExpired as error:
            command = error.cmd if isinstance(error.cmd, str) else " ".join(map(str, error.cmd))
            raise UserError(
                f"`{command}` did not end within {error.timeout:.0f} s and was stopped",
                "run the same command again; if it stays, `python -m sandbox down` first",
            ) from None
