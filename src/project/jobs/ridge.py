"""Ridge regression on the wine data: read, split, choose the strength, fit, measure.

Pure functions of the data and the settings below. Nothing here prints, writes or asks the network, and the
result is the same to the last bit on every machine: sums are exact (`fsum`), and only arithmetic and square
roots are used, which every machine rounds alike.
"""

import csv
import dataclasses
import hashlib
import math
import operator
import pathlib
import random
import sys

PROJECT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "models"))

import predict  # noqa: E402  the model is measured with the function that will serve it

WINE_CSV = PROJECT / "data" / "wine.csv"
TARGET = "quality"

SEED = 7
HELD_OUT_SHARE = 0.2
FOLDS = 10
REPEATS = 3
STRENGTHS = (0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0)
RESAMPLES = 800


@dataclasses.dataclass(frozen=True)
class Wines:
    """The data set: rows of feature values, their qualities, and a digest of the file they came from."""

    features: tuple[str, ...]
    rows: list[tuple[float, ...]]
    qualities: list[float]
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, indices: list[int]) -> "Wines":
        """These wines alone, in this order."""
        return dataclasses.replace(
            self, rows=[self.rows[i] for i in indices], qualities=[self.qualities[i] for i in indices]
        )

    def named(self, index: int) -> dict[str, float]:
        """One wine's features by name."""
        return dict(zip(self.features, self.rows[index]))


@dataclasses.dataclass(frozen=True)
class Fit:
    """A trained model and what was learned on the way."""

    model: dict
    training: Wines
    held_out: Wines
    strength: float
    scores: list[tuple[float, float]]
    """Each strength tried, with the error cross-validation found for it."""


