#!/usr/bin/env bash
# Domino's official Python client, `app_publish`, in a project with two running apps.
#
# Expected: a call without the id of an app says which app it means, or refuses. What it stops, it starts again.
# Seen: it stops and starts the first app in the project's list, whichever that is. 2.1.0 stops it, then raises
# `NameError` before the start: its `app_publish` uses a variable that nobody sets, so no call of it can succeed.
# It matters here: a project with one app a stage (`dashboard-dev`, `dashboard-prod`) has several apps, and with 2.1.0
# pinned, publishing takes an app off the air.
set -euo pipefail
versions=(1.4.8 2.1.0 2.2.0)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/try.py" <<'PYTHON'
import http.server, json, threading
from domino import Domino

calls = []

class Server(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = {"status": "Running"}
        if self.path == "/version":
            reply = {"version": "6.3.0"}
        elif "findProjectByOwnerAndName" in self.path:
            reply = {"id": "p1"}
        elif self.path == "/v4/modelProducts?projectId=p1":
            reply = [{"id": name, "name": name, "status": "Running"} for name in ("first", "second")]
        if self.command == "POST":
            calls.append(self.path.removeprefix("/v4/modelProducts/"))
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
    def log_message(self, *_): pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Domino("owner/project", api_key="a-key", host=f"http://127.0.0.1:{server.server_port}")
try:
    client.app_publish()
    end = "returned"
except Exception as error:
    end = "raised " + type(error).__name__
print(*calls, end)
PYTHON

seen=
for version in "${versions[@]}"; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "dominodatalab==$version"
  seen+="$version: $(env -i PATH="$PATH" "$folder/$version/bin/python" "$folder/try.py" 2>/dev/null)"$'\n'
done
printf '%s' "$seen"
diff - <(printf '%s' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
1.4.8: first/stop first/start returned
2.1.0: first/stop raised NameError
2.2.0: first/stop first/start returned
EXPECTED
