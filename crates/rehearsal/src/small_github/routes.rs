//! The requests, and their effects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dryoc::dryocbox::VecBox;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::answers;
use super::exchange::{Answer as Reply, Asked};
use super::holdings::SmallGitHub;
use super::repository::{Environment, Policy, Repository};

impl SmallGitHub {
    /// Answers a request, and does what it asks for.
    pub fn answer(&mut self, asked: &Asked<'_>) -> Reply {
        answer(self, asked)
    }
}

fn answer(state: &mut SmallGitHub, request: &Asked<'_>) -> Reply {
    if request.authorization != Some(&format!("Bearer {}", state.token)) {
        return Reply::error(401, "Bad credentials");
    }
    if request.accept != Some("application/vnd.github+json")
        || request.version != Some("2022-11-28")
    {
        return Reply::error(400, "which media type or version is meant is not said");
    }
    state.clock += 1;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let segments: Vec<String> = request.path.split('/').skip(1).map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["repos", owner, name, rest @ ..] = &segments[..] else {
        return Reply::error(404, "Not Found");
    };
    let name = format!("{owner}/{name}");
    let Some(mut repository) = state.repositories.remove(&name) else {
        return Reply::error(404, "Not Found");
    };
    let reply = of_repository(state, &mut repository, request, rest);
    state.repositories.insert(name, repository);
    state.writes += usize::from(request.method != "GET" && reply.status < 300);
    reply
}

fn of_repository(
    state: &mut SmallGitHub,
    repository: &mut Repository,
    request: &Asked<'_>,
    rest: &[&str],
) -> Reply {
    let names = |names: &[String]| {
        let names = names.iter().map(|one| (one.as_str(), 1));
        Reply::json(200, answers::secrets(names))
    };
    match (request.method, rest) {
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
            // As the settings spell it, however the request does.
            let mut all = repository.environments.keys();
            let known = all.find(|known| known.eq_ignore_ascii_case(name)).cloned();
            let name = known.unwrap_or_else(|| (*name).to_owned());
            of_environment(state, repository, request, &name, rest)
        }
        _ => Reply::error(404, "Not Found"),
    }
}

fn of_environment(
    state: &mut SmallGitHub,
    repository: &mut Repository,
    request: &Asked<'_>,
    name: &str,
    rest: &[&str],
) -> Reply {
    let body = request.body.cloned().unwrap_or_default();
    if request.method == "PUT" && rest.is_empty() {
        return set_rules(state, repository, name, &body);
    }
    let (people, teams) = (repository.people.clone(), repository.teams.clone());
    let branch = repository.branch.clone();
    let Some(environment) = repository.environments.get_mut(name) else {
        return Reply::error(404, "Not Found");
    };
    match (request.method, rest) {
        ("GET", []) => Reply::json(
            200,
            answers::environment(name, environment, &people, &teams),
        ),
        (_, ["deployment-branch-policies", rest @ ..]) => {
            policies(state.clock, environment, request, &body, rest)
        }
        (_, ["variables", rest @ ..]) => variables(environment, request, &body, rest),
        (_, ["secrets", rest @ ..]) => secrets(state, environment, request, (&body, &branch), rest),
        _ => Reply::error(404, "Not Found"),
    }
}

