"""What start.sh refuses and what it ends; nothing is installed here.

python3 -m unittest discover --start-directory tests/mlflow
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

START = pathlib.Path(__file__).resolve().with_name("start.sh")


class Start(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.store = self.folder / "domino-deploy-mlflow.abc123"
        self.store.mkdir()

    def run_start(self, *arguments: str, **variables: str):
        return subprocess.run(
            ["bash", str(START), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)} | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def sleeper(self, folder: pathlib.Path) -> subprocess.Popen:
        """A process in a group of its own that works in this folder."""
        process = subprocess.Popen(["sleep", "300"], cwd=folder, start_new_session=True)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.kill)
        (self.store / "pid").write_text(f"{process.pid}\n")
        return process

    def test_wrong_settings_are_refused_before_anything_is_made(self):
        cache = self.folder / "cache"
        for variables, said in (
            ({"MLFLOW_LINE": "4"}, "error: MLFLOW_LINE is `4`; it must be 2 or 3\n"),
            ({"MLFLOW_WORKERS": "0"}, "error: MLFLOW_WORKERS is `0`; it must be a number from 1 to 99\n"),
            ({"PYTHON": "no-such-python"}, "error: `no-such-python` is not installed\n"),
        ):
            done = self.run_start(str(cache), **variables)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", said))
        self.assertFalse(cache.exists())

    def test_only_a_store_is_removed(self):
        done = self.run_start("stop", str(self.folder))
        self.assertEqual(done.returncode, 2)
        self.assertTrue(self.folder.exists())

    def test_stop_ends_the_server_and_removes_its_store(self):
        process = self.sleeper(self.store)
        self.assertEqual(self.run_start("stop", str(self.store)).returncode, 0)
        self.assertEqual(process.wait(20), -15)
        self.assertFalse(self.store.exists())

    def test_stop_leaves_another_process_with_the_old_id_alone(self):
        process = self.sleeper(self.folder)
        self.assertEqual(self.run_start("stop", str(self.store)).returncode, 0)
        self.assertIsNone(process.poll())
        self.assertFalse(self.store.exists())

    def test_stopping_twice_is_fine(self):
        for _ in range(2):
            self.assertEqual(self.run_start("stop", str(self.store)).returncode, 0)


if __name__ == "__main__":
    unittest.main()
