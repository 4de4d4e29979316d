#!/usr/bin/env bash
# A real MLflow server on loopback, for tests.
#
#   start.sh [start] [CACHE]   install if need be, start, print three KEY=VALUE lines, return
#   start.sh stop STORE        end that server and remove what it stored
#
# CACHE keeps the installed servers (default: ${XDG_CACHE_HOME:-~/.cache}/domino-deploy-mlflow); only the
# first start needs a package index. STORE is the MLFLOW_STORE that `start` printed.
#
#   MLFLOW_LINE=3|2     which server: the pins in line3.txt (default) or line2.txt
#   MLFLOW_WORKERS=N    worker processes (default 1)
#   MLFLOW_ROLES=1      with users and rights; whoever does not say who they are is `editor` (see roles.py)
#   PYTHON=python3      the Python that runs it, 3.11 or newer
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
# The longest a server may take to answer: a busy machine needs half a minute, so this is generous.
seconds_to_start=180

say() { printf '%s\n' "$*" >&2; }
fail() {
  local code=$1
  shift
  say "error: $*"
  exit "$code"
}

# Whether a process of this group still lives. One that ended and waits for its parent to notice does not,
# though it can still be signalled.
group_lives() {
  local states
  states=$(ps -o stat= -g "$1" || true)
  grep -q '^[^Z]' <<<"$states"
}

# Ask a process group to end, and make it end if it will not.
end_group() {
  local group=$1
  group_lives "$group" || return 0
  kill -TERM -- "-$group" 2>/dev/null || true
  for _ in {1..50}; do
    group_lives "$group" || return 0
    sleep 0.1
  done
  kill -KILL -- "-$group" 2>/dev/null || true
  for _ in {1..50}; do
    group_lives "$group" || return 0
    sleep 0.1
  done
  fail 1 "process group $group does not end"
}

# Print the folder of an installed server, installing it first when it is not there or not complete.
# The folder's name holds a digest of the pins and of the Python, so that a change of either is a new folder.
installed() {
  local pins=$1 cache=$2 line=$3 version key venv
  version=$("$python" -c 'import sys; print("%d.%d %s" % (*sys.version_info[:2], sys.executable))') ||
    fail 2 "cannot run \`$python\`"
  key=$({ cat "$pins"; printf '%s' "$version"; } | sha256sum | cut -c1-12)
  venv=$cache/line$line-$key
  # The lock makes parallel test runs install once; the marker makes an interrupted installation start over.
  exec 9>"$venv.lock"
  flock 9
  if [[ ! -e $venv/complete ]]; then
    say "installing MLflow line $line into $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv" >&2
    # Every package is pinned, so nothing is resolved, and wheels only, so nothing is built.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
      --no-deps --only-binary :all: --requirement "$pins" >&2
    "$venv/bin/python" -m pip --disable-pip-version-check check >&2
    touch "$venv/complete"
  fi
  exec 9>&-
  printf '%s\n' "$venv"
}

