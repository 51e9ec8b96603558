"""A stand-in for `pulumi-language-python`, used on the local sandbox where the official one cannot be had.

A Pulumi language host: a gRPC service that the CLI starts to run a Python program. It runs the program with the
project's virtual environment and ends with the CLI.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from sandbox.stand_ins.plugin import serve

# What the program's process says it has shown to the user already (Pulumi's own convention).
EXIT_SHOWN = 32


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs one Python program for the engine at `engine`."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version="0.0.0-stand-in")

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """None: the Kubernetes plugin is on PATH, and a named version would be looked for elsewhere."""
        return language_pb2.GetRequiredPackagesResponse()

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Nothing to do: `make install` makes the virtual environment."""
        yield language_pb2.InstallDependenciesResponse(stdout=b"make install brings the dependencies\n")

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
        with self._lock:
            # Its output is the program's, so it goes where this process' goes: to the CLI.
            self._process = subprocess.Popen(
                [*command, json.dumps(settings), str(program)], cwd=request.pwd, env=environment
            )
        code = self._process.wait()
        if code == 0:
            return language_pb2.RunResponse()
        if code in {1, EXIT_SHOWN}:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}")

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a plugin written in Python, such as a policy pack."""
        with subprocess.Popen(
            [_python(request.info), request.info.program_directory, *request.args],
            cwd=request.pwd,
            env={**os.environ, **dict(item.split("=", 1) for item in request.env)},
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.returncode)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.stop()
        return empty_pb2.Empty()

    def stop(self) -> None:
        """End the program, if one runs."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()


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
