"""Where this code runs: what Domino tells an execution about itself, and the files it reads back.

Works the same on a laptop, where most of the variables are absent. Knows nothing of models.
"""

import json
import os
import pathlib
import subprocess
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = PROJECT.parent.parent


def artifacts_folder() -> pathlib.Path:
    """Where files lie that outlive a run. It may not be there before the first file is written."""
    return pathlib.Path(os.environ.get("DOMINO_ARTIFACTS_DIR") or REPOSITORY / "artifacts")


def commit() -> str:
    """The git commit this code is, `…-dirty` when files were changed since, or `unknown`.

    A checkout without its git folder can be told by `DOMINO_GIT_COMMIT`.
    """
    if told := os.environ.get("DOMINO_GIT_COMMIT", "").strip():
        return told
    # The question about one file keeps a repository around this one from answering for it.
    if git("ls-files", "--error-unmatch", "jobs/execution.py") is None:
        return "unknown"
    head = git("rev-parse", "--verify", "HEAD")
    if head is None:
        return "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{head}-dirty" if changed else head


def git(*arguments: str) -> str | None:
    """What git says about this project; `None` when it cannot."""
    try:
        done = subprocess.run(
            ["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def project() -> str:
    """`owner/name` of the Domino project, or a stand-in on a laptop."""
    owner = os.environ.get("DOMINO_PROJECT_OWNER") or "local"
    name = os.environ.get("DOMINO_PROJECT_NAME") or "sample"
    return f"{owner}/{name}"


def write_stats(stats: dict) -> None:
    """Write `dominostats.json`, which Domino shows as columns of its jobs table.

    It reads the file in the project's root, where a job starts; in a git-based project, whose root is the
    repository, teams keep it among the artifacts. It is written to both.
    """
    write_json(pathlib.Path.cwd() / "dominostats.json", stats)
    write_json(artifacts_folder() / "dominostats.json", stats)


def write_json(path: pathlib.Path, value) -> None:
    """Write a file so that a reader never sees half of it; its folder is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(unfinished, 0o644)  # a temporary file is its owner's alone, and others read artifacts
        os.replace(unfinished, path)
    except BaseException:
        pathlib.Path(unfinished).unlink(missing_ok=True)
        raise
