"""A stand-in for `pulumi-language-python`, used in the local sandbox where the official one is not available.

A Pulumi language host: a gRPC service that the CLI starts to run a Python program. It runs the program with the
project's virtual environment and ends with the CLI.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2, struct_pb2

from sandbox.stand_ins import EXIT_SHOWN
from sandbox.stand_ins.messages import import_messages_alone
from sandbox.stand_ins.plugin import serve

import_messages_alone()
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402

# The kind of plugin the engine asks for when it starts a policy pack.
_POLICY_PACK = "analyzer"


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs one Python program for the engine at `engine`."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version="0.0.0-stand-in")

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """None: the Kubernetes plugin is on PATH, and a named version would be searched for elsewhere."""
        return language_pb2.GetRequiredPackagesResponse()

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Nothing to do: `make install` creates the virtual environment."""
        yield language_pb2.InstallDependenciesResponse(stdout=b"make install installs the dependencies\n")

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program to its end."""
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        settings = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
        }
        program = Path(request.info.program_directory or request.pwd, request.info.entry_point or ".")
        command = [_python(request.info), "-m", "sandbox.stand_ins.program_runner"]
        # Its output is the program's, so it goes to the same place as this process' output: the CLI.
        process = self._start([*command, json.dumps(settings), str(program)], request.pwd, environment)
        code = process.wait()
        if code == 0:
            return language_pb2.RunResponse()
        if code in {1, EXIT_SHOWN}:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}")

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a plugin written in Python; a policy pack is one that the SDK's own module starts."""
        python, folder = [_python(request.info), "-u"], request.info.program_directory
        if request.kind == _POLICY_PACK:
            command = [*python, "-m", "pulumi.policy", *request.args, folder]
        else:
            command = [*python, folder, *request.args]
        environment = {**os.environ, **dict(item.split("=", 1) for item in request.env)}
        process = self._start(command, request.pwd, environment, pipes=True)
        # Ending the call is how the engine ends a plugin.
        if not context.add_callback(process.terminate):
            process.terminate()
        for name, line in _lines(process):
            if name == "stdout":
                yield language_pb2.RunPluginResponse(stdout=line)
            else:
                yield language_pb2.RunPluginResponse(stderr=line)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.stop()
        return empty_pb2.Empty()

    def stop(self) -> None:
        """End the program and the running plugins."""
        with self._lock:
            for process in self._processes:
                if process.poll() is None:
                    process.terminate()

    def _start(
        self, command: list[str], folder: str, environment: dict[str, str], *, pipes: bool = False
    ) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE if pipes else None
        with self._lock:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe)
            self._processes.append(process)
        return process


def _lines(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """What a process writes, each line with `stdout` or `stderr`, until both are closed."""
    written: queue.Queue[tuple[str, bytes | None]] = queue.Queue()

    def pump(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            written.put((name, line))
        written.put((name, None))

    for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
        assert stream is not None
        threading.Thread(target=pump, args=(name, stream), daemon=True).start()
    still_open = 2
    while still_open:
        name, line = written.get()
        if line is None:
            still_open -= 1
        else:
            yield name, line


def _python(info: language_pb2.ProgramInfo) -> str:
    """The interpreter of the project's virtual environment, else this one."""
    options: struct_pb2.Struct = info.options
    name = options.fields["virtualenv"].string_value if "virtualenv" in options.fields else ""
    python = Path(info.root_directory, name, "bin", "python")
    return str(python) if name and python.is_file() else sys.executable


def main() -> None:
    """Serve the engine whose address is the last argument."""
    host = LanguageHost(sys.argv[-1])
    serve(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        threads=16,
        stop=host.stop,
    )


if __name__ == "__main__":
    main()
