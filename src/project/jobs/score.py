"""The scoring job: rate a handful of wines with the newest model. Meant to run on a schedule.

The model is the one among the artifacts, else the newest registered version, else one trained on the spot.
Writes `dominostats.json`.
"""

import argparse
import pathlib
import sys
import tempfile

import execution
import experiments
import ridge
import train
from ridge import predict


def main(arguments: list[str]) -> int:
    """Score, and turn what goes wrong into one readable line."""
    parser = argparse.ArgumentParser(description="Rate wines that the training did not see.")
    parser.add_argument("--model-name", default=train.MODEL_NAME, help="the registered model (default: %(default)s)")
    parser.add_argument("--wines", type=int, default=8, help="how many wines to rate (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.wines < 2:
        parser.error("--wines must be 2 or more")
    try:
        score(options.model_name, options.wines)
    except (experiments.ExperimentError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def score(model_name: str, count: int) -> None:
    """Print a table of predictions beside the truth."""
    wines = ridge.read_wines()
    model, source = newest_model(model_name, wines)
    _, held_out = ridge.split(wines)
    few = held_out.only(list(range(min(count, len(held_out)))))
    print(f"rating {len(few)} wines with {source}", flush=True)
    print(f"{'wine':>4} {'alcohol':>8} {'sulphates':>10} {'predicted':>10} {'actual':>7} {'off':>6}")
    for index, (actual, off) in enumerate(zip(few.qualities, ridge.errors(model, few))):
        wine = few.named(index)
        print(
            f"{index + 1:>4} {wine['alcohol']:>8.1f} {wine['sulphates']:>10.2f} "
            f"{actual + off:>10.2f} {actual:>7.1f} {off:>+6.2f}",
            flush=True,
        )
    metrics = ridge.metrics(model, few)
    execution.write_stats({"wines": len(few), "rmse": metrics["rmse"], "mae": metrics["mae"]})
    print(f"rmse {metrics['rmse']:.4f}, mae {metrics['mae']:.4f}", flush=True)


def newest_model(name: str, wines: ridge.Wines) -> tuple[dict, str]:
    """The model, and where it comes from in words."""
    kept = execution.artifacts_folder() / "model.json"
    if kept.exists():
        return predict.read_model(kept), "the model of the last training"
    manager = experiments.Experiments.from_environment()
    newest = manager.newest_version(name) if manager else None
    if manager and newest and newest.get("run_id"):
        content = manager.download(newest["run_id"], f"{train.MODEL_FOLDER}/model.json")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.json"
            path.write_bytes(content)
            return predict.read_model(path), f"version {newest['version']} of {name}"
    return ridge.fit(wines).model, "a model trained just now, as none was kept or registered"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
