"""The sample's data, training, scoring and prediction from outside, as Domino would run them.

    python3 -m unittest discover --start-directory tests/sample

Standard library only, loopback only.
"""

import contextlib
import io
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

from mlflow_stand_in import Mlflow
from sample import COMMIT, FIT, KEY, METRICS, ROW, SAMPLE, Sample, environment, ridge, smoke

import experiments
import train


class Data(unittest.TestCase):
    def test_the_data_is_what_make_data_writes(self):
        done = subprocess.run([sys.executable, str(SAMPLE / "data" / "make_data.py"), "--check"], timeout=60)
        self.assertEqual(done.returncode, 0)

    def test_a_bad_row_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "wine.csv"
            path.write_text("alcohol,quality\n11.0,5.0\neleven,5.0\n", encoding="utf-8")
            with self.assertRaisesRegex(ValueError, "bad row 'eleven,5.0'"):
                ridge.read_wines(path)
            path.write_text("alcohol,quality\n11.0\n", encoding="utf-8")
            with self.assertRaisesRegex(ValueError, "bad row '11.0'"):
                ridge.read_wines(path)
            path.write_text("alcohol\n11.0\n", encoding="utf-8")
            with self.assertRaisesRegex(ValueError, "no header row"):
                ridge.read_wines(path)


