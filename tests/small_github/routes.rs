//! The requests, and their effects. Names are percent-decoded only as far as tests need it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dryoc::dryocbox::VecBox;
use serde_json::{Value, json};

use super::answers;
use super::{Environment, Policy, Repository, State};
use crate::harness::github::TOKEN;
use crate::harness::github::server::{Reply, Request};

/// Answers a request.
pub fn answer(state: &mut State, request: &Request) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return Reply::error(401, "Bad credentials");
    }
    if request.header("accept") != Some("application/vnd.github+json")
        || request.header("x-github-api-version") != Some("2022-11-28")
    {
        return Reply::error(400, "which media type or version is meant is not said");
    }
    state.clock += 1;
    let segments: Vec<&str> = request.path.split('/').skip(1).collect();
    let ["repos", owner, name, rest @ ..] = &segments[..] else {
        return Reply::error(404, "Not Found");
    };
    let name = format!("{owner}/{name}");
    let Some(mut repository) = state.repositories.remove(&name) else {
        return Reply::error(404, "Not Found");
    };
    let reply = of_repository(state, &mut repository, request, rest);
    state.repositories.insert(name, repository);
    reply
}

fn of_repository(
    state: &mut State,
    repository: &mut Repository,
    request: &Request,
    rest: &[&str],
) -> Reply {
    let method = request.method.as_str();
    let names =
        |names: &[&str]| Reply::json(200, answers::secrets(names.iter().map(|one| (*one, 1))));
    match (method, rest) {
        ("GET", ["collaborators"]) => {
            let people = repository.people.iter();
            let all = people
                .map(|(login, id)| answers::collaborator(login, *id))
                .collect();
            Reply::json(200, all)
        }
        ("GET", ["collaborators", login, "permission"]) => {
            let mut people = repository.people.iter();
            match people.find(|(known, _)| known.eq_ignore_ascii_case(login)) {
                Some((login, id)) => Reply::json(
                    200,
                    json!({"permission": "read", "role_name": "read",
                           "user": answers::collaborator(login, *id)}),
                ),
                None => Reply::error(404, "Not Found"),
            }
        }
        ("GET", ["teams"]) => {
            let teams = repository.teams.iter();
            Reply::json(
                200,
                teams.map(|(slug, id)| answers::team(slug, *id)).collect(),
            )
        }
        ("GET", ["branches"]) => {
            let branches = repository.protected_branches.iter();
            Reply::json(200, branches.map(|name| answers::branch(name)).collect())
        }
        ("GET", ["actions", "secrets"]) => names(&repository.secrets),
        ("GET", ["actions", "permissions", "artifact-and-log-retention"]) => Reply::json(
            200,
            json!({"days": repository.artifact_days, "maximum_allowed_days": 400}),
        ),
        ("GET", ["actions", "organization-secrets"]) => names(&repository.organization_secrets),
        ("GET", ["environments"]) => {
            let (people, teams) = (&repository.people, &repository.teams);
            let all = repository.environments.iter();
            let all: Vec<Value> = all
                .map(|(name, one)| answers::environment(name, one, people, teams))
                .collect();
            Reply::json(200, json!({"total_count": all.len(), "environments": all}))
        }
        (_, ["issues", rest @ ..]) => issues(repository, request, rest),
        (_, ["environments", name, rest @ ..]) => {
            of_environment(state, repository, request, name, rest)
        }
        _ => Reply::error(404, "Not Found"),
    }
}

fn of_environment(
    state: &mut State,
    repository: &mut Repository,
    request: &Request,
    name: &str,
    rest: &[&str],
) -> Reply {
    let body = request.body.clone().unwrap_or_default();
    if request.method == "PUT" && rest.is_empty() {
        return set_rules(state, repository, name, &body);
    }
    let (people, teams) = (repository.people.clone(), repository.teams.clone());
    let Some(environment) = repository.environments.get_mut(name) else {
        return Reply::error(404, "Not Found");
    };
    match (request.method.as_str(), rest) {
        ("GET", []) => Reply::json(
            200,
            answers::environment(name, environment, &people, &teams),
        ),
        (_, ["deployment-branch-policies", rest @ ..]) => {
            policies(state.clock, environment, request, &body, rest)
        }
        (_, ["variables", rest @ ..]) => variables(environment, request, &body, rest),
        (_, ["secrets", rest @ ..]) => secrets(state, environment, request, &body, rest),
        _ => Reply::error(404, "Not Found"),
    }
}

/// GitHub makes the environment before it looks at the rules: a refusal leaves one without them.
fn set_rules(state: &State, repository: &mut Repository, name: &str, body: &Value) -> Reply {
    let known = [
        "wait_timer",
        "prevent_self_review",
        "reviewers",
        "deployment_branch_policy",
    ];
    let object = body.as_object().cloned().unwrap_or_default();
    if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
        return Reply::error(
            422,
            &format!("Invalid request.\n\n\"{key}\" is not a permitted key."),
        );
    }
    let (people, teams) = (repository.people.clone(), repository.teams.clone());
    let environment = repository.environments.entry(name.to_owned()).or_default();
    for (key, rule) in [
        ("reviewers", "required reviewers"),
        ("wait_timer", "wait timer"),
    ] {
        if !state.has_rules && object.contains_key(key) {
            return Reply::error(
                422,
                &format!(
                    "Failed to create the environment protection rule. Please ensure the billing plan supports the \
                     {rule} protection rule."
                ),
            );
        }
    }
    let reviewers: Vec<(String, u64)> = body["reviewers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            (
                one["type"].as_str().unwrap().to_owned(),
                one["id"].as_u64().unwrap(),
            )
        })
        .collect();
    let is_known = |(kind, id): &(String, u64)| match kind.as_str() {
        "User" => people.iter().any(|(_, known)| known == id),
        _ => teams.iter().any(|(_, known)| known == id),
    };
    let prevents = body["prevent_self_review"] == true;
    if reviewers.len() > 6 || !reviewers.iter().all(is_known) || prevents && reviewers.is_empty() {
        return Reply::error(422, "Validation Failed");
    }
    environment.reviewers = reviewers;
    environment.prevents_self_review = prevents;
    environment.wait_timer = body["wait_timer"].as_u64().unwrap_or(0);
    environment.protected_branches =
        body["deployment_branch_policy"]["protected_branches"].as_bool();
    Reply::json(
        200,
        answers::environment(name, environment, &people, &teams),
    )
}

