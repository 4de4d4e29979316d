"""What people do with Domino's official Python client, against the sandbox: each line that fails is printed.

    python_client.py HOST API_KEY
"""

import sys
import time

from domino import Domino

host, key = sys.argv[1:]
client = Domino("wine-team/wine", api_key=key, host=host)
failed = 0


def check(what, act):
    """Runs one line of a script, and says what it gave where that is not true."""
    global failed
    try:
        result = act()
        if result:
            return result
        print(f"{what}: gave {result!r}")
    except Exception as error:  # noqa: BLE001
        print(f"{what}: {type(error).__name__}: {error}")
    failed += 1
    return None


def until(job, ended):
    for _ in range(600):
        status = client.job_status(job["id"])
        if ended(status):
            return status
        time.sleep(0.05)
    raise TimeoutError(job["id"])


# Jobs.
commits = check("commits_list", client.commits_list)
job = check("job_start of a commit", lambda: client.job_start("true", commit_id=commits[0]))
check("job_status", lambda: until(job, lambda one: one["statuses"]["isCompleted"]))
check("job_start of a tier by its name", lambda: client.job_start("true", hardware_tier_name="Large"))
check("job_start_blocking", lambda: client.job_start_blocking(poll_freq=0.1, command="true"))
check("jobs_list", lambda: client.jobs_list(client.project_id, page_size=10)["jobs"])

# Runs, as the Airflow operator starts them.
run = check("runs_start", lambda: client.runs_start(["echo", "two words"]))
check("runs_start_blocking", lambda: client.runs_start_blocking(["echo blocked"], True, poll_freq=0.1))
check("runs_stdout", lambda: "two words" in client.runs_stdout(run["runId"]))
try:
    client.runs_start_blocking(["exit 3"], True, poll_freq=0.1, max_poll_time=20)
    check("runs_start_blocking of a run that fails", lambda: False)
except Exception as error:  # noqa: BLE001
    check("runs_start_blocking of a run that fails", lambda: "did not succeed" in str(error))

# Models.
model = check("model_publish", lambda: client.model_publish("model.py", "predict", "", "plus", ""))
model_id = model and (model.get("data") or model)["_id"]
version = check("model_version_publish", lambda: client.model_version_publish(
    model_id, "model.py", "predict", "", ""))
check("number of the model version", lambda: version["number"] == 2)
check("models_list", lambda: client.models_list()["data"])

# Projects, people and tags.
check("project_create_v4", lambda: client.project_create_v4("made", owner_username="author"))
check("project_create", lambda: client.project_create("by-form"))
check("projects_list", lambda: {"made", "by-form"} <= {one["name"] for one in client.projects_list()})
check("project_archive", lambda: client.project_archive("made") is None)
check("collaborators_add", lambda: client.collaborators_add("approver"))
check("collaborators_get", lambda: "approver" in str(client.collaborators_get()))
check("collaborators_remove", lambda: client.collaborators_remove("approver"))
check("tags_add", lambda: client.tags_add(["wine"]))
check("tags_list", lambda: [tag["name"] for tag in client.tags_list()] == ["wine"])
check("tags_remove", lambda: client.tags_remove("wine"))

# Environments.
check("environments_list", lambda: client.environments_list()["data"])
if hasattr(client, "create_environment"):
    made = check("create_environment", lambda: client.create_environment("With wine", "Private"))["environment"]
    revision = check("create_environment_revision", lambda: client.create_environment_revision(made["id"]))
    revision = revision["environmentRevision"]
    check("restrict_environment_revision", lambda: client.restrict_environment_revision(
        made["id"], revision["id"]) is None)
    seen = check("get_environment", lambda: client.get_environment(made["id"]))["environment"]
    check("the restricted revision", lambda: seen["restrictedRevision"]["id"] == revision["id"])
    check("archive_environment", lambda: client.archive_environment(made["id"]) is None)

print("failed:", failed)
sys.exit(min(failed, 1))
