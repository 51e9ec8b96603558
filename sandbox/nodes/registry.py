"""The registry of images of the real nodes."""

from sandbox.machine.servers import answers
from sandbox.nodes.daemon import Daemon
from sandbox.nodes.plan import REGISTRY_PORT, WORLD_ADDRESS
from sandbox.nodes.world import REGISTRY, World
from sandbox.tools import pins
from sandbox.tools.go_build import built_tools


class Registry:
    """An OCI registry in the world: the nodes pull every image from it, and it can be pushed to from outside.

    Attributes:
        daemon: Its process.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._folder = world.folder / "registry"
        self.daemon = Daemon("registry", self._folder)

    @property
    def host(self) -> str:
        """Its `HOST:PORT` on the machine's loopback."""
        return f"127.0.0.1:{self._world.port(REGISTRY)}"

    def up(self) -> bool:
        """Start it unless it answers; returns whether it was started.

        Raises:
            UserError: it does not answer.
        """
        if self._answers():
            return False
        self.daemon.stop()
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "config.yaml"
        config.write_text(
            "version: 0.1\nlog: {level: warn}\n"
            f"storage: {{filesystem: {{rootdirectory: {self._folder}/data}}}}\n"
            f"http: {{addr: '{WORLD_ADDRESS}:{REGISTRY_PORT}'}}\n",
            encoding="utf-8",
        )
        quiet = ["env", "OTEL_TRACES_EXPORTER=none"]
        process = self.daemon.start(
            [*self._world.entered(), *quiet, built_tools(pins.REGISTRY) / "registry", "serve", config]
        )
        self.daemon.wait(process, self._answers)
        return True

    def _answers(self) -> bool:
        return self.daemon.pid is not None and answers(f"http://{self.host}/v2/")
