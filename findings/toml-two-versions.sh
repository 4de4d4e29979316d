#!/usr/bin/env bash
# TOML 1.1, which lets an inline table go over several lines, and the readers of today.
#
# Expected: a TOML file is a TOML file; above all, `tomllib` reads what `tomli` reads, of which it was made.
# Seen: `tomli` 2.5.0, `tomlkit` 0.15.2 and `rtoml` 0.14.0 read it. `tomllib` does not before Python 3.15, nor does
# taplo 0.9.3.
# It matters here: `stages.toml` is read by the Rust `toml` crate, which knows 1.1. A `schedule = {` over several lines
# deploys, and the team's own Python and taplo's checks call the file broken. One line, or `[job.score.schedule]`, is
# read by all.
set -euo pipefail
python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' ||
  { echo "needs Python 3.11 to 3.14" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tomli==2.5.0 tomlkit==0.15.2 rtoml==0.14.0 taplo==0.9.3
cat >one-line.toml <<'TOML'
[job.score]
schedule = { cron = "0 0 6 ? * MON-FRI", timezone = "Europe/Berlin" }
TOML
cat >lines.toml <<'TOML'
[job.score]
schedule = {
  cron = "0 0 6 ? * MON-FRI",
  timezone = "Europe/Berlin",
}
TOML
cat >try.py <<'PYTHON'
import importlib, subprocess
for name in ("one-line.toml", "lines.toml"):
    text = open(name).read()
    for reader in ("tomli", "tomlkit", "rtoml", "tomllib"):
        try:
            schedule = importlib.import_module(reader).loads(text)["job"]["score"]["schedule"]
            print(f"{name} {reader}: {'reads it' if schedule['timezone'] == 'Europe/Berlin' else 'reads it wrong'}")
        except ValueError:
            print(f"{name} {reader}: refuses it")
    lint = subprocess.run(["venv/bin/taplo", "lint", "--no-schema", name], capture_output=True)
    print(f"{name} taplo: {'refuses' if lint.returncode else 'reads'} it")
PYTHON
seen=$(venv/bin/python try.py)
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
one-line.toml tomli: reads it
one-line.toml tomlkit: reads it
one-line.toml rtoml: reads it
one-line.toml tomllib: reads it
one-line.toml taplo: reads it
lines.toml tomli: reads it
lines.toml tomlkit: reads it
lines.toml rtoml: reads it
lines.toml tomllib: refuses it
lines.toml taplo: refuses it
EXPECTED
