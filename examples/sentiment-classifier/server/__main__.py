"""`python -m server`: serves the model that the environment names."""

import os
import sys

from server import log
from server.app import create_app
from server.serving import serve
from server.settings import Settings, SettingsError


def main() -> int:
    """Returns the exit code: 0 after SIGTERM, 2 when the environment is incomplete or wrong."""
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    log.configure(settings.log_level)
    serve(create_app(settings), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
