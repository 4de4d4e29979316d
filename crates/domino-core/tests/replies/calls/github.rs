//! GitHub's own API, which here is the same server.

use domino_core::client::Connection;
use domino_core::github::{Environments, WorkflowRun};
use serde_json::json;

use super::{Call, displayed};

pub(super) fn calls() -> Vec<Call> {
    let mut all = of_runs();
    all.extend(of_environments());
    all
}

fn of_runs() -> Vec<Call> {
    calls! {
        reviews: ["GET /repos/wine-team/wine/actions/runs/77/approvals" => json!([
            {"state": "approved", "comment": "", "user": {"login": "ann"}, "environments": [{"name": "PROD"}]},
        ])]
            |c| {
                let run = WorkflowRun::of_this_step(&c, |name| Some(match name {
                    "GITHUB_REPOSITORY" => "wine-team/wine".to_owned(),
                    "GITHUB_RUN_ID" => "77".to_owned(),
                    "GITHUB_TOKEN" => "canary-token-1234".to_owned(),
                    "GITHUB_API_URL" => c.host().to_string(),
                    _ => return None,
                }));
                run.unwrap().reviews().await
            };
    }
}

fn of_environments() -> Vec<Call> {
    calls! {
        environment_names: ["GET /repos/wine-team/wine/environments" =>
            json!({"total_count": 1, "environments": [{"id": 1, "name": "PROD"}]})]
            |c| environments(&c).names().await;
        protection: ["GET /repos/wine-team/wine/environments/PROD" => json!({
            "protection_rules": [
                {"type": "wait_timer", "wait_timer": 5},
                {"type": "required_reviewers", "prevent_self_review": true,
                 "reviewers": [{"type": "User", "reviewer": {"login": "ann", "id": 1}}]},
            ],
            "deployment_branch_policy": {"protected_branches": true},
            "can_admins_bypass": true,
        })]
            |c| environments(&c).protection("PROD").await;
        branch_policies: ["GET /repos/wine-team/wine/environments/PROD/deployment-branch-policies" =>
            json!({"total_count": 1, "branch_policies": [{"id": 1, "name": "main", "type": "branch"}]})]
            |c| environments(&c).branch_policies("PROD").await;
        protected_branches: ["GET /repos/wine-team/wine/branches" => json!([{"name": "main", "protected": true}])]
            |c| environments(&c).protected_branches().await;
        variable: ["GET /repos/wine-team/wine/environments/PROD/variables/DOMINO_ENV" =>
            json!({"name": "DOMINO_ENV", "value": "PROD"})]
            |c| environments(&c).variable("PROD", "DOMINO_ENV").await;
        secrets: ["GET /repos/wine-team/wine/environments/PROD/secrets" =>
            json!({"total_count": 1, "secrets": [{"name": "DOMINO_TOKEN", "updated_at": "2026-01-01T00:00:00Z"}]})]
            |c| environments(&c).secrets("PROD").await;
        secrets_outside: [
            "GET /repos/wine-team/wine/actions/secrets" => json!({"total_count": 1, "secrets": [{"name": "A"}]}),
            "GET /repos/wine-team/wine/actions/organization-secrets" => json!({"total_count": 0, "secrets": []}),
        ]
            |c| environments(&c).secrets_outside().await;
        artifact_days: ["GET /repos/wine-team/wine/actions/permissions/artifact-and-log-retention" =>
            json!({"days": 90, "maximum_allowed_days": 400})]
            |c| environments(&c).artifact_days().await;
        public_key: ["GET /repos/wine-team/wine/environments/PROD/secrets/public-key" =>
            json!({"key_id": "1", "key": "AAAA"})]
            |c| environments(&c).public_key("PROD").await;
        user: ["GET /repos/wine-team/wine/collaborators/ann/permission" =>
            json!({"permission": "read", "role_name": "read", "user": {"login": "ann", "id": 1}})]
            |c| environments(&c).reviewer("ann").await;
        team: ["GET /repos/wine-team/wine/teams" => json!([{"id": 2, "slug": "wine-reviewers"}])]
            |c| environments(&c).reviewer("team:wine-reviewers").await;
    }
}

fn environments(connection: &Connection) -> Environments {
    let api = Some(connection.host().to_string());
    Environments::of(connection, api, "wine-team/wine", "canary-token-1234").unwrap()
}
