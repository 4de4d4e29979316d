//! What is done in every case that can be distinguished.

mod served;

use domino_core::api::environments::EnvironmentId;
use domino_core::api::hardware_tiers::HardwareTierId;
use domino_core::api::model_apis::{ActiveVersion, ModelApiId, ModelApiVersionId};
use domino_core::api::projects::ProjectId;
use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;

use domino_core::api::model_apis::Generation;

use super::*;
use domino_core::deployment_marker::{EntityMarker, state_of};

fn commit() -> Commit {
    Commit::whole(&"ab".repeat(20)).unwrap()
}

fn registered(version: u64) -> ModelApiSource {
    ModelApiSource::Registered {
        name: "wine".into(),
        version: VersionNumber::new(version),
    }
}

fn wanted() -> Wanted {
    wanted_of(registered(7), &commit())
}

fn wanted_of(source: ModelApiSource, commit: &Commit) -> Wanted {
    let mut desired = DesiredModelApi {
        name: "wine-dev".into(),
        description: "Predicts".into(),
        project_id: ProjectId::new("p"),
        environment_id: EnvironmentId::new("e1"),
        hardware_tier_id: Some(HardwareTierId::new("t1")),
        replicas: Some(1),
        environment_variables: Default::default(),
        source: source.clone(),
        version_description: String::new(),
        logs_requests: false,
        carried: Default::default(),
        carried_version: Default::default(),
    };
    let marker = DeploymentMarker {
        of: EntityMarker::new("dev", "wine"),
        version: match source {
            ModelApiSource::Registered { version, .. } => Some(version),
            ModelApiSource::Function { .. } => None,
        },
        commit: commit.clone(),
        workflow_run: None,
        after: None,
        state: Some(state_of(&desired, commit)),
        written: None,
        hold: None,
    };
    desired.version_description = marker.to_string();
    Wanted {
        desired,
        marker,
        revision: Some("r1".into()),
    }
}

fn deployment(status: &str, is_pending: bool) -> Deployment {
    Deployment {
        status: DeploymentStatus::from(status.to_owned()),
        is_pending,
    }
}

fn version(number: u64, wanted: &Wanted, status: &str) -> ModelApiVersion {
    ModelApiVersion {
        id: ModelApiVersionId::new(format!("v{number}")),
        number: Some(number),
        description: wanted.marker.to_string(),
        source: Some(wanted.desired.source.clone()),
        commit_id: Some("c".into()),
        environment_revision_id: Some("r1".into()),
        data_plane_id: Some("dp".into()),
        logs_requests: Some(false),
        deployment: Some(deployment(status, false)),
        created: None,
        created_by: None,
        labels: Vec::new(),
        carried: Default::default(),
    }
}

/// An endpoint as it was created from `wanted`, whose active version has this number.
fn existing(
    wanted: &Wanted,
    versions: Vec<ModelApiVersion>,
    active: Option<u64>,
) -> ExistingEndpoint {
    let active = active.map(|number| {
        let version = versions
            .iter()
            .find(|version| version.number == Some(number))
            .unwrap();
        ActiveVersion {
            id: version.id.clone(),
            number: version.number,
            deployment: version.deployment.clone(),
        }
    });
    ExistingEndpoint {
        api: ModelApi {
            id: ModelApiId::new("m"),
            name: "wine-dev".into(),
            description: wanted.desired.description.clone(),
            environment_id: Some(wanted.desired.environment_id.clone()),
            hardware_tier_id: wanted.desired.hardware_tier_id.clone(),
            replicas: wanted.desired.replicas,
            is_public: Some(false),
            is_async: None,
            routing_mode: None,
            bundle: None,
            created_by: None,
            carried: Default::default(),
            active,
        },
        versions,
    }
}

