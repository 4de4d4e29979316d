"""Serves one function of a model over HTTP on a Unix socket, for a sandbox that is in front of it.

Standard library only. Knows nothing of tokens, endpoints or Domino: who may call is decided before a request
gets here. A build only loads the model: what serving alone needs is imported there.
"""

import importlib
import importlib.util
import json
import os
import pathlib
import sys
import time


def main(mode: str, config_file: str) -> int:
    config = json.loads(pathlib.Path(config_file).read_text(encoding="utf-8"))
    try:
        function = load(config)
    except BaseException as error:  # a model may also leave with SystemExit
        tell(error)
        return 1
    if mode == "serve":
        serve(function, config)
    return 0


def tell(error: BaseException) -> None:
    """The traceback, without the frames of this file and of the import machinery."""
    import traceback

    told = traceback.TracebackException.from_exception(error)
    shown = [frame for frame in told.stack if frame.filename != __file__ and "importlib" not in frame.filename]
    told.stack = traceback.StackSummary.from_list(shown)
    print("".join(told.format()), file=sys.stderr, end="", flush=True)


def load(config: dict):
    """The function to call: of a file, or of what a registered model is made of."""
    if "file" in config:
        return of_file(pathlib.Path(config["file"]), config["function"])
    if pathlib.Path("MLmodel").exists():
        return of_mlmodel(read_mlmodel(pathlib.Path("MLmodel")))
    return of_file(pathlib.Path("predict.py"), "predict")


def of_file(path: pathlib.Path, name: str):
    if not path.is_file():
        raise FileNotFoundError(f"the model has no file {path}")
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return function_of(module, name)


def function_of(module, name: str):
    function = getattr(module, name, None)
    if not callable(function):
        raise AttributeError(f"{module.__name__} has no function {name}")
    print(f"Loaded {name} of {os.path.relpath(module.__file__)}", flush=True)
    return function


def of_mlmodel(mlmodel: dict):
    """The python_function flavor: its loader module with a function `predict`, or else what MLflow would load."""
    flavor = mlmodel.get("flavors", {}).get("python_function")
    if not flavor:
        raise ValueError("the model has no python_function flavor")
    for folder in (pathlib.Path("."), pathlib.Path(flavor.get("code") or ".")):
        sys.path.insert(0, str(folder.resolve()))
    module = importlib.import_module(flavor["loader_module"])
    if callable(getattr(module, "predict", None)) and hasattr(module, "_load_pyfunc"):
        return function_of(module, "predict")
    loaded = module._load_pyfunc(str(pathlib.Path(flavor.get("data") or ".").resolve()))
    print(f"Loaded {type(loaded).__name__} with {module.__name__}", flush=True)

    def predict(**features):
        return loaded.predict(table(features))[0]

    return predict


def read_mlmodel(path: pathlib.Path) -> dict:
    """JSON is YAML, and the only part of it that the standard library reads."""
    text = path.read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError:
        import yaml

        return yaml.safe_load(text)


def table(features: dict):
    """One row, as a data frame where there is pandas."""
    try:
        import pandas
    except ImportError:
        return [features]
    return pandas.DataFrame([features])


def answer(function, signature, body: bytes) -> tuple[int, dict]:
    """The status and the reply to one request. A function without a signature says itself what it does not take."""
    try:
        request = json.loads(body)
    except ValueError as error:
        return refused(f"the request is not JSON: {error}")
    if not isinstance(request, dict) or ("data" in request) == ("parameters" in request):
        return refused('the request must hold either "data" or "parameters"')
    named, listed = request.get("data", {}), request.get("parameters", [])
    if not isinstance(named, dict):
        return refused('"data" must be an object with the named arguments')
    if isinstance(listed, dict):
        named, listed = listed, []
    if not isinstance(listed, list):
        return refused('"parameters" must be a list of arguments')
    if signature:
        try:
            signature.bind(*listed, **named)
        except TypeError as error:
            # In the words that Python itself has for it.
            return refused(f"{getattr(function, '__name__', 'predict')}() {error}")
    started = time.perf_counter()
    try:
        result = function(*listed, **named)
        reply = json.loads(json.dumps(result, default=plain, allow_nan=False))
    except (TypeError, ValueError) as error:
        tell(error)
        return refused(str(error))
    except Exception as error:
        tell(error)
        return 500, {"error": {"message": f"{type(error).__name__}: {error}"}}
    return 200, {"result": reply, "milliseconds": (time.perf_counter() - started) * 1000}


def refused(message: str) -> tuple[int, dict]:
    return 400, {"error": {"message": message}}


def plain(value):
    """What arrays and numbers of other libraries are in JSON."""
    for name in ("tolist", "item"):
        if hasattr(value, name):
            return getattr(value, name)()
    raise TypeError(f"the result holds a {type(value).__name__}, which is no JSON")


def serve(function, config: dict) -> None:
    import http.server
    import inspect
    import socketserver

    try:
        signature = inspect.signature(function)
    except ValueError:
        signature = None

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, reply = answer(function, signature, body)
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            if config["log-requests"]:
                print(f"request {body.decode(errors='replace')} reply {content.decode()}", flush=True)
            else:
                print(f"request of {len(body)} bytes answered {status}", flush=True)

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    pathlib.Path(config["socket"]).unlink(missing_ok=True)
    with Server(config["socket"], Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
