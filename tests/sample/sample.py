"""What the tests of the sample share: where it is, a clean environment, a folder of their own, one training."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

SAMPLE = pathlib.Path(__file__).resolve().parent.parent.parent / "src" / "project"
sys.path.insert(0, str(SAMPLE / "jobs"))

import ridge

KEY = "canary-key-6f1c"
COMMIT = "1234567890abcdef1234567890abcdef12345678"
OTHER_COMMIT = "abcdef1234567890abcdef1234567890abcdef12"
ROW = {
    "fixed_acidity": 7.3,
    "volatile_acidity": 0.5,
    "residual_sugar": 2.5,
    "chlorides": 0.08,
    "sulphates": 0.7,
    "ph": 3.3,
    "alcohol": 11.0,
}


# One training for all: most tests ask what is done with a model, not how it is made.
FIT = ridge.fit(ridge.read_wines())
METRICS = ridge.metrics(FIT.model, FIT.held_out)


def smoke() -> list[dict]:
    """The recorded requests."""
    return [json.loads(line) for line in (SAMPLE / "models" / "smoke.jsonl").read_text(encoding="utf-8").splitlines()]


def environment(**variables: str) -> dict[str, str]:
    """A clean environment: nothing of whoever runs the tests but where programs are."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", **variables}


class Sample(unittest.TestCase):
    """A folder that is removed afterwards, and ways to run the jobs in it."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.artifacts = self.folder / "artifacts"

    def job(self, name: str, *arguments: str, folder: pathlib.Path | None = None, **variables: str):
        """Run a job as its own process and capture it."""
        variables = {"DOMINO_ARTIFACTS_DIR": str(self.artifacts), "DOMINO_GIT_COMMIT": COMMIT} | variables
        done = subprocess.run(
            [sys.executable, str(SAMPLE / "jobs" / name), *arguments],
            cwd=folder or self.folder,
            env=environment(**variables),
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertNotIn(KEY, done.stdout + done.stderr)
        return done

    def domino(self, **variables: str):
        """The environment of a run, for code that is called in this process."""
        variables = {"DOMINO_ARTIFACTS_DIR": str(self.artifacts)} | variables
        self.enterContext(mock.patch.dict(os.environ, environment(**variables), clear=True))
