//! Domino's side of a stage: host, version, credential, project, the generations of its API, and what the gates need.

use domino_core::api::apps;
use domino_core::api::mlflow::Tracking;
use domino_core::api::projects::Project;
use domino_core::choice::choose;
use domino_core::client::{ApiError, Cause, Reader};
use domino_core::credential::Credential;
use futures_util::future::join_all;
use stage_file::{DominoApproval, ModelSource};

use super::finding::Finding;
use super::visit::Visit;
use super::{clock, endpoints, git_access, placement, specs};
use domino_core::variable::variable;

/// The releases that the sandbox emulates and the programs are tested with: the oldest and the newest.
const TESTED: [(u32, u32); 2] = [(5, 9), (6, 4)];

/// Everything about Domino, from the outside in: what depends on a failed check is left out.
pub(super) async fn look(visit: &Visit<'_>) -> Vec<Finding> {
    let reader = visit.connection.reader();
    let (version, user) = tokio::join!(reader.version(), reader.own_user());
    let mut findings = vec![host(visit, version.as_ref().err())];
    match &version {
        Ok(version) => findings.push(release(&version.version)),
        Err(error) if is_silent(error) => {
            findings.push(Finding::NotAsked(
                "credential, project and everything in it".into(),
                "make the host answer first".into(),
            ));
            return findings;
        }
        Err(_) => {}
    }
    if let Some(finding) = &visit.no_credential {
        findings.push(finding.clone());
        return findings;
    }
    let kind = visit.credential_kind();
    let user = match user {
        Ok(user) => user,
        Err(error) => {
            let expiry = visit.connection.credential().expiry(jiff::Timestamp::now());
            let expiry = expiry.map_or_else(String::new, |expiry| format!(" {expiry}"));
            let what = format!("credential: {kind}{expiry}");
            findings.push(Finding::of_error(&what, &error.into()));
            return findings;
        }
    };
    findings.push(Finding::Well(
        format!("credential: {kind} is `{}`", user.user_name),
        advice(visit.connection.credential()),
    ));
    findings.push(clock::look(&reader));
    let project = match Project::of_stage(&reader, visit.file, visit.stage).await {
        Ok(project) => project,
        Err(error) => {
            findings.push(Finding::of_error("project", &error));
            return findings;
        }
    };
    findings.push(repository(visit, &project));
    let (git, placements, apps, endpoints, registered, gates, specs) = tokio::join!(
        git_access::look(&reader, &user, &project),
        placement::look(visit, &reader, &project),
        apps_api(visit, &reader, &project),
        endpoints::look(visit, &reader, &user, &project),
        registered_models(visit),
        gates(visit, &reader),
        specs::look(&reader),
    );
    findings.extend(git);
    findings.extend(placements);
    findings.push(apps);
    findings.extend(endpoints);
    findings.extend(registered);
    findings.extend(gates);
    findings.push(specs);
    findings
}

/// Whether nobody answered, so that further requests are pointless.
fn is_silent(error: &ApiError) -> bool {
    matches!(
        error.cause(),
        Cause::NotConnected(_)
            | Cause::NoTrust(_)
            | Cause::NoTunnel { .. }
            | Cause::Lost(_)
            | Cause::Redirected { .. }
            | Cause::NotSignedIn
    )
}

fn host(visit: &Visit<'_>, error: Option<&ApiError>) -> Finding {
    let host = visit.connection.host();
    match error {
        Some(error) if is_silent(error) || error.status().is_none() => {
            let mut words = vec![format!("host `{host}`: {error}")];
            words.extend(std::error::Error::source(error).map(ToString::to_string));
            Finding::Wrong(words.join(": "), error.hint(), error.exit())
        }
        _ if host.as_str().starts_with("http://") => {
            Finding::well(format!("host `{host}` answers; no TLS to this machine"))
        }
        _ => Finding::well(format!(
            "host `{host}` answers, and its certificate is believed"
        )),
    }
}

fn release(version: &str) -> Finding {
    let mut numbers = version
        .split(['.', '-'])
        .map_while(|part| part.parse().ok());
    let release = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let what = format!("Domino {version}");
    if (TESTED[0]..=TESTED[1]).contains(&release) {
        return Finding::well(what);
    }
    let [(a, b), (c, d)] = TESTED;
    let advice = format!(
        "the programs are tested with {a}.{b} to {c}.{d}: rehearse, then start with the first stage"
    );
    Finding::Well(what, Some(advice))
}

fn advice(credential: &Credential) -> Option<String> {
    if matches!(credential, Credential::ApiKey(_)) {
        let advice = "a user's key, which Domino is giving up: put a service account's token into `DOMINO_TOKEN`";
        return Some(advice.into());
    }
    let expiry = credential.expiry(jiff::Timestamp::now())?;
    Some(format!("it {expiry}"))
}

