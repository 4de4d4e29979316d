//! What waits for somebody before it enters a stage: workflow runs at its GitHub environment, and open approvals in
//! Domino's governance if the stage's gates name a policy.

use domino_core::api::governance::{ApprovalStatus, BundleState};
use domino_core::api::projects::Project;
use domino_core::client::{Connection, Limits, Reader};
use domino_core::credential::Credential;
use domino_core::error::Result;
use domino_core::github::{WaitingRun, WaitingRuns};
use domino_core::step::Step;
use domino_core::variable::variable;
use futures_util::future::try_join_all;
use stage_file::{DominoApproval, Stage, StageFile};

use super::answer::Waiting;
use crate::github_access;

/// The most bundles of a policy that are read, newest first: each is a request.
const MOST_BUNDLES: usize = 5;

/// The client that can tell which runs wait. `Err` says why nothing can.
pub(super) fn on_github(
    limits: &Limits,
    file: &StageFile,
    step: &mut Step,
) -> std::result::Result<WaitingRuns, String> {
    let token = github_access::token().ok_or("there is no `GITHUB_TOKEN`")?;
    step.hide(&Credential::GitHubToken(token.clone().into()));
    let repository = github_access::repository(file).ok_or("no GitHub repository is known")?;
    // It provides only its limits; no request is sent to its host.
    let host = file.stages[0].host.clone();
    let connection = Connection::open(host, Credential::Anonymous, limits.clone());
    let connection = connection.map_err(|error| error.to_string())?;
    WaitingRuns::open(&connection, repository, token, variable).map_err(|error| error.to_string())
}

/// What waits to enter the environment of this stage.
pub(super) fn of_stage(
    runs: &[WaitingRun],
    stage: &Stage,
    repository: Option<&str>,
) -> Vec<Waiting> {
    let environment = stage.github_environment.to_lowercase();
    let here = runs
        .iter()
        .filter(|run| run.environment.to_lowercase() == environment);
    here.map(|run| Waiting {
        place: "GitHub",
        what: run.what.clone(),
        commit: Some(run.commit.clone()),
        waits_for: run.waits_for.clone(),
        started_by: run.started_by.clone(),
        since: run.since,
        link: repository
            .map(|repository| format!("https://github.com/{repository}/actions/runs/{}", run.id)),
    })
    .collect()
}

/// The approvals that were requested in Domino and not given yet.
pub(super) async fn in_domino(
    reader: &Reader,
    file: &StageFile,
    stage: &Stage,
) -> Result<Vec<Waiting>> {
    let gates = &stage.gates;
    let (DominoApproval::Governance, Some(named)) = (gates.domino_approval, &gates.policy) else {
        return Ok(Vec::new());
    };
    let (project, policies) = tokio::try_join!(
        async { Project::of_stage(reader, file, stage).await },
        async { Ok(reader.policies().await?) },
    )?;
    let is_named = |id: &str, name: &str| id == named || name == named;
    let Some(policy) = policies
        .iter()
        .find(|policy| is_named(policy.id.as_str(), &policy.name))
    else {
        return Ok(Vec::new());
    };
    let mut bundles = reader.bundles(&project.id, &policy.id).await?;
    bundles.retain(|bundle| bundle.state == BundleState::Active);
    bundles.sort_by_key(|bundle| std::cmp::Reverse(bundle.created_millisecond()));
    bundles.truncate(MOST_BUNDLES);
    let each = bundles.iter().map(async |bundle| {
        let approvals = reader.bundle_approvals(&bundle.id).await?;
        let open = approvals
            .into_iter()
            .filter(|approval| approval.status == ApprovalStatus::PendingReview);
        Ok::<_, domino_core::error::CommandError>(
            open.map(|approval| Waiting {
                place: "Domino",
                what: format!("{}: {}", bundle.name, approval.name),
                commit: None,
                waits_for: approval.approvers.into_iter().map(|one| one.name).collect(),
                started_by: bundle.created_by.as_ref().and_then(|by| by.name.clone()),
                since: bundle.created_at.as_deref().and_then(|at| at.parse().ok()),
                link: None,
            })
            .collect::<Vec<_>>(),
        )
    });
    Ok(try_join_all(each).await?.concat())
}
