#!/usr/bin/env bash
# Domino's official Python client, `job_start_blocking`, when the job ends without success.
#
# Expected: the call that waits for a job raises when the job did not succeed.
# Seen: it raises for the status `Failed` alone. A job that somebody stopped (`Stopped`) or that could not be run
# (`Error`) is returned like one that succeeded. The same in 1.4.8, 2.1.0 and 2.2.0.
# It matters here: a pipeline that waits in this way deploys what a stopped training job left behind.
set -euo pipefail
versions=(1.4.8 2.1.0 2.2.0)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/try.py" <<'PYTHON'
import http.server, json, threading
from domino import Domino

ended_as = ""

class Server(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = {"stdout": ""}
        if self.path == "/version":
            reply = {"version": "6.3.0"}
        elif "findProjectByOwnerAndName" in self.path:
            reply = {"id": "p1"}
        elif self.path.endswith("/hardwareTiers"):
            reply = []
        elif self.path.startswith("/v4/jobs/"):
            reply = {"id": "j1", "statuses": {"isCompleted": True, "executionStatus": ended_as}}
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
for ended_as in ("Succeeded", "Failed", "Stopped", "Error"):
    try:
        client.job_start_blocking(command="train.py", poll_freq=1)
        print(f" {ended_as}=returned", end="")
    except Exception as error:
        print(f" {ended_as}=raised", end="")
PYTHON

seen=
for version in "${versions[@]}"; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "dominodatalab==$version"
  seen+="$version:$(env -i PATH="$PATH" "$folder/$version/bin/python" "$folder/try.py" 2>/dev/null)"$'\n'
done
printf '%s' "$seen"
diff - <(printf '%s' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
1.4.8: Succeeded=returned Failed=raised Stopped=returned Error=returned
2.1.0: Succeeded=returned Failed=raised Stopped=returned Error=returned
2.2.0: Succeeded=returned Failed=raised Stopped=returned Error=returned
EXPECTED
