#!/usr/bin/env bash
# MLflow 3: two logged models of one run, each with its own `rmse`.
#
# Expected: the metric of a registered version is the metric of the model that it was made of.
# Seen: the run keeps one value a key for all its models, that of the model logged last. The registered version gives
# no metrics and no model id. Only the logged model named in the version's source (`models:/m-…`) has the right value.
# It matters here: a rule such as "rmse must not rise" that reads the metrics of the version's run judges a sibling.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" # MLflow makes a folder `mlruns` where it runs

cat >"$folder/try.py" <<'PYTHON'
import logging, sys, time, mlflow
logging.disable(logging.CRITICAL)
mlflow.set_tracking_uri(f"sqlite:///{sys.argv[1]}")
client = mlflow.MlflowClient()
experiment = client.create_experiment("e", artifact_location=f"{sys.argv[1]}-artifacts")
run = client.create_run(experiment).info.run_id
baseline, wine = (client.create_logged_model(experiment, name=name, source_run_id=run) for name in ("baseline", "wine"))
client.log_metric(run, "rmse", 0.9, model_id=wine.model_id)
time.sleep(0.01)
client.log_metric(run, "rmse", 0.5, model_id=baseline.model_id)
for model in (baseline, wine):
    client.finalize_logged_model(model.model_id, "READY")

client.create_registered_model("wine")
client.create_model_version("wine", f"models:/{wine.model_id}", run, model_id=wine.model_id)
version = client.get_model_version("wine", "1")
model = client.get_logged_model(version.source.removeprefix("models:/"))
print(f"mlflow {mlflow.__version__}")
print("metrics of the version:", version.metrics, "model id:", version.model_id)
print("metrics of its run:", client.get_run(version.run_id).data.metrics)
print("metrics of its logged model:", {metric.key: metric.value for metric in model.metrics})
PYTHON

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --requirement "$here/../tests/mlflow/line3.txt"
seen=$("$folder/venv/bin/python" -W ignore "$folder/try.py" "$folder/mlflow.db" 2>/dev/null)
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
mlflow 3.17.2
metrics of the version: None model id: None
metrics of its run: {'rmse': 0.5}
metrics of its logged model: {'rmse': 0.9}
EXPECTED