# Start a server in a process group of its own and wait until it answers; sets `group` and `uri`.
# Returns 1 when the server ended by itself, which is what a port taken in between looks like.
launch() {
  local venv=$1 store=$2 workers=$3 port
  local variables=() options=()
  if [[ -n ${MLFLOW_ROLES:-} ]]; then
    # The database is in the store as well. The password is for a server that only this machine reaches.
    printf '[mlflow]\n%s\n' "default_permission = NO_PERMISSIONS
database_uri = sqlite:///$store/users.db
admin_username = admin
admin_password = only-on-loopback
authorization_function = roles:authorize" >"$store/roles.ini"
    variables=(MLFLOW_AUTH_CONFIG_PATH="$store/roles.ini" MLFLOW_FLASK_SERVER_SECRET_KEY=only-on-loopback PYTHONPATH="$here")
    options=(--app-name basic-auth)
  fi
  port=$("$python" -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')
  uri=http://127.0.0.1:$port
  # The job runner needs packages that are left out on purpose and would fill the log with that.
  (
    cd "$store"
    exec env -u MLFLOW_TRACKING_URI -u MLFLOW_REGISTRY_URI -u PYTHONPATH \
      MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false "${variables[@]}" \
      setsid "$venv/bin/python" -m mlflow server --host 127.0.0.1 --port "$port" --workers "$workers" "${options[@]}" \
      --backend-store-uri "sqlite:///$store/mlflow.db" --artifacts-destination "$store/artifacts"
  ) </dev/null >"$store/server.log" 2>&1 &
  group=$!
  printf '%s\n' "$group" >"$store/pid"
  local deadline=$((SECONDS + seconds_to_start))
  while ((SECONDS < deadline)); do
    kill -0 "$group" 2>/dev/null || return 1
    if answers "$uri/health"; then return 0; fi
    sleep 0.2
  done
  say "MLflow did not answer within $seconds_to_start s; the end of its log:"
  tail -n 20 "$store/server.log" >&2
  exit 1
}

answers() {
  "$python" -c 'import sys, urllib.request
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.exit(0 if direct.open(sys.argv[1], timeout=2).status == 200 else 1)' "$1" 2>/dev/null
}

start() {
  local cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/domino-deploy-mlflow}
  local line=${MLFLOW_LINE:-3} workers=${MLFLOW_WORKERS:-1} tool venv store
  [[ $line == [23] ]] || fail 2 "MLFLOW_LINE is \`$line\`; it must be 2 or 3"
  [[ $workers =~ ^[1-9][0-9]?$ ]] || fail 2 "MLFLOW_WORKERS is \`$workers\`; it must be a number from 1 to 99"
  for tool in "$python" flock setsid sha256sum ps; do
    command -v "$tool" >/dev/null || fail 2 "\`$tool\` is not installed"
  done
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail 2 "\`$python\` is older than Python 3.11"

  mkdir -p "$cache"
  cache=$(cd "$cache" && pwd)
  venv=$(installed "$here/line$line.txt" "$cache" "$line")

  store=$(mktemp -d "${TMPDIR:-/tmp}/domino-deploy-mlflow.XXXXXX")
  group=
  # Until the three lines are out nobody else knows of this server, so it must not outlive this script.
  # shellcheck disable=SC2064  # the folder's name is wanted as it is now
  trap "[[ -z \$group ]] || end_group \$group; rm -rf '$store'" EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local attempt
  for attempt in 1 2 3; do
    launch "$venv" "$store" "$workers" && break
    if ((attempt == 3)); then
      say "MLflow ended at once, three times; the end of its log:"
      tail -n 20 "$store/server.log" >&2
      exit 1
    fi
  done
  printf 'MLFLOW_TRACKING_URI=%s\nPID=%s\nMLFLOW_STORE=%s\n' "$uri" "$group" "$store"
  trap - EXIT INT TERM
}

stop() {
  local store=$1 group process
  # Only a folder that `start` made is ended and removed, whatever this is called with.
  [[ $(basename "$store") == domino-deploy-mlflow.?????? ]] || fail 2 "\`$store\` is not a store of this script"
  [[ -d $store ]] || return 0
  if [[ -r $store/pid ]]; then
    group=$(<"$store/pid")
    [[ $group =~ ^[1-9][0-9]*$ ]] || fail 1 "\`$store/pid\` holds no process id"
    # A process id is used again some day: the group is ended only if it works in this store.
    for process in $(ps -o pid= -g "$group" || true); do
      if [[ /proc/$process/cwd -ef $store ]]; then
        end_group "$group"
        break
      fi
    done
  fi
  rm -rf "$store"
}

case ${1:-start} in
  start) [[ $# -le 2 ]] || fail 2 "usage: start.sh [start] [CACHE]"; start "${2:-}" ;;
  stop) [[ $# -eq 2 ]] || fail 2 "usage: start.sh stop STORE"; stop "$2" ;;
  -h | --help) sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" ;;
  -*) fail 2 "unknown option \`$1\`; see --help" ;;
  *) [[ $# -eq 1 ]] || fail 2 "usage: start.sh [start] [CACHE]"; start "$1" ;;
esac
