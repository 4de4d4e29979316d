"""The training job: fit the wine quality model, show how good it is, keep it, register it.

Writes among the artifacts: `model.json` (the model), `training.json` (what the dashboard shows) and
`dominostats.json` (what Domino's jobs table shows). With `MLFLOW_TRACKING_URI` set, as it is in Domino, the
model also becomes a new version in the model registry, unless the newest version is this very model from this
very commit and run. The same commit always gives the same model.

Where MLflow's own client is installed, it registers the model; else `experiments.py` does.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import sys
import tempfile

import execution
import experiments
import ridge

MODEL_NAME = "wine-quality"
MODEL_FOLDER = "model"
LOGGED = "mlflow.log-model.history"
DOMINO_RUN = "mlflow.domino.run_id"  # by it the pipeline finds what this run registered


def main(arguments: list[str]) -> int:
    """Train, and turn what goes wrong into one readable line."""
    parser = argparse.ArgumentParser(description="Train the wine quality model and register it.")
    parser.add_argument("--model-name", default=MODEL_NAME, help="the registered model (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not options.model_name.replace("-", "").replace("_", "").isalnum():
        parser.error("--model-name takes letters, digits, `-` and `_`")
    try:
        train(options.model_name)
    except (experiments.ExperimentError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def train(model_name: str) -> None:
    """The whole job, from the data to the registered version."""
    manager = experiments.Experiments.from_environment()  # first, so that a bad address fails at once
    commit = execution.commit()
    wines = ridge.read_wines()
    say(f"training {model_name} at commit {commit}")
    fit = ridge.fit(wines, say)
    say(f"{len(wines)} wines: {len(fit.training)} to train on, {len(fit.held_out)} held out")
    for strength, rmse in fit.scores:
        say(f"  strength {strength:<7g} rmse {rmse:.4f}{'  <- chosen' if strength == fit.strength else ''}")
    intervals = ridge.intervals(fit, say)
    for feature in fit.model["features"]:
        low, high = intervals[feature["name"]]
        say(f"  {feature['name']:<17} {feature['coefficient']:+.3f}  (95 %: {low:+.3f} to {high:+.3f})")
    metrics = ridge.metrics(fit.model, fit.held_out)
    say("on the wines held out: " + ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))

    report = {
        "trained-at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "project": execution.project(),
        "metrics": metrics,
        "strength": fit.strength,
        "wines": {"training": len(fit.training), "held-out": len(fit.held_out)},
        "coefficients": [
            {"name": feature["name"], "value": feature["coefficient"], "interval": intervals[feature["name"]]}
            for feature in fit.model["features"]
        ],
        "held-out": [
            [actual, round(actual + off, 4)]
            for actual, off in zip(fit.held_out.qualities, ridge.errors(fit.model, fit.held_out))
        ],
        "registered": None,
    }
    artifacts = execution.artifacts_folder()
    execution.write_json(artifacts / "model.json", fit.model)
    execution.write_json(artifacts / "training.json", report)
    execution.write_stats(metrics)
    say(f"wrote model.json and training.json to {artifacts}")

    if manager is None:
        say("not registered: MLFLOW_TRACKING_URI is not set")
        return
    report["registered"] = register(manager, model_name, fit, metrics, commit)
    execution.write_json(artifacts / "training.json", report)


def register(manager: experiments.Experiments, name: str, fit: ridge.Fit, metrics: dict, commit: str) -> dict:
    """Make the model a version of the registered model `name`; returns its name and version.

    The version is made last, when its run is complete, so that no version ever lacks its files.
    """
    files = model_files(fit.model)
    digest = files_digest(files)
    if newest := manager.newest_version(name):
        tags = manager.run_tags(newest["run_id"]) if newest.get("run_id") else None
        ready = newest.get("status", "READY") == "READY"
        made = tuple(tags.get(key) for key in ("mlflow.source.git.commit", "model.digest", DOMINO_RUN)) if tags else None
        if ready and made == (commit, digest, os.environ.get("DOMINO_RUN_ID") or None):
            say(f"already registered as version {newest['version']} of {name}")
            return {"name": name, "version": newest["version"]}

    tags = execution_tags(commit) | {"model.digest": digest, "data.sha256": fit.model["training-data"]["sha256"]}
    owner, _, project = execution.project().partition("/")
    experiment_name = f"{owner}-{project}-training"
    if (mlflow := mlflow_client()) is not None:
        version = register_by_mlflow(mlflow, experiment_name, name, fit, metrics, tags)
        say(f"registered as version {version} of {name} by the client of MLflow {mlflow.__version__}")
        return {"name": name, "version": version}
    experiment = manager.experiment(experiment_name)
    run = manager.start_run(experiment, f"{name}-{commit[:8]}", tags | {LOGGED: logged(files["MLmodel"])})
    try:
        manager.log(run["run_id"], metrics, parameters(fit))
        for path, content in files.items():
            manager.upload(run, f"{MODEL_FOLDER}/{path}", content)
        manager.end_run(run["run_id"], "FINISHED")
    except experiments.ExperimentError:
        abandon(manager, run["run_id"])
        raise
    version = manager.register(name, run["run_id"], MODEL_FOLDER, f"Trained at commit {commit}", tags)
    say(f"registered as version {version} of {name}")
    say(f"run: {manager.uri}/#/experiments/{experiment}/runs/{run['run_id']}")
    return {"name": name, "version": version}


def mlflow_client():
    """MLflow's own client, when it is installed with all that `pyfunc` needs; else `None`."""
    try:
        import mlflow.pyfunc
    except ImportError:
        return None
    return mlflow


