"""The wine quality model as a function: what an endpoint serves.

Stands alone, because a registered model carries this file and its `model.json` and nothing else of the
project. It knows how to apply a model, not how to train or register one.
"""

import json
import math
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def predict(**features) -> float:
    """The quality, from 0 to 10, of one wine given by its features: `predict(alcohol=11.2, ...)`."""
    return round(quality(served_model(), features), 4)


def quality(model: dict, features: dict) -> float:
    """What `model` makes of one wine. The training measures itself with this same function."""
    known = [feature["name"] for feature in model["features"]]
    missing = [name for name in known if name not in features]
    unknown = [name for name in features if name not in known]
    if missing:
        raise TypeError(f"predict() is missing {listed(missing)}")
    if unknown:
        raise TypeError(f"predict() knows no {listed(unknown)}; it knows {listed(known)}")
    terms = [model["intercept"]]
    for feature in model["features"]:
        value = number(feature["name"], features[feature["name"]])
        terms.append(feature["coefficient"] * (value - feature["mean"]) / feature["scale"])
    return math.fsum(terms)


_served = None


def served_model() -> dict:
    """The model that this file serves, read once."""
    global _served
    if _served is None:
        _served = read_model(HERE / "model.json") if (HERE / "model.json").exists() else trained_here()
    return _served


def trained_here() -> dict:
    """The model of this very commit, when no `model.json` lies beside this file.

    That is so for an endpoint made from file and function. It trains instead of looking for the last
    training's artifacts: those may come from another commit than the one that is served, and training
    on this data takes less than a second and always gives the same model.
    """
    sys.path.insert(0, str(HERE.parent / "jobs"))
    import ridge

    return ridge.fit(ridge.read_wines()).model


def read_model(path: pathlib.Path) -> dict:
    """The model in a `model.json`; `ValueError` when it is none."""
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
        for feature in model["features"]:
            for key in ("coefficient", "mean", "scale"):
                number(feature["name"], feature[key])
        number("intercept", model["intercept"])
    except OSError as error:
        raise ValueError(f"cannot read the model: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a wine quality model: {error!r}") from error
    return model


def number(name: str, value) -> float:
    """`value` as a float; only real, finite numbers pass."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"`{name}` must be a number, not {type(value).__name__}")
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"`{name}` must be a finite number")
    return value


def listed(names: list[str]) -> str:
    """Names as a person writes them down."""
    return ", ".join(f"`{name}`" for name in names)


class LoadedModel:
    """What MLflow calls to predict: a table in, one quality for each row out."""

    def __init__(self, model: dict):
        self.model = model

    def predict(self, table, params=None) -> list[float]:
        """`table` is a pandas DataFrame, a list of rows or one row. There are no `params`."""
        if hasattr(table, "to_dict"):
            rows = table.to_dict("records")
        else:
            rows = [table] if isinstance(table, dict) else table
        return [round(quality(self.model, row), 4) for row in rows]


def _load_pyfunc(path: str) -> LoadedModel:
    # The name is MLflow's: it is how a python_function flavor hands over its data.
    return LoadedModel(read_model(pathlib.Path(path)))
