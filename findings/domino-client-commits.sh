#!/usr/bin/env bash
# Domino's official Python client 2.2.0: two of its calls read one list of commits in two ways.
#
# Expected: `job_start(commit_id=…)` and `files_download(path)` both work with what `GET …/commits` answers.
# Seen: the first compares each item of the list with the id, so the items are ids. The second takes `["id"]` of the
# first item, so the items are objects. With the one form the download raises TypeError, with the other no commit is
# ever found.
# It matters here: a script that reads a file without naming a commit fails on a deployment where its jobs start.
set -euo pipefail
version=2.2.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/try.py" <<'PYTHON'
import http.server, json, logging, threading
from domino import Domino

logging.disable()
commits = []

class Server(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = {"id": "j1"}
        if self.path == "/version":
            reply = {"version": "6.3.0"}
        elif self.path.endswith("/commits"):
            reply = commits
        elif "findProjectByOwnerAndName" in self.path:
            reply = {"id": "p1"}
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
for form, listed in [("ids", ["c1"]), ("objects", [{"id": "c1"}])]:
    commits[:] = listed
    for name, act in [
        ("job_start", lambda: client.job_start("train.py", commit_id="c1")),
        ("files_download", lambda: client.files_download("/data.csv")),
    ]:
        try:
            act()
            print(f"a list of {form}: {name} works")
        except Exception as error:
            print(f"a list of {form}: {name} raises {type(error).__name__}")
PYTHON

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "dominodatalab==$version"
seen="dominodatalab $version
$(env -i PATH="$PATH" "$folder/venv/bin/python" "$folder/try.py" 2>/dev/null)"
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
dominodatalab 2.2.0
a list of ids: job_start works
a list of ids: files_download raises TypeError
a list of objects: job_start raises CommitNotFoundException
a list of objects: files_download works
EXPECTED
