"""Feast's command, with its metrics on 127.0.0.1 and METRICS_PORT: Feast always uses port 8000 of all addresses.

Nothing else is changed. Feast's own Python runs this: `python feast_on_loopback.py serve --host=127.0.0.1`.
"""

import os
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from feast import metrics
from feast.cli.cli import cli


def on_loopback(_: int, app: Any) -> WSGIServer:
    """The server of the metrics."""
    port = int(os.environ["METRICS_PORT"])
    return make_server("127.0.0.1", port, app, handler_class=metrics._QuietWSGIRequestHandler)


metrics._make_metrics_httpd = on_loopback

if __name__ == "__main__":
    cli()
