"""The dashboard: a page with the numbers of the last training, and `/healthz`.

Reads `training.json` among the artifacts each time it is asked, so a new training shows without a restart.
Standard library only, no script in the page, no link that leaves the proxy's path prefix. What the page looks
like is in page.py.
"""

import http.server
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "jobs"))

import execution  # noqa: E402
import page  # noqa: E402

COMMIT = execution.commit()  # once: the files of a running app do not change


def answer(target: str) -> tuple[int, str, str]:
    """Status, content type and body for a request's target.

    Only the last part of its path counts, because some proxies keep the app's prefix and others cut it off.
    """
    last = path_of(target).rpartition("/")[2]
    if last not in ("", "healthz"):
        return 404, "text/plain", "not found\n"
    try:
        report, content = shown()
    except ValueError as error:
        if last == "healthz":
            return 503, "application/json", health("failing", problem=str(error))
        return 503, "text/html", page.failing(str(error), COMMIT)
    if last == "healthz":
        return 200, "application/json", health("ok", trained=report is not None)
    return 200, "text/html", content


def shown() -> tuple[dict | None, str]:
    """The last training's report, `None` before the first, and its page; `ValueError` when there is no showing it."""
    path = execution.artifacts_folder() / "training.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return report, page.trained(report, COMMIT)
    except FileNotFoundError:
        return None, page.untrained(COMMIT)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} is not the report of a training: {error!r}") from error


def health(status: str, **facts) -> str:
    """The body of `/healthz`."""
    return json.dumps({"status": status, "commit": COMMIT, **facts}) + "\n"


def path_of(target: str) -> str:
    """A target without its query, where a proxy may put a token."""
    return target.partition("?")[0]


class Dashboard(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    protocol_version = "HTTP/1.1"
    server_version = "dashboard"
    sys_version = ""
    timeout = 30

    def do_GET(self):
        status, kind, body = answer(self.path)
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_request(self, code="-", size="-"):
        print(f"{self.command} {path_of(self.path)!a} {int(code)}", flush=True)


def main() -> int:
    """Listen until told to stop."""
    host = os.environ.get("APP_HOST") or "0.0.0.0"
    port = os.environ.get("APP_PORT") or "8888"
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        print(f"error: APP_PORT is `{port}`; it must be a port number", file=sys.stderr)
        return 2
    try:
        server = http.server.ThreadingHTTPServer((host, int(port)), Dashboard)
    except OSError as error:
        print(f"error: cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with server:
        print(f"dashboard at commit {COMMIT} listens on http://{host}:{server.server_port}/", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
