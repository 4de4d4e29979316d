"""The dashboard, started by its entry point and asked over HTTP."""

import json
import re
import signal
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

from sample import COMMIT, KEY, METRICS, OTHER_COMMIT, SAMPLE, Sample, environment


class Dashboard(Sample):
    def start(self, **variables: str) -> str:
        """Start the app by its entry point on a free port; returns its address."""
        variables = {
            "APP_HOST": "127.0.0.1",
            "APP_PORT": "0",
            "DOMINO_ARTIFACTS_DIR": str(self.artifacts),
            "DOMINO_GIT_COMMIT": COMMIT,
        } | variables
        self.app = subprocess.Popen(
            ["bash", str(SAMPLE / "apps" / "app.sh")],
            cwd=self.folder,
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(self.end)
        first = self.app.stdout.readline()
        self.assertIn(f"at commit {COMMIT} listens on", first)
        return re.search(r"http://\S+", first).group()

    def end(self) -> str:
        """End the app; returns the rest of its log."""
        if self.app.poll() is None:
            self.app.send_signal(signal.SIGTERM)
        return self.app.communicate(timeout=20)[0] if not self.app.stdout.closed else ""

    def test_before_the_first_training_the_page_says_so_and_is_healthy(self):
        address = self.start()
        self.assertEqual(fetch(address)[0], 200)
        self.assertIn("Not trained yet", fetch(address)[1])
        self.assertEqual(
            json.loads(fetch(address + "healthz")[1]), {"status": "ok", "commit": COMMIT, "trained": False}
        )

    def test_a_new_training_shows_without_a_restart(self):
        address = self.start()
        self.assertEqual(self.job("train.py").returncode, 0)
        status, page = fetch(address + "some/prefix/")
        self.assertEqual(status, 200)
        self.assertIn(f'<span class="number">{METRICS["rmse"]:.2f}</span>', page)
        self.assertIn(COMMIT[:12], page)
        self.assertEqual(page.count('<circle class="dot"'), 128)
        self.assertNotIn("another commit", page)
        self.assertTrue(json.loads(fetch(address + "some/prefix/healthz")[1])["trained"])

    def test_a_training_at_another_commit_is_pointed_out(self):
        address = self.start()
        self.assertEqual(self.job("train.py", DOMINO_GIT_COMMIT=OTHER_COMMIT).returncode, 0)
        page = fetch(address)[1]
        self.assertIn("another commit", page)
        self.assertIn(OTHER_COMMIT[:12], page)

    def test_what_cannot_be_shown_is_unhealthy(self):
        address = self.start()
        self.artifacts.mkdir()
        for broken, why in (("{", "cannot be read"), ("{}", "not the report of a training"), ("[]", "not the report")):
            (self.artifacts / "training.json").write_text(broken)
            status, health = fetch(address + "healthz")
            self.assertEqual((status, json.loads(health)["status"]), (503, "failing"))
            self.assertIn(why, health)
            self.assertEqual(fetch(address)[0], 503)

    def test_the_page_loads_nothing_and_trusts_nothing(self):
        address = self.start()
        self.assertEqual(self.job("train.py", DOMINO_PROJECT_NAME="<script>alert(1)</script>").returncode, 0)
        page = fetch(address)[1]
        self.assertNotIn("<script", page)
        self.assertIn("&lt;script&gt;", page)
        self.assertNotRegex(page, r"(?:href|src|action)=|url\(|@import")

    def test_other_paths_are_not_found_and_no_query_is_logged(self):
        address = self.start()
        self.assertEqual(fetch(address + f"nothing?token={KEY}")[0], 404)
        self.assertEqual(fetch(address + "//[?x")[0], 404)
        log = self.end()
        self.assertIn("GET '/nothing' 404", log)
        self.assertNotIn(KEY, log)
        self.assertEqual(self.app.returncode, 0)

    def test_a_port_that_is_taken_is_said_so(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            done = subprocess.run(
                ["bash", str(SAMPLE / "apps" / "app.sh")],
                env=environment(APP_HOST="127.0.0.1", APP_PORT=port),
                capture_output=True,
                text=True,
                timeout=60,
            )
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"error: cannot listen on 127.0.0.1:{port}:", done.stderr)


def fetch(address: str) -> tuple[int, str]:
    """Status and body, whatever the status."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(address, timeout=20) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


if __name__ == "__main__":
    unittest.main()