class Training(Sample):
    def test_two_trainings_give_the_same_model_whatever_the_folder(self):
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        first = self.job("train.py")
        second = self.job("train.py", folder=elsewhere, DOMINO_ARTIFACTS_DIR=str(elsewhere / "kept"))
        self.assertEqual((first.returncode, second.returncode), (0, 0), first.stderr + second.stderr)
        self.assertEqual((self.artifacts / "model.json").read_bytes(), (elsewhere / "kept" / "model.json").read_bytes())

    def test_the_numbers_are_printed_and_left_where_domino_reads_them(self):
        done = self.job("train.py")
        stats = json.loads((self.folder / "dominostats.json").read_text())
        self.assertEqual(set(stats), {"rmse", "mae", "r2"})
        self.assertIn(", ".join(f"{name} {value:.4f}" for name, value in stats.items()), done.stdout)
        self.assertEqual(json.loads((self.artifacts / "dominostats.json").read_text()), stats)
        self.assertIn("bootstrap: 800 of 800", done.stdout)
        self.assertIn("not registered: MLFLOW_TRACKING_URI is not set", done.stdout)
        report = json.loads((self.artifacts / "training.json").read_text())
        self.assertEqual((report["commit"], report["metrics"]), (COMMIT, stats))

    def test_the_model_finds_what_the_data_was_made_of(self):
        found = {feature["name"]: feature["coefficient"] for feature in FIT.model["features"]}
        self.assertGreater(METRICS["r2"], 0.6)
        self.assertGreater(found["alcohol"], 0.3)
        self.assertGreater(found["sulphates"], 0.1)
        self.assertLess(found["volatile_acidity"], -0.2)
        bounds = ridge.intervals(FIT, lambda line: None)
        for name, (low, high) in bounds.items():
            self.assertTrue(low < found[name] < high, name)
        self.assertTrue(bounds["ph"][0] < 0 < bounds["ph"][1])

    def test_the_normal_equations_are_solved(self):
        answer = ridge.solve([[4.0], [2.0, 5.0], [1.0, 3.0, 6.0]], [1.0, 2.0, 3.0])
        whole = [[4.0, 2.0, 1.0], [2.0, 5.0, 3.0], [1.0, 3.0, 6.0]]
        for row, right in zip(whole, [1.0, 2.0, 3.0]):
            self.assertAlmostEqual(ridge.dot(row, answer), right, places=12)

    def test_a_bad_tracking_address_is_one_readable_line_and_not_shown(self):
        done = self.job("train.py", MLFLOW_TRACKING_URI=f"https://user:{KEY}@example.com")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "error: MLFLOW_TRACKING_URI must hold no user or password\n")

    def test_an_unreachable_experiment_manager_fails_the_job_and_keeps_the_model(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{closed.getsockname()[1]}"
            done = self.job("train.py", MLFLOW_TRACKING_URI=address)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^error: GET /api/2.0/mlflow/\S+ was not answered: .*refused\n$")
        self.assertTrue((self.artifacts / "model.json").exists())


class Commit(Sample):
    def test_the_commit_is_asked_of_git_and_a_repository_around_it_does_not_answer(self):
        project = self.folder / "src" / "project"
        shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns("__pycache__"))
        self.assertEqual(self.commit(project), "unknown")
        self.git("init", "--quiet")
        self.git("commit", "--quiet", "--allow-empty", "--message", "something else")
        self.assertEqual(self.commit(project), "unknown")
        self.git("add", "src")
        self.git("commit", "--quiet", "--message", "the sample")
        head = self.git("rev-parse", "HEAD")
        self.assertEqual(self.commit(project), head)
        with open(project / "jobs" / "train.py", "a", encoding="utf-8") as file:
            file.write("\n")
        self.assertEqual(self.commit(project), f"{head}-dirty")
        self.assertEqual(self.commit(project, DOMINO_GIT_COMMIT=COMMIT), COMMIT)

    def commit(self, project: pathlib.Path, **variables: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", "import execution; print(execution.commit())"],
            cwd=project / "jobs",
            env=environment(GIT_CONFIG_GLOBAL=os.devnull, **variables),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()

    def git(self, *arguments: str) -> str:
        author = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            env=environment(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", **author),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()


class Scoring(Sample):
    def scored(self, **variables: str) -> str:
        done = self.job("score.py", **variables)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(set(json.loads((self.folder / "dominostats.json").read_text())), {"wines", "rmse", "mae"})
        return done.stdout

    def test_the_kept_model_is_used_first_and_rates_eight_wines(self):
        self.artifacts.mkdir()
        (self.artifacts / "model.json").write_text(json.dumps(FIT.model | {"intercept": 9.5}))
        lines = self.scored().splitlines()
        self.assertEqual(lines[0], "rating 8 wines with the model of the last training")
        self.assertEqual(len(lines), 11)
        predicted = [float(line.split()[3]) for line in lines[2:10]]
        self.assertGreater(min(predicted), 7)  # the changed model shows

    def test_the_registry_is_asked_when_no_model_was_kept(self):
        with Mlflow() as mlflow:
            self.domino()
            with contextlib.redirect_stdout(io.StringIO()):
                train.register(experiments.Experiments(mlflow.uri), "wine-quality", FIT, METRICS, COMMIT)
            self.assertIn("with version 1 of wine-quality\n", self.scored(MLFLOW_TRACKING_URI=mlflow.uri))

    def test_a_model_is_trained_when_there_is_none(self):
        self.assertIn("a model trained just now", self.scored())

    def test_a_kept_file_that_is_no_model_is_refused(self):
        self.artifacts.mkdir()
        (self.artifacts / "model.json").write_text('{"features": [{"name": "alcohol"}], "intercept": 1}')
        done = self.job("score.py")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(
            done.stderr, r"^error: \S+model.json is not a wine quality model: KeyError\('coefficient'\)\n$"
        )


class Predicting(unittest.TestCase):
    def test_the_smoke_requests_get_the_answers_they_expect(self):
        for case in smoke():
            with self.subTest(case["name"]):
                self.assertAlmostEqual(
                    ridge.predict.predict(**case["input"]["data"]), case["expect"]["result"], places=4
                )

    def test_the_smoke_requests_are_complete(self):
        cases = smoke()
        self.assertGreaterEqual(len(cases), 3)
        for case in cases:
            self.assertEqual(set(case), {"name", "input", "expect", "tolerance", "max-latency-ms"})

    def test_wrong_arguments_are_named(self):
        predict = ridge.predict.predict
        with self.assertRaisesRegex(TypeError, "is missing `ph`, `alcohol`"):
            predict(**{name: value for name, value in ROW.items() if name not in ("ph", "alcohol")})
        with self.assertRaisesRegex(TypeError, "knows no `colour`; it knows `fixed_acidity`"):
            predict(**ROW, colour="red")
        for wrong in ("11", True, None, [11]):
            with self.assertRaisesRegex(TypeError, "`alcohol` must be a number"):
                predict(**ROW | {"alcohol": wrong})
        with self.assertRaisesRegex(ValueError, "`alcohol` must be a finite number"):
            predict(**ROW | {"alcohol": float("nan")})


if __name__ == "__main__":
    unittest.main()
