#!/usr/bin/env bash
# MLflow's own login (`--app-name basic-auth`) and a user with the permission EDIT on a model.
#
# Expected: who may set something may take it back.
# Seen: EDIT may set tags and aliases and move versions between stages, but may not delete a tag or an alias: 403 for
# what the same user set a moment ago. With MANAGE it is 200.
# It matters here: a promotion that fails half-way cannot be undone by deleting its alias. Grant MANAGE, or undo by
# setting: point the alias back, overwrite the tag.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -- "-$server" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --requirement "$here/../tests/mlflow/line3.txt" Flask-WTF==1.3.0 WTForms==3.3.2
cat >auth.ini <<'INI'
[mlflow]
default_permission = READ
database_uri = sqlite:///auth.db
admin_username = admin
admin_password = admin-password
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
INI
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
MLFLOW_AUTH_CONFIG_PATH=auth.ini MLFLOW_FLASK_SERVER_SECRET_KEY=test MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
  setsid venv/bin/mlflow server --app-name basic-auth --host 127.0.0.1 --port "$port" --workers 1 \
  --backend-store-uri sqlite:///mlflow.db >server.log 2>&1 &
server=$!
curl --silent --retry 120 --retry-delay 1 --retry-connrefused --output /dev/null "http://127.0.0.1:$port/health"

# call USER METHOD PATH JSON: prints the status of the answer
call() {
  curl --silent --output /dev/null --write-out '%{http_code}\n' --user "$1:$1-password" --request "$2" \
    --header 'Content-Type: application/json' --data "$4" "http://127.0.0.1:$port/api/$3"
}
call admin POST 2.0/mlflow/users/create '{"username":"editor","password":"editor-password"}' >/dev/null
call admin POST 2.0/mlflow/registered-models/create '{"name":"wine"}' >/dev/null
call admin POST 2.0/mlflow/model-versions/create '{"name":"wine","source":"s3://bucket/1"}' >/dev/null
permission='{"username":"editor","resource_type":"registered_model","resource_id":"wine","permission":"EDIT"}'
call admin POST 3.0/mlflow/users/permissions/grant "$permission" >/dev/null

version='"name":"wine","version":"1"'
alias='{"name":"wine","alias":"champion"}'
seen="mlflow $(venv/bin/python -c 'import mlflow; print(mlflow.__version__)')
move to a stage: $(call editor POST 2.0/mlflow/model-versions/transition-stage "{$version,\"stage\":\"Production\"}")
set a tag: $(call editor POST 2.0/mlflow/model-versions/set-tag "{$version,\"key\":\"k\",\"value\":\"v\"}")
delete it: $(call editor DELETE 2.0/mlflow/model-versions/delete-tag "{$version,\"key\":\"k\"}")
set an alias: $(call editor POST 2.0/mlflow/registered-models/alias "{$version,\"alias\":\"champion\"}")
delete it: $(call editor DELETE 2.0/mlflow/registered-models/alias "$alias")
revoke EDIT: $(call admin POST 3.0/mlflow/users/permissions/revoke "$permission")
grant MANAGE: $(call admin POST 3.0/mlflow/users/permissions/grant "${permission/EDIT/MANAGE}")
delete it: $(call editor DELETE 2.0/mlflow/registered-models/alias "$alias")"
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
mlflow 3.17.2
move to a stage: 200
set a tag: 200
delete it: 403
set an alias: 200
delete it: 403
revoke EDIT: 200
grant MANAGE: 200
delete it: 200
EXPECTED
