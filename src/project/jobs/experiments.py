"""The experiment manager (MLflow's REST API), as far as a training job needs it.

Standard library only. It speaks HTTP and says what went wrong; what is recorded, and when, is decided by the
job. It never prints, and no message of it holds a credential.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT = 30
LARGEST_REPLY = 16 * 1024 * 1024


class ExperimentError(Exception):
    """The experiment manager refused, could not be reached or was not understood."""

    def __init__(self, message: str, status: int | None = None, code: str = ""):
        super().__init__(message)
        self.status = status
        self.code = code


class Experiments:
    """One MLflow server. Reads and uploads are tried again when it stumbles; nothing else is sent twice."""

    def __init__(self, uri: str, credential: tuple[str, str] | None = None, pauses: tuple[float, ...] = (0.5, 2.0)):
        """`credential` is a header's name and value."""
        parts = urllib.parse.urlsplit(uri)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ExperimentError("MLFLOW_TRACKING_URI must be an http or https address")
        if parts.username or parts.password:
            raise ExperimentError("MLFLOW_TRACKING_URI must hold no user or password")
        self.uri = urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
        self.pauses = pauses
        self._credential = credential
        openers: list = [NoRedirect]
        if parts.hostname in ("127.0.0.1", "localhost", "::1"):
            openers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*openers)

    @classmethod
    def from_environment(cls) -> "Experiments | None":
        """The server that `MLFLOW_TRACKING_URI` names; `None` when it names none.

        Inside Domino that is a local address that needs no credential. `MLFLOW_TRACKING_TOKEN` is meant for
        this server, as it is for MLflow's own client. Without one, the user's key goes along when the server is
        Domino itself; it goes to no other host.
        """
        uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
        if not uri:
            return None
        token, key = secret("MLFLOW_TRACKING_TOKEN"), secret("DOMINO_USER_API_KEY")
        if token:
            return cls(uri, ("Authorization", f"Bearer {token}"))
        same = origin(uri) is not None and origin(uri) == origin(os.environ.get("DOMINO_API_HOST", ""))
        return cls(uri, ("X-Domino-Api-Key", key) if key and same else None)

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name, which is made if there is none."""
        try:
            return self._post("experiments/create", {"name": name})["experiment_id"]
        except ExperimentError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = self._get("experiments/get-by-name", {"experiment_name": name})["experiment"]
        if found.get("lifecycle_stage", "active") != "active":
            raise ExperimentError(f"experiment `{name}` was deleted in the experiment manager; restore it")
        return found["experiment_id"]

    def start_run(self, experiment: str, name: str, tags: dict[str, str]) -> dict:
        """Start a run; returns its `info`, with `run_id` and `artifact_uri`."""
        body = {"experiment_id": experiment, "run_name": name, "start_time": now(), "tags": pairs(tags)}
        return self._post("runs/create", body)["run"]["info"]

    def log(self, run_id: str, metrics: dict[str, float], params: dict[str, str]) -> None:
        """Record metrics and parameters of a run."""
        at = now()
        body = {
            "run_id": run_id,
            "metrics": [{"key": k, "value": v, "timestamp": at, "step": 0} for k, v in metrics.items()],
            "params": pairs(params),
        }
        self._post("runs/log-batch", body)

    def end_run(self, run_id: str, status: str) -> None:
        """End a run as `FINISHED` or `FAILED`."""
        self._post("runs/update", {"run_id": run_id, "status": status, "end_time": now()})

    def run_tags(self, run_id: str) -> dict[str, str] | None:
        """The tags of a run; `None` when there is no such run."""
        try:
            run = self._get("runs/get", {"run_id": run_id})["run"]
        except ExperimentError as error:
            if error.status == 404:
                return None
            raise
        return unpaired(run.get("data", {}).get("tags", []))

    def upload(self, run: dict, path: str, content: bytes) -> None:
        """Store a file among a run's artifacts, through the server."""
        self._send("PUT", self._artifact(run["artifact_uri"], path), content, "application/octet-stream", True)

    def download(self, run_id: str, path: str) -> bytes:
        """A file among a run's artifacts, through the server."""
        run = self._get("runs/get", {"run_id": run_id})["run"]["info"]
        return self._send("GET", self._artifact(run["artifact_uri"], path), None, None, True)

    def newest_version(self, model: str) -> dict | None:
        """The highest version of a registered model; `None` when there is none."""
        versions: list[dict] = []
        query = {"filter": f"name='{model}'", "max_results": "200"}
        while True:
            page = self._get("model-versions/search", query)
            versions += page.get("model_versions", [])
            if not (token := page.get("next_page_token")):
                break
            if token == query.get("page_token"):
                raise ExperimentError("the experiment manager sends the same page of model versions again")
            query["page_token"] = token
        return max(versions, key=lambda version: int(version["version"]), default=None)

    def register(self, model: str, run_id: str, path: str, description: str, tags: dict[str, str]) -> str:
        """Make a new version of a registered model from a run's artifacts; returns its number."""
        try:
            self._post("registered-models/create", {"name": model, "tags": pairs(tags)})
        except ExperimentError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":
                raise
        body = {
            "name": model,
            "source": f"runs:/{run_id}/{path}",
            "run_id": run_id,
            "description": description,
            "tags": pairs(tags),
        }
        return str(self._post("model-versions/create", body)["model_version"]["version"])

    def _artifact(self, artifact_uri: str, path: str) -> str:
        scheme, _, folder = artifact_uri.partition(":")
        if scheme != "mlflow-artifacts":
            raise ExperimentError(f"this experiment manager keeps artifacts at `{scheme}:` itself and passes none on")
        # `mlflow-artifacts://host/path` and `mlflow-artifacts:/path` name the same file.
        folder = urllib.parse.urlsplit(f"x:{folder}").path.strip("/")
        return f"/api/2.0/mlflow-artifacts/artifacts/{urllib.parse.quote(f'{folder}/{path}')}"

    def _get(self, route: str, query: dict[str, str]) -> dict:
        path = f"/api/2.0/mlflow/{route}?{urllib.parse.urlencode(query)}"
        return self._decoded("GET", path, self._send("GET", path, None, None, True))

    def _post(self, route: str, body: dict) -> dict:
        path = f"/api/2.0/mlflow/{route}"
        content = json.dumps(body).encode()
        return self._decoded("POST", path, self._send("POST", path, content, "application/json", False))

    def _decoded(self, method: str, path: str, content: bytes) -> dict:
        request = shown(method, path)
        try:
            reply = json.loads(content, object_hook=lambda found: Reply(found, request))
        except ValueError:
            reply = None
        if not isinstance(reply, Reply):
            raise ExperimentError(f"{request} answered something that is not a JSON object")
        return reply

    def _send(self, method: str, path: str, content, kind: str | None, repeatable: bool) -> bytes:
        for pause in (*self.pauses, None) if repeatable else (None,):
            try:
                return self._send_once(method, path, content, kind)
            except ExperimentError as error:
                passing = error.status in (None, 429, 502, 503, 504)
                if pause is None or not passing:
                    raise
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _send_once(self, method: str, path: str, content, kind: str | None) -> bytes:
        request = urllib.request.Request(self.uri + path, data=content, method=method)
        if kind:
            request.add_header("Content-Type", kind)
        if self._credential:
            request.add_unredirected_header(*self._credential)
        try:
            with self._opener.open(request, timeout=TIMEOUT) as reply:
                received = reply.read(LARGEST_REPLY + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise refusal(shown(method, path), error) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise ExperimentError(f"{shown(method, path)} was not answered: {reason}") from None
        if len(received) > LARGEST_REPLY:
            raise ExperimentError(f"{shown(method, path)} answered more than {LARGEST_REPLY} bytes")
        return received


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, so that a credential never travels to another host."""

    def redirect_request(self, *_):
        return None


class Reply(dict):
    """An object in a reply; a missing key is the server's fault and is said so."""

    def __init__(self, content: dict, request: str):
        super().__init__(content)
        self.request = request

    def __missing__(self, key: str):
        raise ExperimentError(f"{self.request} answered without `{key}`")


def refusal(request: str, error: urllib.error.HTTPError) -> ExperimentError:
    """The server's own words, when it said any."""
    try:
        said = json.loads(error.read(LARGEST_REPLY))
        code, message = str(said["error_code"]), " ".join(str(said.get("message", "")).split())[:500]
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        return ExperimentError(f"{request} answered {error.code} {error.reason}", error.code)
    return ExperimentError(f"{request} answered {error.code} {code}: {message}", error.code, code)


def secret(variable: str) -> str:
    """A credential in an environment variable, or nothing.

    What no header can carry is refused here, because the standard library would quote it in its error.
    """
    value = os.environ.get(variable, "").strip()
    if not (value.isascii() and value.isprintable()):
        raise ExperimentError(f"{variable} holds characters that no credential has")
    return value


def origin(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address, https when it names no scheme; `None` when it is none."""
    address = address.strip()
    try:
        parts = urllib.parse.urlsplit(address if "://" in address else f"https://{address}")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def shown(method: str, path: str) -> str:
    """A request as a message names it: without its query."""
    return f"{method} {path.partition('?')[0]}"


def now() -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return time.time_ns() // 1_000_000


def pairs(values: dict[str, str]) -> list[dict[str, str]]:
    """MLflow's form of a map."""
    return [{"key": key, "value": value} for key, value in values.items()]


def unpaired(values: list[dict[str, str]]) -> dict[str, str]:
    """A map from MLflow's form."""
    return {value["key"]: value.get("value", "") for value in values}