fn policies(
    clock: u64,
    environment: &mut Environment,
    request: &Request,
    body: &Value,
    rest: &[&str],
) -> Reply {
    match (request.method.as_str(), rest) {
        ("GET", []) => Reply::json(200, answers::policies(&environment.policies)),
        ("POST", []) => {
            if environment.protected_branches != Some(false) {
                return Reply::error(404, "Not Found");
            }
            let name = body["name"].as_str().unwrap().to_owned();
            if environment
                .policies
                .iter()
                .any(|policy| policy.name == name)
            {
                return Reply::empty(303);
            }
            let kind = body["type"].as_str().unwrap_or("branch").to_owned();
            environment.policies.push(Policy {
                id: clock,
                name,
                kind,
            });
            Reply::json(200, answers::policy(environment.policies.last().unwrap()))
        }
        ("DELETE", [id]) => {
            let before = environment.policies.len();
            environment
                .policies
                .retain(|policy| policy.id.to_string() != *id);
            match environment.policies.len() < before {
                true => Reply::empty(204),
                false => Reply::error(404, "Not Found"),
            }
        }
        _ => Reply::error(404, "Not Found"),
    }
}

fn variables(
    environment: &mut Environment,
    request: &Request,
    body: &Value,
    rest: &[&str],
) -> Reply {
    let value = body["value"].as_str().unwrap_or_default().to_owned();
    match (request.method.as_str(), rest) {
        ("GET", [name]) => match environment.variables.get(*name) {
            Some(value) => Reply::json(200, answers::variable(name, value)),
            None => Reply::error(404, "Not Found"),
        },
        ("POST", []) => {
            let name = body["name"].as_str().unwrap().to_owned();
            if environment.variables.contains_key(&name) {
                return Reply::error(409, "Already exists - Variable already exists");
            }
            environment.variables.insert(name, value);
            Reply::json(201, json!({}))
        }
        ("PATCH", [name]) => match environment.variables.get_mut(*name) {
            Some(there) => {
                *there = value;
                Reply::empty(204)
            }
            None => Reply::error(404, "Not Found"),
        },
        _ => Reply::error(404, "Not Found"),
    }
}

fn secrets(
    state: &mut State,
    environment: &mut Environment,
    request: &Request,
    body: &Value,
    rest: &[&str],
) -> Reply {
    let all = || {
        environment
            .secrets
            .iter()
            .map(|(name, (_, at))| (name.as_str(), *at))
    };
    match (request.method.as_str(), rest) {
        ("GET", []) => Reply::json(200, answers::secrets(all())),
        ("GET", ["public-key"]) => {
            let key = STANDARD.encode(&state.pair.public_key);
            Reply::json(200, json!({"key_id": KEY_ID, "key": key}))
        }
        ("GET", [name]) => match all().find(|(known, _)| known == name) {
            Some((name, at)) => Reply::json(200, answers::secret(name, at)),
            None => Reply::error(404, "Not Found"),
        },
        ("PUT", [name]) => {
            let sealed = body["encrypted_value"].as_str().unwrap_or_default();
            let opened = STANDARD.decode(sealed).ok().and_then(|bytes| {
                let sealed = VecBox::from_sealed_bytes(&bytes).ok()?;
                sealed.open_to_vec(&state.pair).ok()
            });
            let (Some(value), Some(KEY_ID)) = (opened, body["key_id"].as_str()) else {
                return Reply::error(422, "Bad request - the value is not sealed by this key");
            };
            state.careless += usize::from(!environment.takes_only("main"));
            let value = (String::from_utf8(value).unwrap(), state.clock);
            match environment.secrets.insert((*name).to_owned(), value) {
                Some(_) => Reply::empty(204),
                None => Reply::json(201, json!({})),
            }
        }
        _ => Reply::error(404, "Not Found"),
    }
}

const KEY_ID: &str = "568250167242549743";

fn issues(repository: &mut Repository, request: &Request, rest: &[&str]) -> Reply {
    let body = request.body.clone().unwrap_or_default();
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let issues = repository.issues.iter();
            Reply::json(
                200,
                issues
                    .filter(|issue| issue["state"] == "open")
                    .cloned()
                    .collect(),
            )
        }
        ("POST", []) => {
            let number = repository.issues.len() + 7;
            let (title, text) = (
                body["title"].as_str().unwrap(),
                body["body"].as_str().unwrap(),
            );
            let issue = answers::issue(number, title, text);
            repository.issues.push(issue.clone());
            Reply::json(201, issue)
        }
        ("PATCH", [number]) => {
            let mut issues = repository.issues.iter_mut();
            let Some(issue) = issues.find(|issue| issue["number"].as_u64() == number.parse().ok())
            else {
                return Reply::error(404, "Not Found");
            };
            for (key, value) in body.as_object().unwrap() {
                issue[key] = value.clone();
            }
            Reply::json(200, issue.clone())
        }
        _ => Reply::error(404, "Not Found"),
    }
}
