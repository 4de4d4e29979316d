"""Registering the trained model: on a stand-in for MLflow, and on a real server when there is one.

Set MLFLOW_TRACKING_URI_FOR_TESTS to a server's address (see tests/mlflow/start.sh) for the latter.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import unittest
import uuid

from mlflow_stand_in import Mlflow
from sample import COMMIT, FIT, KEY, METRICS, OTHER_COMMIT, ROW, Sample, environment, ridge, smoke

import experiments
import train


class Registration(Sample):
    def setUp(self):
        super().setUp()
        self.mlflow = self.enterContext(Mlflow())
        self.domino(
            DOMINO_PROJECT_OWNER="wine-team", DOMINO_PROJECT_NAME="wine-quality", DOMINO_STARTING_USERNAME="author"
        )

    def register(self, commit: str = COMMIT, fit: ridge.Fit | None = None) -> str:
        """Register in this process, without waiting between attempts; returns what was printed."""
        manager = experiments.Experiments(self.mlflow.uri, ("X-Domino-Api-Key", KEY), pauses=(0, 0))
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            train.register(manager, "wine-quality", fit or FIT, METRICS, commit)
        self.assertNotIn(KEY, said.getvalue())
        return said.getvalue()

    def refused(self, message: str):
        """Registering must fail with this message."""
        with self.assertRaisesRegex(experiments.ExperimentError, message) as caught:
            self.register()
        self.assertNotIn(KEY, str(caught.exception))

    def test_the_training_job_registers_its_model(self):
        done = self.job(
            "train.py",
            MLFLOW_TRACKING_URI=self.mlflow.uri,
            DOMINO_PROJECT_NAME="wine-quality",
            DOMINO_PROJECT_OWNER="wine-team",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("registered as version 1 of wine-quality\n", done.stdout)
        (version,) = self.mlflow.versions
        run = self.mlflow.runs[version["run_id"]]
        self.assertEqual(version["source"], f"runs:/{version['run_id']}/model")
        self.assertEqual(self.mlflow.experiments, {"wine-team-wine-quality-training": "1"})
        self.assertEqual(run["status"], "FINISHED")
        self.assertEqual(run["metrics"], METRICS)
        self.assertEqual(run["params"]["strength"], "0.01")
        self.assertEqual(run["tags"]["mlflow.source.git.commit"], COMMIT)
        self.assertEqual(run["tags"]["mlflow.domino.project"], "wine-quality")
        (logged,) = json.loads(run["tags"]["mlflow.log-model.history"])
        self.assertEqual(logged["artifact_path"], "model")
        self.assertIn("alcohol", logged["signature"]["inputs"])
        registered = json.loads((self.artifacts / "training.json").read_text())["registered"]
        self.assertEqual(registered, {"name": "wine-quality", "version": "1"})

    def test_the_registered_files_serve_by_themselves(self):
        self.register()
        prefix = f"1/{self.mlflow.versions[0]['run_id']}/artifacts/model/"
        for path, content in self.mlflow.artifacts.items():
            (self.folder / path.removeprefix(prefix)).write_bytes(content)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"MLmodel", "model.json", "predict.py"})
        for case in smoke():
            result = self.alone("import predict as m; print(m.predict(**given))", case["input"]["data"])
            self.assertAlmostEqual(float(result), case["expect"]["result"], places=4)
        flavor = json.loads((self.folder / "MLmodel").read_text())["flavors"]["python_function"]
        self.assertEqual(flavor["code"], ".")
        load = f"import {flavor['loader_module']} as m; print(m._load_pyfunc({flavor['data']!r}).predict([given]))"
        self.assertEqual(json.loads(self.alone(load, ROW)), [ridge.predict.predict(**ROW)])

    def alone(self, code: str, given: dict) -> str:
        """What a fresh Python prints that has nothing but the registered files."""
        done = subprocess.run(
            [sys.executable, "-c", f"import json; given = json.loads({json.dumps(given)!r}); {code}"],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def test_the_same_model_of_the_same_commit_is_registered_once(self):
        self.register()
        self.assertEqual(self.register(), "already registered as version 1 of wine-quality\n")
        self.assertEqual((len(self.mlflow.versions), len(self.mlflow.runs)), (1, 1))

    def test_another_run_in_domino_is_another_version(self):
        for run, expected in (("a" * 24, "registered as version 1"), ("a" * 24, "already registered as version 1")):
            self.domino(DOMINO_RUN_ID=run)
            self.assertIn(expected, self.register())
        self.domino(DOMINO_RUN_ID="b" * 24)
        self.assertIn("registered as version 2", self.register())
        tags = [self.mlflow.runs[version["run_id"]]["tags"]["mlflow.domino.run_id"] for version in self.mlflow.versions]
        self.assertEqual(tags, ["a" * 24, "b" * 24])

    def test_another_commit_is_another_version(self):
        self.register()
        self.assertIn("registered as version 2 of", self.register(OTHER_COMMIT))
        # Only the newest version counts: going back to the first commit is a change, too.
        self.assertIn("registered as version 3 of", self.register())

    def test_another_model_is_another_version(self):
        self.register()
        self.mlflow.runs[self.mlflow.versions[0]["run_id"]]["tags"]["model.digest"] = "0" * 64
        self.assertIn("registered as version 2 of", self.register())

    def test_a_version_whose_run_is_gone_or_that_is_not_ready_does_not_count(self):
        self.register()
        run = self.mlflow.runs.pop(self.mlflow.versions[0]["run_id"])
        self.assertIn("registered as version 2 of", self.register())
        self.mlflow.runs[run["run_id"]] = run
        self.mlflow.versions[1]["status"] = "FAILED_REGISTRATION"
        self.assertIn("registered as version 3 of", self.register())

    def test_the_newest_version_is_found_on_the_last_page(self):
        for commit in (OTHER_COMMIT, "f" * 40, COMMIT):
            self.register(commit)
        self.mlflow.page_size = 1
        self.assertIn("already registered as version 3", self.register())

    def test_a_refused_upload_leaves_no_version_and_a_failed_run(self):
        self.mlflow.fail("PUT", "model.json", 403, 9)
        self.refused(
            r"^PUT /api/2.0/mlflow-artifacts/\S+/model/model.json answered 403 PERMISSION_DENIED: no, said the test$"
        )
        self.assertEqual(self.mlflow.versions, [])
        self.assertEqual([run["status"] for run in self.mlflow.runs.values()], ["FAILED"])

    def test_a_server_that_passes_no_artifacts_on_gets_no_version(self):
        self.mlflow.artifact_root = "s3://bucket"
        self.refused("keeps artifacts at `s3:` itself")
        self.assertEqual(self.mlflow.versions, [])

    def test_artifacts_are_found_under_any_root_the_server_names(self):
        self.mlflow.artifact_root = "mlflow-artifacts://mlflow.example.com/mlflow"
        self.register()
        self.assertEqual({path.split("/")[0] for path in self.mlflow.artifacts}, {"mlflow"})

    def test_reads_and_uploads_are_repeated_when_the_server_stumbles(self):
        self.mlflow.fail("GET", "model-versions/search", 503, 2)
        self.mlflow.fail("PUT", "MLmodel", 502, 2)
        self.register()
        self.assertEqual(len(self.mlflow.asked("GET", "model-versions/search")), 3)
        self.assertEqual(len(self.mlflow.versions), 1)

    def test_a_write_is_never_sent_twice(self):
        self.mlflow.fail("POST", "model-versions/create", 503, 1)
        self.refused("POST /api/2.0/mlflow/model-versions/create answered 503")
        self.assertEqual(len(self.mlflow.asked("POST", "model-versions/create")), 1)

    def test_a_reply_that_lacks_what_is_needed_is_said_so(self):
        self.mlflow.answer("POST", "runs/create", b'{"run": {"info": {}}}')
        self.refused(r"^POST /api/2.0/mlflow/runs/create answered without `run_id`$")
        self.mlflow.answer("POST", "runs/create", b"<html>please sign in</html>")
        self.refused(r"^POST /api/2.0/mlflow/runs/create answered something that is not a JSON object$")

    def test_the_key_goes_to_domino_itself_and_nowhere_else(self):
        for host, header in ((self.mlflow.uri + "/", KEY), ("https://domino.example.com", None), ("", None)):
            self.assertEqual(self.credentials(DOMINO_API_HOST=host, DOMINO_USER_API_KEY=KEY), {(header, None)})

    def test_the_tracking_token_goes_instead_of_the_key(self):
        sent = self.credentials(DOMINO_API_HOST=self.mlflow.uri, DOMINO_USER_API_KEY="key", MLFLOW_TRACKING_TOKEN=KEY)
        self.assertEqual(sent, {(None, f"Bearer {KEY}")})

    def test_a_credential_that_no_header_can_carry_is_not_quoted(self):
        done = self.job("train.py", MLFLOW_TRACKING_URI=self.mlflow.uri, MLFLOW_TRACKING_TOKEN=f"{KEY}\r\nX-More: 1")
        self.assertEqual((done.returncode, self.mlflow.requests), (1, []))
        self.assertEqual(done.stderr, "error: MLFLOW_TRACKING_TOKEN holds characters that no credential has\n")

    def credentials(self, **variables: str) -> set:
        """The kinds of credential that a training sends."""
        self.mlflow.requests.clear()
        self.assertEqual(self.job("train.py", MLFLOW_TRACKING_URI=self.mlflow.uri, **variables).returncode, 0)
        return {(sent.get("X-Domino-Api-Key"), sent.get("Authorization")) for _, _, sent in self.mlflow.requests}

    def test_a_redirect_is_not_followed(self):
        with Mlflow() as elsewhere:
            self.mlflow.redirect_to = elsewhere.uri
            self.refused("answered 302")
            self.assertEqual(elsewhere.requests, [])


@unittest.skipUnless(
    os.environ.get("MLFLOW_TRACKING_URI_FOR_TESTS"),
    "MLFLOW_TRACKING_URI_FOR_TESTS is not set: nothing was tried on a real MLflow (see tests/mlflow/start.sh)",
)
class RealMlflow(Sample):
    def test_a_real_server_holds_the_model_once_and_hands_it_back(self):
        uri = os.environ["MLFLOW_TRACKING_URI_FOR_TESTS"]
        name = f"wine-quality-{uuid.uuid4().hex[:8]}"  # the server may serve other tests as well
        domino = {"MLFLOW_TRACKING_URI": uri, "DOMINO_PROJECT_OWNER": "wine-team", "DOMINO_PROJECT_NAME": name}
        for commit, expected in (
            (COMMIT, f"registered as version 1 of {name}"),
            (COMMIT, f"already registered as version 1 of {name}"),
            (OTHER_COMMIT, f"registered as version 2 of {name}"),
        ):
            done = self.job("train.py", "--model-name", name, **domino, DOMINO_GIT_COMMIT=commit)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(expected + "\n", done.stdout)
        manager = experiments.Experiments(uri)
        newest = manager.newest_version(name)
        self.assertEqual((newest["version"], newest["status"]), ("2", "READY"))
        tags = manager.run_tags(newest["run_id"])
        self.assertEqual(tags["mlflow.source.git.commit"], OTHER_COMMIT)
        self.assertEqual(tags["model.digest"], train.files_digest(train.model_files(FIT.model)))
        for path, content in train.model_files(FIT.model).items():
            self.assertEqual(manager.download(newest["run_id"], f"model/{path}"), content)
        shutil.rmtree(self.artifacts)
        done = self.job("score.py", "--model-name", name, **domino)
        self.assertIn(f"with version 2 of {name}\n", done.stdout)


if __name__ == "__main__":
    unittest.main()
