//! Each method that reads something out of a reply, with the replies that are valid for it.

use std::error::Error;
use std::fmt::Debug;
use std::pin::Pin;

use domino_core::api::apps::{
    self, AppChanges, AppContent, AppId, AppInstanceId, AppVersionId, NewApp,
};
use domino_core::api::environments::{EnvironmentId, RevisionSpec};
use domino_core::api::governance::{
    ApprovalEvent, ApprovalEventType, ApprovalId, BundleId, NewBundle, PolicyApprovalId, PolicyId,
};
use domino_core::api::hardware_tiers::{HardwareTierId, TierUse};
use domino_core::api::jobs::{JobId, NewJob};
use domino_core::api::mlflow::{ModelStage, Tracking};
use domino_core::api::model_apis::{
    self, DesiredModelApi, ModelApiId, ModelApiSource, ModelApiVersionId,
};
use domino_core::api::model_endpoints::{ModelEndpoint, Route};
use domino_core::api::projects::{Project, ProjectId};
use domino_core::api::registered_models::VersionNumber;
use domino_core::api::schedules::{ScheduleDefinition, ScheduleId, ScheduledJob};
use domino_core::api::users::UserId;
use domino_core::client::{ApiError, Connection};
use domino_core::error::{CommandError, Exit};
use serde_json::{Value, json};
use stage_file::Visibility;

use crate::bodies::*;

type Outcome = Pin<Box<dyn Future<Output = Result<String, Refusal>>>>;

/// An error of either kind: the client's, and what a person is told of GitHub's.
#[derive(Debug)]
pub struct Refusal {
    pub exit: Exit,
    /// The whole error, as a step would show it.
    pub text: String,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let exit = error.exit();
        Self::of(exit, &error)
    }
}

impl From<CommandError> for Refusal {
    fn from(failure: CommandError) -> Self {
        Self::of(failure.exit(), &failure)
    }
}

impl Refusal {
    fn of(exit: Exit, error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text = format!("{text}\n  caused by: {inner}");
            cause = inner.source();
        }
        Self { exit, text }
    }
}

