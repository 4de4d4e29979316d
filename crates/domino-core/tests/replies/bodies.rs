//! Valid replies that more than one method reads.

use serde_json::{Value, json};

pub fn git_ref() -> Value {
    json!({"type": "commitId", "value": "ab".repeat(20)})
}

pub fn job() -> Value {
    json!({
        "id": "j1", "number": 7, "title": "Train [dev/train]",
        "stageTime": {"submissionTime": 1_000_000, "runStartTime": 1_000_100, "completedTime": null},
        "statuses": {"isCompleted": false, "isArchived": false, "executionStatus": "Running"},
        "mainRepoGitRef": git_ref(),
        "abnormalStatus": {"runFailureReason": "r", "runFailureMessage": "m"},
        "queuedJobHistoryDetails": {"explanation": "waits"},
        "dominoStats": [{"name": "rmse", "value": "0.5"}],
    })
}

pub fn scheduled_job() -> Value {
    json!({
        "id": "s1", "title": "Score", "command": "score.py", "timezoneId": "UTC", "isPaused": false,
        "schedule": {"cronString": "0 0 6 ? * MON", "isCustom": true}, "allowConcurrentExecution": false,
        "hardwareTierIdentifier": "t1", "overrideEnvironmentId": "e1",
        "environmentRevisionSpec": {"revisionId": "r1"}, "scheduledByUserId": "u1",
        "notifyOnCompleteEmailAddresses": ["ml@example.com"], "mainRepoGitRef": git_ref(),
    })
}

pub fn log() -> Value {
    json!({
        "logContent": [
            {"timestamp": 1, "logType": "stdout", "log": "one\n", "size": 4},
            {"timestamp": 2, "logType": "stderr", "log": "two", "size": 3},
        ],
        "isComplete": true, "pagination": {"limit": 100, "offset": 0, "latestTimeNano": "2000000"},
    })
}

pub fn version() -> Value {
    json!({
        "id": "v1", "gitRef": git_ref(), "environmentId": "e1", "environmentRevisionId": "r1",
        "hardwareTierId": "t1", "currentInstance": {"id": "i1", "status": "Running"},
    })
}

pub fn nested_version() -> Value {
    json!({
        "id": "v1", "deployment": {"hardwareTierId": "t1"}, "currentInstance": {"id": "i1", "status": "Running"},
        "content": {"gitRef": git_ref(), "environmentId": "e1", "environmentRevisionId": "r1"},
    })
}

pub fn app(version: Value) -> Value {
    json!({
        "id": "a1", "name": "dashboard", "entryPoint": "app.sh", "description": "d", "visibility": "PUBLIC",
        "accessControl": {"visibility": "PUBLIC"}, "url": "https://domino.example.com/apps/a1",
        "project": {"id": "p1"}, "currentVersion": version,
    })
}

pub fn product() -> Value {
    json!({
        "id": "a1", "name": "dashboard", "modelProductType": "APP", "projectId": "p1", "status": "Running",
        "description": "d", "entryPoint": "app.sh", "openUrl": "/apps/a1", "environmentId": "e1",
        "hardwareTierId": "t1", "latestAppInstanceId": "i1", "permissionsData": {"visibility": "PUBLIC"},
    })
}

pub fn started() -> Value {
    json!({
        "id": "i1", "status": "Running", "started": 1, "hardwareTierName": "Small",
        "environmentDetails": {"environmentName": "Standard", "environmentRevisionId": "r1", "revisionNumber": 3},
        "appCodeInfo": {"mainRepo": {"id": "g1", "commit": "ab".repeat(20)}, "importedGitRepos": []},
    })
}

pub fn model_api() -> Value {
    json!({
        "id": "m1", "name": "wine", "description": "d", "isArchived": false, "environmentId": "e1",
        "hardwareTierId": "t1", "replicas": 2, "access": {"isPublic": false},
        "activeVersion": {"id": "v1", "number": 1, "deployment": {"status": "Running", "isPending": false}},
    })
}

pub fn model_version(number: u64) -> Value {
    json!({
        "id": format!("v{number}"), "modelApiId": "m1", "number": number, "projectId": "p1", "commitId": "c1",
        "environmentRevisionId": "r1", "dataPlaneId": "dp", "logHttpRequestResponse": false, "description": "d",
        "source": {"type": "Registry", "registeredModelName": "wine", "registeredModelVersion": 7},
        "deployment": {"status": "Ready to run", "isPending": true}, "metadata": {"created": 1_760_000_000_000.0},
    })
}

pub fn model_log() -> Value {
    json!({"modelId": "m1", "modelVersionId": "v1", "status": "building", "logs": [
        {"log": "step 1", "streamType": "stdout", "timeNano": 1_760_000_000_123_456_789_u64, "timestamp": 1.76e12},
        {"log": "step 2", "streamType": "stdout", "timeNano": 1.76e18},
    ]})
}

pub fn mlflow_version(number: &str) -> Value {
    json!({
        "name": "wine", "version": number, "creation_timestamp": 1_760_000_000_000_i64, "current_stage": "Staging",
        "last_updated_timestamp": 1_760_000_100_000_i64, "description": "d", "run_id": "r1", "status": "READY",
        "tags": [{"key": "a", "value": "b"}, {"key": "flag"}], "aliases": ["champion"],
    })
}

pub fn bundle() -> Value {
    json!({
        "id": "b1", "name": "wine", "state": "Active", "policyId": "po1", "projectId": "p1", "stage": "Review",
        "createdBy": {"id": "u1", "userName": "ci-bot"},
        "attachments": [{"id": "at1", "type": "ModelVersion", "identifier": {"name": "wine", "version": 7},
                         "approvalTimelineMap": {"ap1": {"approvalStatus": "Approved", "timelineStatus": "Valid"}}}],
    })
}

pub fn approval() -> Value {
    json!({
        "id": "ap1", "name": "Owner", "status": "Approved", "policyId": "po1", "stageApprovalId": "sa1",
        "approvers": [{"id": "u2", "name": "approver"}], "updatedAt": "2026-01-01T00:00:00Z",
        "updatedBy": {"userId": "u2", "username": "approver"},
    })
}
