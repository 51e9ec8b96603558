"""What a feature server answers: reads and its health.

Feast has no option that leaves out its write paths, and without its authentication whoever reaches a server may use
them: to change values (`/write-to-online-store`, `/push`), and to run a materialisation (`/materialize`,
`/materialize-incremental`). When a server starts, Feast runs `load_artifacts` of the file of this name in its folder.
"""

FILE = "static_artifacts.py"
_TEXT = '''\
"""Leaves the feature server only the paths that models and probes need."""

ANSWERED = ("/get-online-features", "/health")


def load_artifacts(app):
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") in ANSWERED]
'''


def routes_file() -> dict[str, str]:
    """The file by its name."""
    return {FILE: _TEXT}