fn described_work(existing: &ExistingEndpoint, wanted: &Wanted) -> String {
    match work(
        Generation::ModelServing.capabilities(),
        Some(existing),
        wanted,
    ) {
        Work::Nothing(version) => format!("nothing, {} serves", version.id),
        Work::Watch(version) => format!("follow {}", version.id),
        Work::Create => "create".into(),
        Work::Version {
            differences,
            settings,
        } => {
            let settings = if settings { "settings and " } else { "" };
            format!("{settings}version: {}", differences.join("; "))
        }
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_created() {
    let work = work(Generation::ModelServing.capabilities(), None, &wanted());
    assert!(matches!(work, Work::Create));
}

#[test]
fn what_serves_as_wanted_is_left_alone() {
    let wanted = wanted();
    let existing = existing(&wanted, vec![version(1, &wanted, "Running")], Some(1));
    assert_eq!(described_work(&existing, &wanted), "nothing, v1 serves");
}

#[test]
fn another_version_of_the_model_is_a_new_version_of_the_endpoint() {
    let before = wanted_of(registered(6), &commit());
    let existing = existing(&before, vec![version(1, &before, "Running")], Some(1));
    assert_eq!(
        described_work(&existing, &wanted()),
        "version: serves: version 6 of `wine` → version 7 of `wine`"
    );
}

#[test]
fn each_setting_that_somebody_changed_by_hand_is_put_right() {
    let wanted = wanted();
    let mut existing = existing(&wanted, vec![version(1, &wanted, "Running")], Some(1));
    existing.api.replicas = Some(4);
    existing.api.hardware_tier_id = Some(HardwareTierId::new("large"));
    existing.api.description = "by hand".into();
    assert_eq!(
        described_work(&existing, &wanted),
        "settings and version: hardware tier: `large` → `t1`; replicas: `4` → `1`; description: `by hand` → `Predicts`"
    );
}

#[test]
fn a_tier_that_nobody_asked_for_is_left_to_domino() {
    let mut wanted = wanted();
    wanted.desired.hardware_tier_id = None;
    wanted.marker.state = Some(state_of(&wanted.desired, &commit()));
    let mut existing = existing(&wanted, vec![version(1, &wanted, "Running")], Some(1));
    existing.api.hardware_tier_id = Some(HardwareTierId::new("any"));
    assert_eq!(described_work(&existing, &wanted), "nothing, v1 serves");
}

#[test]
fn a_newer_environment_revision_and_request_logging_are_differences() {
    let mut wanted = wanted();
    wanted.revision = Some("r2".into());
    let mut first = version(1, &wanted, "Running");
    first.logs_requests = Some(true);
    let existing = existing(&wanted, vec![first], Some(1));
    assert_eq!(
        described_work(&existing, &wanted),
        "version: log requests: true → false; environment revision: `r1` → `r2`"
    );
}

#[test]
fn a_version_that_a_cancelled_run_left_on_its_way_is_followed() {
    let wanted = wanted();
    let before = wanted_of(registered(6), &commit());
    for status in [
        "Preparing to build",
        "Building",
        "Ready to run",
        "Starting",
        "Dreaming",
    ] {
        let versions = vec![version(2, &wanted, status), version(1, &before, "Running")];
        let existing = existing(&wanted, versions, Some(1));
        assert_eq!(described_work(&existing, &wanted), "follow v2", "{status}");
    }
    let mut second = version(2, &wanted, "Running");
    second.deployment = None;
    let existing = existing(
        &wanted,
        vec![second, version(1, &before, "Running")],
        Some(1),
    );
    assert_eq!(described_work(&existing, &wanted), "follow v2");
}

#[test]
fn a_version_that_failed_or_was_put_aside_is_not_followed() {
    let wanted = wanted();
    let before = wanted_of(registered(6), &commit());
    for status in ["Failed", "Stopped", "Stalled", "Unreachable", "Running"] {
        let versions = vec![version(2, &wanted, status), version(1, &before, "Running")];
        let existing = existing(&wanted, versions, Some(1));
        assert_eq!(
            described_work(&existing, &wanted),
            "version: serves: version 6 of `wine` → version 7 of `wine`",
            "{status}"
        );
    }
}

#[test]
fn a_version_that_is_down_is_published_anew_and_the_reason_said() {
    let wanted = wanted();
    let existing = existing(&wanted, vec![version(1, &wanted, "Stopped")], Some(1));
    assert_eq!(
        described_work(&existing, &wanted),
        "version: version 1 is `Stopped`"
    );
}

#[test]
fn what_was_made_by_hand_is_not_believed_to_be_as_wanted() {
    let wanted = wanted();
    let mut first = version(1, &wanted, "Running");
    first.description = "made by hand".into();
    let existing = existing(&wanted, vec![first], Some(1));
    assert_eq!(
        described_work(&existing, &wanted),
        "version: version 1 was not made by this program, so that not all of it is known"
    );
}

#[test]
fn a_function_is_published_anew_for_every_commit() {
    let function = || ModelApiSource::Function {
        file: "predict.py".into(),
        function: "predict".into(),
    };
    let before = wanted_of(function(), &Commit::whole(&"cd".repeat(20)).unwrap());
    let existing = existing(&before, vec![version(1, &before, "Running")], Some(1));
    assert_eq!(
        described_work(&existing, &wanted_of(function(), &commit())),
        "version: commit: cdcdcdcdcdcd → abababababab"
    );
    assert_eq!(described_work(&existing, &before), "nothing, v1 serves");
}

#[test]
fn the_commit_does_not_matter_to_a_registered_model() {
    let before = wanted_of(registered(7), &Commit::whole(&"cd".repeat(20)).unwrap());
    let existing = existing(&before, vec![version(1, &before, "Running")], Some(1));
    assert_eq!(described_work(&existing, &wanted()), "nothing, v1 serves");
}

#[test]
fn the_older_routes_tell_little_and_the_mark_decides() {
    let wanted = wanted();
    let mut first = version(1, &wanted, "Running");
    first.description = String::new();
    first.source = None;
    first.environment_revision_id = None;
    first.logs_requests = None;
    first.deployment = None;
    let mut existing = existing(&wanted, vec![first], Some(1));
    existing.api.description = format!("Predicts {}", wanted.marker);
    existing.api.replicas = None;
    existing.api.environment_id = None;
    existing.api.active.as_mut().unwrap().deployment = Some(deployment("running", false));
    let nothing = work(Generation::Models.capabilities(), Some(&existing), &wanted);
    let Work::Nothing(serves) = nothing else {
        panic!("{nothing:?}");
    };
    // The endpoint tells the status if the list of versions does not.
    assert!(serves.deployment.unwrap().is_running());
    // Nothing tells which one answers: the newest does, if it runs.
    existing.api.active = None;
    existing.versions[0].deployment = Some(deployment("running", false));
    let nothing = work(Generation::Models.capabilities(), Some(&existing), &wanted);
    assert!(matches!(nothing, Work::Nothing(_)), "{nothing:?}");
    let other = wanted_of(registered(8), &commit());
    let version = work(Generation::Models.capabilities(), Some(&existing), &other);
    assert!(matches!(version, Work::Version { .. }), "{version:?}");
}

#[test]
fn what_served_before_is_known_while_the_version_is_this_runs_own() {
    let marked = |run: &str, after| {
        let mut wanted = wanted();
        wanted.marker.workflow_run = Some(run.into());
        wanted.marker.after = after;
        wanted
    };
    let before = wanted_of(registered(6), &commit());
    let found = |made: &Wanted, active: u64, marker: &DeploymentMarker| {
        let versions = vec![
            version(3, made, "Running"),
            version(2, &before, "Stopped"),
            version(1, &before, "Stopped"),
        ];
        let existing = existing(&before, versions, Some(active));
        let newest = existing.versions[0].clone();
        existing
            .previous_version(&newest, marker)
            .map(|version| version.number.unwrap())
    };
    let own = marked("77", Some(1));
    // The newest one need not be the one that served.
    assert_eq!(found(&own, 3, &own.marker), Some(1));
    assert_eq!(found(&own, 2, &own.marker), Some(2));
    assert_eq!(found(&own, 3, &marked("78", Some(1)).marker), None);
    assert_eq!(found(&own, 3, &wanted().marker), None);
    assert_eq!(found(&wanted(), 3, &wanted().marker), None);
    assert_eq!(found(&marked("77", None), 3, &own.marker), None);
}
