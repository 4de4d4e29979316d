#!/usr/bin/env bash
# MLflow's search for model versions, page by page, while somebody edits a description.
#
# Expected: who follows every page sees every version once; an edit in between changes no list of names and numbers.
# Seen: without `order_by` the order is that of the last change, and the page token is a mere offset. After an edit
# between two pages one version comes twice and another never. With `order_by=["version_number DESC"]` all come once.
# The same on both lines of MLflow.
# It matters here: "which version is in Production?" is answered by this search, since `current_stage` is no filter.
# A list with a hole says that a stage is free when it is not.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" # MLflow makes a folder `mlruns` where it runs

cat >"$folder/try.py" <<'PYTHON'
import logging, sys, time, mlflow
logging.disable(logging.CRITICAL)
client = mlflow.MlflowClient(f"sqlite:///{sys.argv[1]}")
client.create_registered_model("wine")
for number in range(6):
    client.create_model_version("wine", f"s3://bucket/{number}")

def walk(order_by):
    token, pages = None, 0
    while True:
        page = client.search_model_versions("name='wine'", max_results=2, order_by=order_by, page_token=token)
        yield from (str(version.version) for version in page)
        token, pages = page.token, pages + 1
        if pages == 1:
            time.sleep(0.01)  # the order is by milliseconds
            client.update_model_version("wine", "2", description="edited between two pages")
        if not token:
            return

print(f"mlflow {mlflow.__version__} default:", *walk(None))
print(f"mlflow {mlflow.__version__} ordered:", *walk(["version_number DESC"]))
PYTHON

seen=
for line in 2 3; do # the pins of the servers that the tests use
  python3 -m venv "$folder/$line"
  "$folder/$line/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --requirement "$here/../tests/mlflow/line$line.txt"
  seen+=$("$folder/$line/bin/python" -W ignore "$folder/try.py" "$folder/$line.db")$'\n'
done
printf '%s' "$seen"
diff - <(printf '%s' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
mlflow 2.22.5 default: 6 5 5 4 3 1
mlflow 2.22.5 ordered: 6 5 4 3 2 1
mlflow 3.17.2 default: 6 5 5 4 3 1
mlflow 3.17.2 ordered: 6 5 4 3 2 1
EXPECTED
