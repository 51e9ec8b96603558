"""Runs `python -m delivery`."""

import sys
from io import TextIOWrapper

from delivery.cli import app

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # Where the environment has another encoding than UTF-8, such as LC_ALL=en_US.ISO-8859-1.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