/// GitHub makes the environment before it looks at the rules: a refusal leaves one without them.
fn set_rules(state: &SmallGitHub, repository: &mut Repository, name: &str, body: &Value) -> Reply {
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
        .filter_map(|one| Some((text(one, "type")?, one["id"].as_u64()?)))
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
    request: &Asked<'_>,
    body: &Value,
    rest: &[&str],
) -> Reply {
    match (request.method, rest) {
        ("GET", []) => Reply::json(200, answers::policies(&environment.policies)),
        ("POST", []) => {
            if environment.protected_branches != Some(false) {
                return Reply::error(404, "Not Found");
            }
            let Some(name) = text(body, "name") else {
                return not_complete();
            };
            if environment
                .policies
                .iter()
                .any(|policy| policy.name == name)
            {
                return Reply::empty(303);
            }
            let policy = Policy {
                id: clock,
                name,
                kind: text(body, "type").unwrap_or_else(|| "branch".to_owned()),
            };
            let told = answers::policy(&policy);
            environment.policies.push(policy);
            Reply::json(200, told)
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
    request: &Asked<'_>,
    body: &Value,
    rest: &[&str],
) -> Reply {
    let value = body["value"].as_str().unwrap_or_default().to_owned();
    match (request.method, rest) {
        ("GET", [name]) => match environment.variables.get(*name) {
            Some(value) => Reply::json(200, answers::variable(name, value)),
            None => Reply::error(404, "Not Found"),
        },
        ("POST", []) => {
            let Some(name) = text(body, "name") else {
                return not_complete();
            };
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
    state: &mut SmallGitHub,
    environment: &mut Environment,
    request: &Asked<'_>,
    (body, branch): (&Value, &str),
    rest: &[&str],
) -> Reply {
    let all = || {
        environment
            .secrets
            .iter()
            .map(|(name, (_, at))| (name.as_str(), *at))
    };
    match (request.method, rest) {
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
                String::from_utf8(sealed.open_to_vec(&state.pair).ok()?).ok()
            });
            let (Some(value), Some(KEY_ID)) = (opened, body["key_id"].as_str()) else {
                return Reply::error(422, "Bad request - the value is not sealed by this key");
            };
            state.careless += usize::from(!environment.takes_only(branch));
            let value = (value, state.clock);
            match environment.secrets.insert((*name).to_owned(), value) {
                Some(_) => Reply::empty(204),
                None => Reply::json(201, json!({})),
            }
        }
        _ => Reply::error(404, "Not Found"),
    }
}

const KEY_ID: &str = "568250167242549743";

fn issues(repository: &mut Repository, request: &Asked<'_>, rest: &[&str]) -> Reply {
    let body = request.body.cloned().unwrap_or_default();
    match (request.method, rest) {
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
            let (Some(title), Some(text)) = (text(&body, "title"), text(&body, "body")) else {
                return not_complete();
            };
            let issue = answers::issue(number, &title, &text);
            repository.issues.push(issue.clone());
            Reply::json(201, issue)
        }
        ("PATCH", [number]) => {
            let mut issues = repository.issues.iter_mut();
            let Some(issue) = issues.find(|issue| issue["number"].as_u64() == number.parse().ok())
            else {
                return Reply::error(404, "Not Found");
            };
            for (key, value) in body.as_object().into_iter().flatten() {
                issue[key] = value.clone();
            }
            Reply::json(200, issue.clone())
        }
        _ => Reply::error(404, "Not Found"),
    }
}

fn text(body: &Value, key: &str) -> Option<String> {
    body[key].as_str().map(str::to_owned)
}

fn not_complete() -> Reply {
    Reply::error(422, "Validation Failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_and_a_request_that_does_not_say_its_version_are_refused() {
        let mut github = SmallGitHub::new("own");
        let name = "example-org/wine".to_owned();
        github.repositories.insert(name, Repository::default());
        let asked = Asked {
            method: "PUT",
            path: "/repos/example-org/wine/environments/PROD%20EU",
            authorization: Some("Bearer own"),
            accept: Some("application/vnd.github+json"),
            version: Some("2022-11-28"),
            body: None,
        };
        let other = Asked {
            authorization: Some("Bearer other"),
            ..asked
        };
        assert_eq!(github.answer(&other).status, 401);
        let plain = Asked {
            version: None,
            ..asked
        };
        assert_eq!(github.answer(&plain).status, 400);
        assert_eq!(github.writes, 0);
        assert_eq!(github.answer(&asked).status, 200);
        assert_eq!(github.writes, 1);
        let repository = &github.repositories["example-org/wine"];
        assert!(repository.environment("PROD EU").is_some());
    }
}
