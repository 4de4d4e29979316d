"""A stand-in for MLflow's REST API: what a training job calls, kept in memory, and told to fail on request.

Written from what a real server answers; it shares nothing with the sample's own client.
"""

import http.server
import json
import re
import threading
import urllib.parse


class Mlflow:
    """A server on a free port, up while its `with` block lasts."""

    def __init__(self):
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, dict] = {}
        self.models: dict[str, dict] = {}
        self.versions: list[dict] = []
        self.artifacts: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, dict]] = []
        self.page_size = 100
        self.artifact_root = "mlflow-artifacts:/1"
        self.redirect_to: str | None = None
        self._failures: list[list] = []
        self._answers: dict[tuple[str, str], bytes] = {}

    def __enter__(self) -> "Mlflow":
        mlflow = self

        class Bound(Exchange):
            state = mlflow

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self.uri = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fail(self, method: str, ending: str, status: int, times: int):
        """Answer the next `times` such requests with an error."""
        self._failures.append([method, ending, status, times])

    def answer(self, method: str, ending: str, content: bytes):
        """Answer such requests with this from now on."""
        self._answers[method, ending] = content

    def asked(self, method: str, ending: str) -> list[tuple[str, str, dict]]:
        """The requests of this kind."""
        return [request for request in self.requests if request[0] == method and request[1].endswith(ending)]

    def reply(self, method: str, path: str, query: dict, body: bytes) -> tuple[int, bytes]:
        """Status and body for a request."""
        for failure in self._failures:
            if failure[0] == method and path.endswith(failure[1]) and failure[3] > 0:
                failure[3] -= 1
                if failure[2] >= 500:
                    return failure[2], b"<html>try later</html>"
                return failure[2], error("PERMISSION_DENIED", "no, said\n  the test")
        for (wanted, ending), content in self._answers.items():
            if method == wanted and path.endswith(ending):
                return 200, content
        files = "/api/2.0/mlflow-artifacts/artifacts/"
        if path.startswith(files):
            return self.file(method, urllib.parse.unquote(path.removeprefix(files)), body)
        route = getattr(self, f"{method} {path}".replace("/api/2.0/mlflow/", "").translate(NAMES).lower(), None)
        if route is None:
            return 404, b"<!doctype html><title>404 Not Found</title>"
        try:
            return 200, json.dumps(route(query if method == "GET" else json.loads(body))).encode()
        except Refused as refused:
            return refused.args[0], error(refused.args[1], refused.args[2])

    def file(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if method == "PUT":
            self.artifacts[path] = body
            return 200, b""
        found = self.artifacts.get(path)
        return (404, error("RESOURCE_DOES_NOT_EXIST", path)) if found is None else (200, found)

    def post_experiments_create(self, body: dict) -> dict:
        if body["name"] in self.experiments:
            raise Refused(400, "RESOURCE_ALREADY_EXISTS", "Experiment already exists")
        self.experiments[body["name"]] = str(len(self.experiments) + 1)
        return {"experiment_id": self.experiments[body["name"]]}

    def get_experiments_get_by_name(self, query: dict) -> dict:
        name = query["experiment_name"]
        return {"experiment": {"experiment_id": self.experiments[name], "name": name, "lifecycle_stage": "active"}}

    def post_runs_create(self, body: dict) -> dict:
        run_id = f"{len(self.runs) + 1:032x}"
        self.runs[run_id] = {
            "run_id": run_id,
            "status": "RUNNING",
            "tags": {tag["key"]: tag["value"] for tag in body["tags"]},
            "metrics": {},
            "params": {},
        }
        return {"run": self.run(run_id)}

    def post_runs_log_batch(self, body: dict) -> dict:
        run = self.runs[body["run_id"]]
        for kind in ("metrics", "params"):
            run[kind] |= {entry["key"]: entry["value"] for entry in body[kind]}
        return {}

    def post_runs_update(self, body: dict) -> dict:
        self.runs[body["run_id"]]["status"] = body["status"]
        return {"run_info": self.run(body["run_id"])["info"]}

    def get_runs_get(self, query: dict) -> dict:
        if query["run_id"] not in self.runs:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", "Run not found")
        return {"run": self.run(query["run_id"])}

    def run(self, run_id: str) -> dict:
        run = self.runs[run_id]
        info = {"run_id": run_id, "status": run["status"], "artifact_uri": f"{self.artifact_root}/{run_id}/artifacts"}
        return {"info": info, "data": {"tags": [{"key": k, "value": v} for k, v in run["tags"].items()]}}

    def post_registered_models_create(self, body: dict) -> dict:
        if body["name"] in self.models:
            raise Refused(400, "RESOURCE_ALREADY_EXISTS", "Registered Model already exists")
        self.models[body["name"]] = body
        return {"registered_model": body}

    def post_model_versions_create(self, body: dict) -> dict:
        if body["name"] not in self.models:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", "Registered Model not found")
        self.versions.append(body | {"version": str(len(self.versions) + 1), "status": "READY"})
        return {"model_version": self.versions[-1]}

    def get_model_versions_search(self, query: dict) -> dict:
        name = re.fullmatch("name='(.*)'", query["filter"]).group(1)
        found = [version for version in self.versions if version["name"] == name]
        start = int(query.get("page_token", "0"))
        end = start + self.page_size
        page: dict = {"model_versions": found[start:end]} if found[start:end] else {}
        return page | ({"next_page_token": str(end)} if end < len(found) else {})


NAMES = str.maketrans({" ": "_", "/": "_", "-": "_"})


class Refused(Exception):
    """Status, error code and message of an error reply."""


def error(code: str, message: str) -> bytes:
    return json.dumps({"error_code": code, "message": message}).encode()


class Exchange(http.server.BaseHTTPRequestHandler):
    """One request; `state` is the server's."""

    state: Mlflow

    def exchange(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.state.requests.append((self.command, path, dict(self.headers)))
        if self.state.redirect_to:
            self.send_response(302)
            self.send_header("Location", self.state.redirect_to + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status, content = self.state.reply(self.command, path, dict(urllib.parse.parse_qsl(query)), body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = exchange

    def log_message(self, *_):
        """Says nothing: the requests are kept."""