def read_wines(path: pathlib.Path = WINE_CSV) -> Wines:
    """The data set in a CSV file with a header row; lines that start with `#` are comments."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read the data: {error}") from error
    lines = content.decode("utf-8").splitlines()
    table = csv.reader(line for line in lines if line and not line.startswith("#"))
    names = next(table, [])
    if TARGET not in names or len(names) < 2:
        raise ValueError(f"{path} has no header row with a column `{TARGET}`")
    at = names.index(TARGET)
    rows, qualities = [], []
    for cells in table:
        try:
            values = [predict.number(name, float(cell)) for name, cell in zip(names, cells, strict=True)]
        except ValueError as error:
            raise ValueError(f"{path}: bad row {','.join(cells)!r}: {error}") from error
        qualities.append(values.pop(at))
        rows.append(tuple(values))
    features = tuple(name for name in names if name != TARGET)
    fewest = 2 * FOLDS
    if len(rows) < fewest:
        raise ValueError(f"{path} has {len(rows)} wines; {fewest} are the fewest that can be split")
    return Wines(features, rows, qualities, hashlib.sha256(content).hexdigest())


def split(wines: Wines) -> tuple[Wines, Wines]:
    """The wines to train on and those held out, always the same ones."""
    order = list(range(len(wines)))
    random.Random(SEED).shuffle(order)
    held_out = round(len(order) * HELD_OUT_SHARE)
    return wines.only(sorted(order[held_out:])), wines.only(sorted(order[:held_out]))


def fit(wines: Wines, progress=lambda line: None) -> Fit:
    """Choose the strength by cross-validation, then train with it on every training wine."""
    training, held_out = split(wines)
    scores = cross_validate(training, progress)
    strength = min(scores, key=lambda score: score[1])[0]
    return Fit(train(training, strength), training, held_out, strength, scores)


def cross_validate(wines: Wines, progress) -> list[tuple[float, float]]:
    """The mean error of each strength on wines that its model did not see."""
    chance = random.Random(SEED)
    squares = {strength: [] for strength in STRENGTHS}
    for repeat in range(REPEATS):
        order = list(range(len(wines)))
        chance.shuffle(order)
        for fold in range(FOLDS):
            table = Standardised(wines.only([i for at, i in enumerate(order) if at % FOLDS != fold]))
            unseen = wines.only(order[fold::FOLDS])
            for strength in STRENGTHS:
                model = table.model(table.coefficients(strength))
                squares[strength].extend(error * error for error in errors(model, unseen))
        progress(f"cross-validation: round {repeat + 1} of {REPEATS}, {FOLDS} folds")
    return [(strength, math.sqrt(mean(values))) for strength, values in squares.items()]


def train(wines: Wines, strength: float) -> dict:
    """The model, as `model.json` holds it."""
    table = Standardised(wines)
    return table.model(table.coefficients(strength)) | {
        "kind": "ridge regression",
        "target": TARGET,
        "strength": strength,
        "training-data": {"sha256": wines.digest, "wines": len(wines)},
    }


def intervals(fit: Fit, progress) -> dict[str, tuple[float, float]]:
    """Where each coefficient lies in 95 of 100 trainings on resampled wines (a bootstrap)."""
    table = Standardised(fit.training)
    chance = random.Random(SEED)
    found = []
    for resample in range(1, RESAMPLES + 1):
        found.append(table.coefficients(fit.strength, chance.choices(range(len(table)), k=len(table))))
        if resample % (RESAMPLES // 4) == 0:
            progress(f"bootstrap: {resample} of {RESAMPLES} resamples")
    edge = round(RESAMPLES * 0.025)
    bounds = {}
    for name, values in zip(fit.training.features, map(sorted, zip(*found))):
        bounds[name] = (values[edge], values[-edge - 1])
    return bounds


def metrics(model: dict, wines: Wines) -> dict[str, float]:
    """How far the model is off on these wines: `rmse` and `mae` in points of quality, and `r2`."""
    off = errors(model, wines)
    middle = mean(wines.qualities)
    squares = math.fsum(error * error for error in off)
    spread = math.fsum((actual - middle) ** 2 for actual in wines.qualities)
    return {
        "rmse": round(math.sqrt(squares / len(wines)), 4),
        "mae": round(mean([abs(error) for error in off]), 4),
        "r2": round(1 - squares / spread, 4),
    }


def errors(model: dict, wines: Wines) -> list[float]:
    """Predicted minus actual, wine by wine."""
    return [predict.quality(model, wines.named(index)) - actual for index, actual in enumerate(wines.qualities)]


def mean(values: list[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(values) / len(values)


class Standardised:
    """Wines with every feature brought to mean 0 and deviation 1, so that one strength suits them all."""

    def __init__(self, wines: Wines):
        self.features = wines.features
        self.intercept = mean(wines.qualities)
        self.means, self.scales, self.columns = [], [], []
        for column in zip(*wines.rows):
            middle = mean(column)
            scale = math.sqrt(mean([(value - middle) ** 2 for value in column])) or 1.0
            self.means.append(middle)
            self.scales.append(scale)
            self.columns.append([(value - middle) / scale for value in column])
        self.target = [value - self.intercept for value in wines.qualities]

    def __len__(self) -> int:
        return len(self.target)

    def coefficients(self, strength: float, sample: list[int] | None = None) -> list[float]:
        """Solve the normal equations, for all wines or for a sample of them."""
        columns, target = self.columns, self.target
        if sample is not None:
            pick = operator.itemgetter(*sample)
            columns, target = [pick(column) for column in columns], pick(target)
        gram = [[dot(left, right) for right in columns[: at + 1]] for at, left in enumerate(columns)]
        for at, row in enumerate(gram):
            row[at] += strength * len(target)
        return solve(gram, [dot(column, target) for column in columns])

    def model(self, coefficients: list[float]) -> dict:
        """The part of a model that predicts."""
        # Twelve digits are far more than the data holds, and keep the file readable.
        features = [
            {"name": name, "mean": twelve(middle), "scale": twelve(scale), "coefficient": twelve(weight)}
            for name, middle, scale, weight in zip(self.features, self.means, self.scales, coefficients)
        ]
        return {"intercept": twelve(self.intercept), "features": features}


def dot(left, right) -> float:
    """The exact sum of products."""
    return math.fsum(map(operator.mul, left, right))


def solve(lower: list[list[float]], right: list[float]) -> list[float]:
    """Solve `A x = right` for a positive definite A given by its lower half (Cholesky)."""
    size = len(right)
    factor: list[list[float]] = []
    for i in range(size):
        row: list[float] = []
        for j in range(i):
            row.append((lower[i][j] - dot(row, factor[j])) / factor[j][j])
        row.append(math.sqrt(lower[i][i] - dot(row, row)))
        factor.append(row)
    between: list[float] = []
    for i in range(size):
        between.append((right[i] - dot(factor[i], between)) / factor[i][i])
    answer = [0.0] * size
    for i in reversed(range(size)):
        later = math.fsum(factor[j][i] * answer[j] for j in range(i + 1, size))
        answer[i] = (between[i] - later) / factor[i][i]
    return answer


def twelve(value: float) -> float:
    """Rounded to twelve significant digits."""
    return float(f"{value:.12g}")