/// A method, by its name.
pub struct Call {
    pub name: &'static str,
    /// What it requests, as `METHOD /path`, and what is valid there.
    pub replies: Vec<(&'static str, Value)>,
    /// Calls the method, and prints what it understood.
    pub call: fn(Connection) -> Outcome,
}

fn displayed<T: Debug, E: Into<Refusal>>(result: Result<T, E>) -> Result<String, Refusal> {
    match result {
        Ok(value) => Ok(format!("{value:?}")),
        Err(error) => Err(error.into()),
    }
}

/// `name: [route => reply, …] |connection| call` becomes a [`Call`].
macro_rules! calls {
    ($($name:ident: [$($route:literal => $reply:expr),+ $(,)?] |$connection:ident| $call:expr;)+) => {
        vec![$(Call {
            name: stringify!($name),
            replies: vec![$(($route, $reply)),+],
            call: |$connection| Box::pin(async move { displayed($call) }),
        }),+]
    };
}

mod github;

/// Every one of them.
pub fn calls() -> Vec<Call> {
    let mut all = runs();
    all.extend(apps());
    all.extend(models());
    all.extend(experiments());
    all.extend(approvals());
    all.extend(github::calls());
    all
}

fn runs() -> Vec<Call> {
    calls! {
        version: ["GET /version" => json!({"version": "6.3.0"})]
            |c| c.reader().version().await;
        own_user: ["GET /v4/users/self" => json!({"id": "u1", "userName": "ci-bot"})]
            |c| c.reader().own_user().await;
        user: ["GET /v4/users" => json!([{"id": "u1", "userName": "ada"}, {"id": "u2", "userName": "bob"}])]
            |c| c.reader().user("bob").await;
        project: ["GET /v4/gateway/projects/findProjectByOwnerAndName" =>
            json!({"id": "p1", "mainRepository": {"id": "r", "uri": "https://example.com/a.git"}})]
            |c| c.reader().project(&project().name).await;
        project_settings: ["GET /v4/projects/p1/settings" =>
            json!({"defaultHardwareTierId": "t1", "defaultEnvironmentId": "e1"})]
            |c| c.reader().project_settings(&project().id).await;
        git_credentials: ["GET /api/users/beta/credentials/u1" =>
            json!({"credentials": [{"id": "g1", "name": "ci", "domain": "github.com"}]})]
            |c| c.reader().git_credentials(&UserId::new("u1")).await;
        credential_mappings: ["GET /v4/projects/p1/credentialMapping" =>
            json!([{"userId": "u1", "projectId": "p1", "repoId": "r1", "credentialId": "g1"}])]
            |c| c.reader().credential_mappings(&project().id).await;
        main_repository_id: ["GET /v4/projects/p1" => json!({"id": "p1", "mainRepository": {"id": "r1"}})]
            |c| c.reader().main_repository_id(&project().id).await;
        endpoint_role: ["GET /api/modelServing/v1/modelApis/m1" =>
            json!({"id": "m1", "collaborators": [{"collaborator": "u1", "role": "Owner"}]})]
            |c| c.reader().endpoint_role(&ModelApiId::new("m1"), &UserId::new("u1")).await;
        known_projects: ["GET /v4/gateway/projects" => json!([{"name": "wine", "ownerName": "wine-team"}])]
            |c| Ok::<_, ApiError>(c.reader().known_projects().await);
        hardware_tiers: ["GET /v4/projects/p1/hardwareTiers" => json!([
            {"hardwareTier": {"id": "t1", "name": "Small", "hwtFlags": {"isArchived": false}},
             "dataPlane": {"id": "d1", "name": "plane", "isHealthy": true}},
        ])]
            |c| c.reader().hardware_tiers(&project().id, TierUse::Runs).await;
        environments: ["GET /v4/projects/p1/useableEnvironments" => json!({"environments": [
            {"id": "e1", "name": "Standard", "archived": false, "activeRevisionNumber": 3},
        ]})]
            |c| c.reader().environments(&project().id).await;
        latest_revision: ["GET /v4/environments/e1" => json!({"id": "e1", "latestRevision": {"id": "r9", "number": 9}})]
            |c| c.reader().latest_revision(&EnvironmentId::new("e1")).await;
        job: ["GET /v4/jobs/j1" => job()]
            |c| c.reader().job(&JobId::new("j1")).await;
        jobs: ["GET /v4/jobs" => json!({"jobs": [job(), job()], "totalCount": 2})]
            |c| c.reader().jobs(&project().id, 0, std::future::ready(None), |_| true).await;
        job_runtime: ["GET /v4/jobs/j1/runtimeExecutionDetails" => json!({
            "environment": {"environmentId": "e1", "environmentName": "Standard", "revisionNumber": 2},
            "hardwareTier": {"id": "t1", "name": "Small"},
        })]
            |c| c.reader().job_runtime(&JobId::new("j1")).await;
        job_status_groups: ["GET /v4/jobs/getStatus/values" => json!({"completed": ["Succeeded"], "active": ["Queued"]})]
            |c| c.reader().job_status_groups().await;
        job_log: ["GET /v4/jobs/j1/logsWithProblemSuggestions" => json!({"logset": log()})]
            |c| c.reader().job_log(&JobId::new("j1"), "0", 100).await;
        start_job: ["POST /v4/jobs/start" => job()]
            |c| c.writer().start_job(&new_job()).await;
        scheduled_jobs: ["GET /v4/projects/p1/scheduledjobs" => json!([scheduled_job()])]
            |c| c.reader().scheduled_jobs(&project().id).await;
        create_scheduled_job: ["POST /v4/projects/p1/scheduledjobs" => scheduled_job()]
            |c| c.writer().create_scheduled_job(&project().id, &definition()).await;
        replace_scheduled_job: ["PUT /v4/projects/p1/scheduledjobs/s1" => scheduled_job()]
            |c| c.writer().replace_scheduled_job(&project().id, &ScheduleId::new("s1"), &definition()).await;
    }
}

fn apps() -> Vec<Call> {
    calls! {
        find_apps: [
            "GET /api/apps/v1/apps" => json!({"items": [app(nested_version())], "metadata": {"totalCount": 1}}),
        ]
            |c| c.reader().find_apps(&project().id, "dashboard").await;
        apps_beta: ["GET /api/apps/beta/apps" => json!({
            "items": [app(version()), app(version())], "metadata": {"pagination": {"totalCount": 2}},
        })]
            |c| c.reader().apps(apps::Generation::Beta).named(&project().id, "dashboard").await;
        app_v1: ["GET /api/apps/v1/apps/a1" => app(nested_version())]
            |c| c.reader().apps(apps::Generation::V1).app(&AppId::new("a1")).await;
        app_version_beta: [
            "GET /api/apps/beta/apps/a1/versions/v1" => json!({"id": "v1", "currentInstance": null}),
            "GET /api/apps/beta/apps/a1/versions/v1/instances" =>
                json!({"items": [{"id": "i1", "status": "Failed", "createdAt": 1}]}),
        ]
            |c| c.reader().apps(apps::Generation::Beta).version(&AppId::new("a1"), &AppVersionId::new("v1")).await;
        app_log_beta: ["GET /api/apps/beta/apps/a1/versions/v1/instances/i1/logs" => log()]
            |c| c.reader().apps(apps::Generation::Beta).log(&AppId::new("a1"), &AppVersionId::new("v1"), &AppInstanceId::new("i1"), "0", 100,
            ).await;
        apps_v4: [
            "GET /v4/modelProducts" => json!([product()]),
            "GET /v4/modelProducts/apps/versions/i1" => started(),
        ]
            |c| c.reader().apps(apps::Generation::V4).named(&project().id, "dashboard").await;
        app_v4: [
            "GET /v4/modelProducts/a1" => {
                let mut product = product();
                product["latestAppInstanceId"] = Value::Null;
                product
            },
            "GET /v4/modelProducts/a1/versions" => json!([
                {"id": "i0", "started": 1, "status": "Stopped"}, {"id": "i1", "started": 3, "status": "Running"},
            ]),
            "GET /v4/modelProducts/apps/versions/i1" => started(),
        ]
            |c| c.reader().apps(apps::Generation::V4).app(&AppId::new("a1")).await;
        create_app_v1: ["POST /api/apps/v1/apps" => app(nested_version())]
            |c| c.writer().apps(apps::Generation::V1).create(&new_app()).await;
        create_app_v4: ["POST /v4/modelProducts" => product()]
            |c| c.writer().apps(apps::Generation::V4).create(&new_app()).await;
        publish_app_v1: ["POST /api/apps/v1/apps/a1/versions/createAndStart" => json!({
            "version": nested_version(), "instance": {"id": "i2", "status": "Queued"},
            "warnings": ["the tier is full", {"message": "no volume"}],
        })]
            |c| c.writer().apps(apps::Generation::V1).publish(&AppId::new("a1"), &AppContent::default()).await;
        publish_app_beta: ["POST /api/apps/beta/apps/a1/versions" => version()]
            |c| c.writer().apps(apps::Generation::Beta).publish(&AppId::new("a1"), &AppContent::default()).await;
        start_app_version: ["POST /api/apps/v1/apps/a1/versions/v1/start" => json!({"id": "i2", "status": "Queued"})]
            |c| c.writer().apps(apps::Generation::V1).start(&AppId::new("a1"), &AppVersionId::new("v1"), &AppContent::default()).await;
        change_app: ["PATCH /api/apps/v1/apps/a1" => app(nested_version())]
            |c| {
                let changes = AppChanges { description: Some("d".into()), ..AppChanges::default() };
                c.writer().apps(apps::Generation::V1).change(&AppId::new("a1"), &changes).await
            };
    }
}

fn models() -> Vec<Call> {
    calls! {
        model_apis: ["GET /api/modelServing/v1/modelApis" => json!({"items": [model_api()], "metadata": {"totalCount": 1}})]
            |c| c.reader().find_model_apis(&project()).await;
        model_api_older: [
            "GET /v1/projects/wine-team/wine/models" => json!({"data": [{"_id": "m1", "id": "m1", "name": "wine"}]}),
            "GET /v4/modelManager/getModels" => json!([{
                "id": "m1", "name": "wine", "description": "d", "activeModelVersionId": "v3", "activeVersionNumber": 3,
                "activeVersionStatus": "Running",
            }]),
        ]
            |c| c.reader().model_apis(model_apis::Generation::Models).model_api(&project(), &ModelApiId::new("m1")).await;
        model_api_versions: ["GET /api/modelServing/v1/modelApis/m1/versions" => json!([model_version(1), model_version(2)])]
            |c| c.reader().model_apis(model_apis::Generation::ModelServing).versions(&ModelApiId::new("m1")).await;
        model_api_version: ["GET /api/modelServing/v1/modelApis/m1/versions/v1" => model_version(1)]
            |c| c.reader().model_apis(model_apis::Generation::ModelServing).version(&ModelApiId::new("m1"), &first()).await;
        model_api_version_older: [
            "GET /v1/models/m1/versions" =>
                json!({"data": [{"_id": "v1", "registeredModelName": "wine", "registeredModelVersion": "7"}]}),
            "GET /v4/models/m1/v1/getModelDeploymentStatus" => json!([{"modelId": "m1", "status": "running"}]),
        ]
            |c| c.reader().model_apis(model_apis::Generation::Models).version(&ModelApiId::new("m1"), &first()).await;
        model_build_log: ["GET /api/modelServing/v1/modelApis/m1/versions/v1/buildLogs" => model_log()]
            |c| c.reader().model_apis(model_apis::Generation::ModelServing).build_log(&ModelApiId::new("m1"), &first(), "0").await;
        model_instance_log_older: ["GET /v4/modelManager/getInstanceLogs/m1/v1" => json!([model_log()])]
            |c| c.reader().model_apis(model_apis::Generation::Models).instance_log(&ModelApiId::new("m1"), &first(), "0", 10).await;
        model_git_commit: ["GET /v4/modelManager/m1/getModelReproductionDetails" => json!([
            {"modelVersionId": "v1", "gitRepoCommits": [{"commitId": "c1", "isMainRepo": true}]},
        ])]
            |c| c.reader().model_git_commit(&ModelApiId::new("m1"), &first()).await;
        create_model_api: ["POST /api/modelServing/v1/modelApis" => model_api()]
            |c| c.writer().model_apis(model_apis::Generation::ModelServing).create(&desired()).await;
        create_model_api_older: ["POST /v1/models" => json!({"data": {"_id": "m1"}})]
            |c| c.writer().model_apis(model_apis::Generation::Models).create(&desired()).await;
        update_model_api: ["PUT /api/modelServing/v1/modelApis/m1" => model_api()]
            |c| c.writer().model_apis(model_apis::Generation::ModelServing).update(&ModelApiId::new("m1"), &desired()).await;
        create_model_api_version: ["POST /api/modelServing/v1/modelApis/m1/versions" => model_version(2)]
            |c| c.writer().model_apis(model_apis::Generation::ModelServing).create_version(&ModelApiId::new("m1"), &desired()).await;
        invoke: ["POST /models/m1/latest/model" => json!({"result": 5.5})]
            |c| {
                let endpoint = ModelEndpoint::of(&c, c.host().clone(), &ModelApiId::new("m1"), None).unwrap();
                endpoint.invoke(Route::Latest, &json!({"data": {}})).await
            };
        registered_model: ["GET /api/registeredmodels/v1/wine" => json!({"name": "wine", "latestVersion": 4, "tags": {}})]
            |c| c.reader().registered_model("wine").await;
        registered_model_version: ["GET /api/registeredmodels/v2/wine/versions/4" => json!({
            "modelName": "wine", "modelVersion": 4, "experimentRunId": "r1", "tags": {"a": "b"},
            "project": {"id": "p1", "name": "wine", "ownerUsername": "ada"},
        })]
            |c| c.reader().registered_model_version("wine", VersionNumber::new(4)).await;
        registered_model_names: ["GET /api/registeredmodels/v1" =>
            json!({"items": [{"name": "wine"}], "metadata": {"nextPageToken": null, "pagination": {}}})]
            |c| Ok::<_, ApiError>(c.reader().registered_model_names(&project().id).await);
    }
}

fn experiments() -> Vec<Call> {
    calls! {
        mlflow_registered_model: ["GET /api/2.0/mlflow/registered-models/get" => json!({"registered_model": {
            "name": "wine", "aliases": [{"alias": "Champion", "version": "4"}], "tags": [{"key": "a", "value": "b"}],
        }})]
            |c| tracking(&c).reader().registered_model("wine").await;
        mlflow_model_version: ["GET /api/2.0/mlflow/model-versions/get" => json!({"model_version": mlflow_version("7")})]
            |c| tracking(&c).reader().model_version("wine", VersionNumber::new(7)).await;
        mlflow_model_versions: ["GET /api/2.0/mlflow/model-versions/search" => json!({
            "model_versions": [mlflow_version("9"), mlflow_version("7")], "next_page_token": "",
        })]
            |c| tracking(&c).reader().model_versions("wine").await;
        transition_stage: ["POST /api/2.0/mlflow/model-versions/transition-stage" =>
            json!({"model_version": mlflow_version("7")})]
            |c| tracking(&c).writer().transition_stage("wine", VersionNumber::new(7), &ModelStage::Production).await;
        mlflow_run: ["GET /api/2.0/mlflow/runs/get" => json!({"run": {
            "info": {"run_id": "r1", "end_time": 5, "start_time": 1},
            "data": {
                "metrics": [{"key": "rmse", "value": 0.5, "timestamp": 2, "step": 1}, {"key": "odd", "value": "NaN"}],
                "params": [{"key": "alpha", "value": "1"}], "tags": [{"key": "mlflow.user", "value": "ada"}],
            },
        }})]
            |c| tracking(&c).reader().run("r1").await;
    }
}

fn approvals() -> Vec<Call> {
    calls! {
        policies: ["GET /api/governance/v1/policy-overviews" => json!({
            "data": [{"id": "po1", "name": "Promotion", "status": "Published"}],
            "meta": {"pagination": {"limit": 100, "offset": 0, "totalCount": 1}},
        })]
            |c| c.reader().policies().await;
        policy: ["GET /api/governance/v1/policies/po1" => json!({
            "id": "po1", "name": "Promotion", "enforceSequentialOrder": true,
            "stages": [{"id": "s1", "name": "Review", "approvals": [
                {"id": "sa1", "name": "Owner", "approvers": [{"id": "u2", "name": "approver"}]},
            ]}],
        })]
            |c| c.reader().policy(&PolicyId::new("po1")).await;
        bundles: ["GET /api/governance/v1/bundles" => json!({"data": [bundle()], "meta": {"pagination": {"totalCount": 1}}})]
            |c| c.reader().bundles(&project().id, &PolicyId::new("po1")).await;
        bundle: ["GET /api/governance/v1/bundles/b1" => bundle()]
            |c| c.reader().bundle(&BundleId::new("b1")).await;
        bundle_approvals: ["GET /api/governance/v1/bundles/b1/approvals" => json!([approval()])]
            |c| c.reader().bundle_approvals(&BundleId::new("b1")).await;
        bundle_gates: ["GET /api/governance/v1/bundles/b1/gates" => json!([
            {"id": "g", "name": "g", "isOpen": false, "reason": "why", "resources": [{"action": "CreateEndpoint"}]},
        ])]
            |c| c.reader().bundle_gates(&BundleId::new("b1")).await;
        create_bundle: ["POST /api/governance/v1/bundles" => bundle()]
            |c| c.writer().create_bundle(&new_bundle()).await;
        publish_approval_event: ["POST /api/governance/v1/rpc/publish-approval-event" => approval()]
            |c| c.writer().publish_approval_event(&event()).await;
    }
}

fn project() -> Project {
    Project {
        id: ProjectId::new("p1"),
        name: "wine-team/wine".parse().unwrap(),
        repository: None,
    }
}

fn first() -> ModelApiVersionId {
    ModelApiVersionId::new("v1")
}

fn tracking(connection: &Connection) -> Tracking {
    Tracking::of(connection, None).unwrap()
}

fn new_job() -> NewJob {
    NewJob {
        project_id: project().id,
        command_to_run: "train.py".into(),
        title: "Train".into(),
        main_repo_git_ref: serde_json::from_value(git_ref()).unwrap(),
        override_hardware_tier_id: None,
        environment_id: None,
        environment_revision_spec: Some(RevisionSpec::Active),
        settings: Default::default(),
    }
}

fn definition() -> ScheduleDefinition {
    let job: ScheduledJob = serde_json::from_value(scheduled_job()).unwrap();
    job.definition
}

fn new_app() -> NewApp {
    NewApp {
        project: project().id,
        name: "dashboard".into(),
        description: String::new(),
        entry_point: "app.sh".into(),
        visibility: Visibility::Public,
        discoverable: None,
        content: AppContent::default(),
    }
}

fn desired() -> DesiredModelApi {
    DesiredModelApi {
        name: "wine".into(),
        description: String::new(),
        project_id: project().id,
        environment_id: EnvironmentId::new("e1"),
        hardware_tier_id: Some(HardwareTierId::new("t1")),
        replicas: Some(1),
        environment_variables: [].into(),
        source: ModelApiSource::Registered {
            name: "wine".into(),
            version: VersionNumber::new(7),
        },
        version_description: String::new(),
        logs_requests: false,
        carried: Default::default(),
        carried_version: Default::default(),
    }
}

fn new_bundle() -> NewBundle {
    NewBundle {
        name: "wine".into(),
        policy: PolicyId::new("po1"),
        project: project().id,
        model: "wine".into(),
        version: VersionNumber::new(7),
    }
}

fn event() -> ApprovalEvent {
    ApprovalEvent {
        bundle_id: BundleId::new("b1"),
        policy_id: PolicyId::new("po1"),
        project_id: project().id,
        event_type: ApprovalEventType::RequestSubmitted,
        approval_id: ApprovalId::new("ap1"),
        stage_approval_id: Some(PolicyApprovalId::new("sa1")),
    }
}