/// The project and its repository, which must be the one whose commits are deployed.
fn repository(visit: &Visit<'_>, project: &Project) -> Finding {
    let uri = project.repository.as_deref().unwrap_or_default();
    // Some repository addresses contain a user and a password.
    let shown = uri.rsplit_once('@').map_or(uri, |(_, rest)| rest);
    let what = format!("project `{}`, on git at `{shown}`", project.name);
    let Some(ours) = visit.github_repository() else {
        return Finding::well(what);
    };
    let theirs = shown
        .trim_end_matches('/')
        .trim_end_matches(".git")
        .replace(':', "/");
    let same =
        format!("/{}", theirs.to_lowercase()).ends_with(&format!("/{}", ours.to_lowercase()));
    if same {
        return Finding::well(what);
    }
    Finding::wrong(
        format!("{what}, which is not `{ours}`"),
        format!(
            "a commit of `{ours}` is not in that repository: correct {}",
            visit.place_of("project")
        ),
    )
}

async fn apps_api(visit: &Visit<'_>, reader: &Reader, project: &Project) -> Finding {
    let first = visit.file.apps.first();
    let name = first.map_or("doctor".into(), |app| visit.file.app_name(app, visit.stage));
    match reader.find_apps(&project.id, &name).await {
        Ok((apps, _)) => {
            let since = match apps.generation() {
                apps::Generation::V1 => "Domino 6.3 on",
                apps::Generation::Beta => "Domino 6.1 on",
                apps::Generation::V4 => "every Domino",
            };
            Finding::well(format!("apps by `{}`, {since}", apps.capabilities().route))
        }
        Err(error) => Finding::of_error("apps", &error.into()),
    }
}

/// The experiment manager, and each registered model that the file serves.
async fn registered_models(visit: &Visit<'_>) -> Vec<Finding> {
    let uri = variable("MLFLOW_TRACKING_URI");
    let tracking = match Tracking::of(&visit.connection, uri.as_deref()) {
        Ok(tracking) => tracking.reader(),
        Err(failure) => return vec![Finding::of_error("experiment manager", &failure.into())],
    };
    let mut names: Vec<&str> = Vec::new();
    for model in &visit.file.models {
        if let ModelSource::Registered { name, .. } = &model.source
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    let looks = names.into_iter().map(|name| {
        let tracking = &tracking;
        async move {
            match tracking.model_versions(name).await {
                Ok(versions) => match versions.first() {
                    Some(newest) => Finding::well(format!(
                        "registered model `{name}`, newest version {}",
                        newest.version
                    )),
                    None if trains_first(visit) => Finding::NotAsked(
                        format!("registered model `{name}`, which has no version yet"),
                        "a job of the first deployment is to register it; until then the model's own step fails".into(),
                    ),
                    None => Finding::wrong(
                        format!("there is no version of a registered model `{name}`"),
                        "run the job that trains and registers it before the model is deployed",
                    ),
                },
                Err(error) => Finding::of_error("experiment manager", &error.into()),
            }
        }
    });
    join_all(looks).await
}

/// Whether what is missing may still be created: nothing was deployed to the first stage yet, and a job of its runs
/// there.
fn trains_first(visit: &Visit<'_>) -> bool {
    let first = visit.file.stages.first();
    first.is_some_and(|first| first.name == visit.stage.name)
        && visit
            .file
            .jobs_of(visit.stage)
            .any(|job| job.schedule.is_none())
}

/// What the gates of the stage need in Domino.
async fn gates(visit: &Visit<'_>, reader: &Reader) -> Vec<Finding> {
    let gates = &visit.stage.gates;
    match gates.domino_approval {
        DominoApproval::None => Vec::new(),
        DominoApproval::Governance => vec![policy(visit, reader).await],
        DominoApproval::Review => {
            let looks = gates.reviewers.iter().map(|name| async move {
                match reader.user(name).await {
                    Ok(Some(_)) => Finding::well(format!("reviewer `{name}`")),
                    Ok(None) => Finding::wrong(
                        format!("there is no user `{name}` to review"),
                        format!(
                            "correct {}",
                            visit.file.place_of(&[
                                "stage",
                                &visit.stage.name,
                                "gates",
                                "reviewers"
                            ])
                        ),
                    ),
                    Err(error) => Finding::of_error(&format!("reviewer `{name}`"), &error.into()),
                }
            });
            join_all(looks).await
        }
    }
}

async fn policy(visit: &Visit<'_>, reader: &Reader) -> Finding {
    let wanted = visit.stage.gates.policy.as_deref().unwrap_or_default();
    let key = ["stage", &visit.stage.name, "gates", "policy"];
    match reader.policies().await {
        Ok(policies) => match choose(&policies, wanted, "governance policy") {
            Ok(_) => Finding::well(format!("governance policy `{wanted}`")),
            Err(failure) => Finding::of_error("gates", &failure.at(visit.file, &key)),
        },
        Err(error) if error.is_unknown_route() => Finding::wrong(
            "this Domino has no governance",
            format!(
                "choose another `domino-approval`: {}",
                visit
                    .file
                    .place_of(&["stage", &visit.stage.name, "gates", "domino-approval"])
            ),
        ),
        Err(error) => Finding::of_error("governance", &error.into()),
    }
}
