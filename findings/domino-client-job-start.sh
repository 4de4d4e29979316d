#!/usr/bin/env bash
# Domino's official Python client, `job_start`, when Domino answers 409.
#
# Expected: a job that Domino refuses to start is an error. 409 is what Domino's own API description gives for
# `POST /v4/jobs/start` when the user must sign in again.
# Seen: up to 2.1.0 `job_start` returns None. The only message is a log line at level INFO, which Python does not show
# by default, so the script goes on and ends with exit code 0. 2.2.0 raises.
# It matters here: a pipeline that calls the client shows a green step, and no job has run.
set -euo pipefail
versions=(1.4.8 2.1.0 2.2.0)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/try.py" <<'PYTHON'
import http.server, json, threading
from domino import Domino

class Server(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, reply = 200, {}
        if self.path == "/version":
            reply = {"version": "6.3.0"}
        elif "findProjectByOwnerAndName" in self.path:
            reply = {"id": "p1"}
        elif self.path.endswith("/hardwareTiers"):
            reply = []
        elif self.path == "/v4/jobs/start":
            status, reply = 409, {"redirectPath": "/relogin"}
        body = json.dumps(reply).encode()
        self.send_response(status)
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
    print("returned", client.job_start("train.py"))
except Exception as error:
    print("raised", type(error).__name__)
PYTHON

seen=
for version in "${versions[@]}"; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "dominodatalab==$version"
  seen+="dominodatalab $version: $(env -i PATH="$PATH" "$folder/$version/bin/python" "$folder/try.py" 2>/dev/null)"$'\n'
done
printf '%s' "$seen"
diff - <(printf '%s' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
dominodatalab 1.4.8: returned None
dominodatalab 2.1.0: returned None
dominodatalab 2.2.0: raised ReloginRequiredException
EXPECTED
