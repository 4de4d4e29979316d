#!/usr/bin/env bash
# MLflow's `copy_model_version`, of a version that carries the record of an approval.
#
# Expected: a copy in another registered model starts new: it has the artifacts, and nobody has approved it.
# Seen: the copy has the run and every tag of the original, but neither its stage nor its aliases. So its tags tell of
# an approval and of a stage that it never had. The same on both lines of MLflow.
# It matters here: `copy_model_version` is MLflow's own way from one environment's model to the next one's. A tag is no
# proof of an approval; ask whatever keeps the approval.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" # MLflow makes a folder `mlruns` where it runs

cat >"$folder/try.py" <<'PYTHON'
import logging, sys, mlflow
logging.disable(logging.CRITICAL)
client = mlflow.MlflowClient(f"sqlite:///{sys.argv[1]}")
run = client.create_run(client.create_experiment("e", artifact_location="s3://bucket/e")).info.run_id
client.create_registered_model("wine-dev")
client.create_model_version("wine-dev", "s3://bucket/1", run)
client.set_model_version_tag("wine-dev", "1", "approved_by", "ann")
client.set_model_version_tag("wine-dev", "1", "stage", "Production")
client.transition_model_version_stage("wine-dev", "1", "Production")
client.set_registered_model_alias("wine-dev", "champion", "1")

client.copy_model_version("models:/wine-dev/1", "wine-prod")
copy = client.get_model_version("wine-prod", "1")
print(f"mlflow {mlflow.__version__}: tags={dict(sorted(copy.tags.items()))} stage={copy.current_stage} "
      f"aliases={list(copy.aliases)} source={copy.source} same_run={copy.run_id == run}")
PYTHON

seen=
for line in 2 3; do # the pins of the servers that the tests use
  python3 -m venv "$folder/$line"
  "$folder/$line/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --requirement "$here/../tests/mlflow/line$line.txt"
  seen+=$("$folder/$line/bin/python" -W ignore "$folder/try.py" "$folder/$line.db" 2>/dev/null)$'\n'
done
printf '%s' "$seen"
diff - <(printf '%s' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
mlflow 2.22.5: tags={'approved_by': 'ann', 'stage': 'Production'} stage=None aliases=[] source=models:/wine-dev/1 same_run=True
mlflow 3.17.2: tags={'approved_by': 'ann', 'stage': 'Production'} stage=None aliases=[] source=models:/wine-dev/1 same_run=True
EXPECTED
