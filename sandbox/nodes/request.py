"""One HTTP request from inside a network namespace: `python -m sandbox.nodes.request URL < DATA`.

Without data it is GET, else POST of JSON. It answers as JSON, with the status and the body, or with the error. It needs
only the standard library.
"""

import json
import sys
import urllib.error
import urllib.request

SECONDS = 60


def asked(url: str, data: bytes) -> dict[str, object]:
    """Send it; returns `status` and `body`, or `error` where nothing answers."""
    headers = {"Content-Type": "application/json"} if data else {}
    # A proxy in the user's environment knows nothing of the cluster.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, data or None, headers), timeout=SECONDS) as answer:
            return {"status": answer.status, "body": answer.read().decode(errors="replace")}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": error.read().decode(errors="replace")}
    except OSError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    json.dump(asked(sys.argv[1], sys.stdin.buffer.read()), sys.stdout)
