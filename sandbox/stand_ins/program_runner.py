"""The process that runs a Pulumi Python program for the language-host stand-in.

Usage: `python -m sandbox.stand_ins.program_runner <settings as JSON> <program>`.
"""

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
from pulumi.runtime import Settings, configure, run_in_stack, set_all_config
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

from sandbox.stand_ins import EXIT_SHOWN

# The SDK needs one thread per RPC; Pulumi's own host uses the same factor.
THREADS_PER_OPERATION = 4
# Files that come between this runner and the program in a traceback.
_BETWEEN = (Path(__file__), Path(pulumi.__file__).parent, Path(asyncio.__file__).parent)


def main() -> None:
    """Run the program inside a stack; exit 0, 1 for a refusal, EXIT_SHOWN for a crash that was reported."""
    settings, program = Settings(**json.loads(sys.argv[1])), sys.argv[2]
    set_all_config(get_config_env(), get_config_secret_keys_env())
    configure(settings)
    sys.argv = [program]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor((settings.parallel or 1) * THREADS_PER_OPERATION)
    loop.set_default_executor(executor)
    # What fails is reported by Pulumi; asyncio would repeat it for every task left behind.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    code = 0
    try:
        loop.run_until_complete(run_in_stack(lambda: _run(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        code = 1
    except Exception as error:
        pulumi.log.error(f"Program failed with an unhandled exception:\n{program_traceback(error)}")
        code = EXIT_SHOWN
    finally:
        executor.shutdown(wait=True)
        loop.close()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is reported and closed; unloading the SDK's modules would take a third of a second more.
    os._exit(code)


def program_traceback(error: BaseException) -> str:
    """The traceback from the program's first own line; the lines of its caller do not help its author."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def _is_ours(filename: str) -> bool:
    """True for this runner, runpy, the SDK and asyncio."""
    path = Path(filename)
    return filename.startswith("<frozen ") or any(path == own or own in path.parents for own in _BETWEEN)


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
