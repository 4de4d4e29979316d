//! The form of GitHub's answers, with everything that its description calls required.

use serde_json::{Value, json};

use super::repository::{Environment, Policy};

const TIME: &str = "2026-11-01T08:00:00Z";
const PAGE: &str = "https://api.github.com/x";

/// A time that grows with the clock.
fn at(clock: u64) -> String {
    format!("2026-11-01T08:{:02}:{:02}Z", clock / 60 % 60, clock % 60)
}

pub fn user(login: &str, id: u64) -> Value {
    let mut user = json!({
        "login": login, "id": id, "node_id": "U_1", "gravatar_id": "", "type": "User", "site_admin": false,
    });
    for key in [
        "avatar_url",
        "events_url",
        "followers_url",
        "following_url",
        "gists_url",
        "html_url",
        "organizations_url",
        "received_events_url",
        "repos_url",
        "starred_url",
        "subscriptions_url",
        "url",
    ] {
        user[key] = json!(PAGE);
    }
    user
}

pub fn collaborator(login: &str, id: u64) -> Value {
    let mut user = user(login, id);
    user["role_name"] = json!("read");
    user
}

pub fn team(slug: &str, id: u64) -> Value {
    json!({
        "id": id, "node_id": "T_1", "name": slug, "slug": slug, "description": null, "permission": "pull",
        "privacy": "closed", "url": PAGE, "html_url": PAGE, "members_url": PAGE, "repositories_url": PAGE,
        "parent": null, "type": "organization",
    })
}

pub fn branch(name: &str) -> Value {
    json!({"name": name, "commit": {"sha": "0".repeat(40), "url": PAGE}, "protected": true})
}

pub fn environment(
    name: &str,
    environment: &Environment,
    people: &[(String, u64)],
    teams: &[(String, u64)],
) -> Value {
    let mut rules = Vec::new();
    if environment.wait_timer > 0 {
        rules.push(json!({
            "id": 1, "node_id": "G_1", "type": "wait_timer", "wait_timer": environment.wait_timer,
        }));
    }
    let reviewers: Vec<Value> = environment
        .reviewers
        .iter()
        .map(|(kind, id)| {
            let named = |all: &[(String, u64)]| {
                let found = all.iter().find(|(_, known)| known == id);
                found.map_or_else(|| "gone".to_owned(), |(name, _)| name.clone())
            };
            let reviewer = match kind.as_str() {
                "User" => user(&named(people), *id),
                _ => team(&named(teams), *id),
            };
            json!({"type": kind, "reviewer": reviewer})
        })
        .collect();
    if !reviewers.is_empty() {
        rules.push(json!({
            "id": 2, "node_id": "G_2", "type": "required_reviewers", "reviewers": reviewers,
            "prevent_self_review": environment.prevents_self_review,
        }));
    }
    let limit = environment.protected_branches.map(
        |protected| json!({"protected_branches": protected, "custom_branch_policies": !protected}),
    );
    if limit.is_some() {
        rules.push(json!({"id": 3, "node_id": "G_3", "type": "branch_policy"}));
    }
    json!({
        "id": 1, "node_id": "E_1", "name": name, "url": PAGE, "html_url": PAGE, "created_at": TIME, "updated_at": TIME,
        "can_admins_bypass": !environment.is_closed_to_admins, "protection_rules": rules,
        "deployment_branch_policy": limit,
    })
}

pub fn policies(policies: &[Policy]) -> Value {
    let all: Vec<Value> = policies.iter().map(policy).collect();
    json!({"total_count": all.len(), "branch_policies": all})
}

pub fn policy(policy: &Policy) -> Value {
    json!({"id": policy.id, "node_id": "P_1", "name": policy.name, "type": policy.kind})
}

pub fn variable(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value, "created_at": TIME, "updated_at": TIME})
}

pub fn secrets<'a>(all: impl Iterator<Item = (&'a str, u64)>) -> Value {
    let all: Vec<Value> = all.map(|(name, clock)| secret(name, clock)).collect();
    json!({"total_count": all.len(), "secrets": all})
}

pub fn secret(name: &str, clock: u64) -> Value {
    json!({"name": name, "created_at": TIME, "updated_at": at(clock), "visibility": "all"})
}

pub fn issue(number: usize, title: &str, text: &str) -> Value {
    json!({
        "id": number, "node_id": "I_1", "number": number, "state": "open", "title": title, "body": text,
        "labels": [], "locked": false, "assignee": null, "milestone": null, "comments": 0, "closed_at": null,
        "created_at": TIME, "updated_at": TIME, "user": user("drift", 1), "url": PAGE, "repository_url": PAGE,
        "labels_url": PAGE, "comments_url": PAGE, "events_url": PAGE, "html_url": PAGE,
        "author_association": "NONE",
    })
}