def register_by_mlflow(mlflow, experiment: str, name: str, fit: ridge.Fit, metrics: dict, tags: dict) -> str:
    """The same by MLflow's own client, of line 2 or 3; returns the version's number."""
    mlflow.set_experiment(experiment)
    commit = tags["mlflow.source.git.commit"]
    with mlflow.start_run(run_name=f"{name}-{commit[:8]}", tags=tags), tempfile.TemporaryDirectory() as folder:
        mlflow.log_params(parameters(fit))
        mlflow.log_metrics(metrics)
        data = pathlib.Path(folder, "model.json")
        data.write_bytes(model_files(fit.model)["model.json"])
        mlflow.log_artifact(str(data), MODEL_FOLDER)  # the scoring job reads it there
        where = {"artifact_path" if mlflow.__version__.startswith("2.") else "name": MODEL_FOLDER}
        model = mlflow.pyfunc.log_model(
            **where,
            loader_module="predict",
            data_path=str(data),
            # `predict.py` looks for its data beside itself.
            code_paths=[str(execution.PROJECT / "models" / "predict.py"), str(data)],
            pip_requirements=[],
            registered_model_name=name,
        )
    version = str(model.registered_model_version)
    mlflow.MlflowClient().update_model_version(name, version, f"Trained at commit {commit}")
    return version


def abandon(manager: experiments.Experiments, run_id: str) -> None:
    """Mark a run as failed if the server still listens; the error that led here is the one to report."""
    try:
        manager.end_run(run_id, "FAILED")
    except experiments.ExperimentError as error:
        print(f"run {run_id} could not be marked as failed: {error}", file=sys.stderr)


def model_files(model: dict) -> dict[str, bytes]:
    """The files of the registered model: all that serving it takes, and nothing that changes by itself."""
    inputs = [{"type": "double", "name": feature["name"], "required": True} for feature in model["features"]]
    description = {
        "flavors": {
            "python_function": {"loader_module": "predict", "code": ".", "data": "model.json"},
        },
        "signature": {
            "inputs": json.dumps(inputs),
            "outputs": json.dumps([{"type": "double", "name": model["target"], "required": True}]),
        },
    }
    return {
        # MLflow reads YAML here, and JSON is YAML.
        "MLmodel": json.dumps(description, indent=2).encode() + b"\n",
        "model.json": json.dumps(model, indent=2).encode() + b"\n",
        "predict.py": (execution.PROJECT / "models" / "predict.py").read_bytes(),
    }


def logged(description: bytes) -> str:
    """The note that MLflow keeps at a run of the models it logged; by it a promotion shows the signature."""
    created = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
    return json.dumps([{"artifact_path": MODEL_FOLDER, "utc_time_created": created} | json.loads(description)])


def files_digest(files: dict[str, bytes]) -> str:
    """One digest over names and contents."""
    each = [f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(files.items())]
    return hashlib.sha256("".join(each).encode()).hexdigest()


def execution_tags(commit: str) -> dict[str, str]:
    """Where a run comes from, under the names that MLflow and Domino use; what is not known is left out."""
    known = {
        "mlflow.source.git.commit": commit,
        "mlflow.source.name": "src/project/jobs/train.py",
        "mlflow.source.type": "JOB",
        "mlflow.user": os.environ.get("DOMINO_STARTING_USERNAME"),
        "mlflow.domino.user": os.environ.get("DOMINO_STARTING_USERNAME"),
        "mlflow.domino.project": os.environ.get("DOMINO_PROJECT_NAME") or execution.project().partition("/")[2],
        "mlflow.domino.project_name": os.environ.get("DOMINO_PROJECT_NAME"),
        "mlflow.domino.project_id": os.environ.get("DOMINO_PROJECT_ID"),
        DOMINO_RUN: os.environ.get("DOMINO_RUN_ID"),
        "mlflow.domino.hardware_tier": os.environ.get("DOMINO_HARDWARE_TIER_ID"),
    }
    return {key: value for key, value in known.items() if value}


def parameters(fit: ridge.Fit) -> dict[str, str]:
    """What the training was told and what it chose."""
    return {
        "strength": str(fit.strength),
        "seed": str(ridge.SEED),
        "folds": str(ridge.FOLDS),
        "repeats": str(ridge.REPEATS),
        "training-wines": str(len(fit.training)),
        "held-out-wines": str(len(fit.held_out)),
    }


def say(line: str) -> None:
    """One line of progress, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
