//! The plan of a publish as the person sees it.

use domino_core::api::model_apis::{Carried, DEFAULT_REPLICAS, PROD};
use domino_core::step::{ChangeKind, Plan, StepContext};
use stage_file::Routing;

use crate::callers::routing;
use crate::difference::{ExistingEndpoint, Work};
use crate::endpoint::{called, name_of, serving};
use crate::plan::PublishPlan;

impl PublishPlan<'_> {
    /// The plan as the person sees it.
    pub(crate) fn view(&self, context: &StepContext) -> Plan {
        let endpoint = &self.endpoint.name;
        let mut plan = Plan::new(match &self.work {
            Work::Nothing(_) => self.as_wanted(context),
            Work::Watch(version) => format!(
                "follow {} of endpoint `{endpoint}`, which is on its way",
                name_of(version)
            ),
            Work::Create | Work::Version { .. } => format!(
                "publish model `{}` in stage `{}` as endpoint `{endpoint}`",
                self.model.name, context.stage.name
            ),
        });
        self.add_facts(&mut plan, context);
        self.add_changes(&mut plan);
        plan
    }

    fn add_facts(&self, plan: &mut Plan, context: &StepContext) {
        let desired = &self.wanted.desired;
        let host = context.connection.host().as_str();
        plan.fact(
            "project",
            format!("{} on {host}", self.endpoint.project.name),
        );
        plan.fact(
            "model",
            match &self.source.how {
                Some(how) => format!("{} ({how})", desired.source),
                None => desired.source.to_string(),
            },
        );
        plan.fact("commit", self.wanted.marker.commit.as_str());
        if let Some(hold) = &self.wanted.marker.hold {
            plan.fact("held", hold.fact());
        }
        self.place.describe(plan);
        match (desired.replicas, &self.existing) {
            (Some(replicas), _) => {
                plan.fact("replicas", replicas.to_string());
            }
            (None, Some(_)) => {}
            (None, None) => {
                let text = format!("Domino's default, which is {DEFAULT_REPLICAS} unless changed");
                plan.fact("replicas", text);
            }
        }
        self.add_settings(plan);
        if !desired.environment_variables.is_empty() {
            let variables = desired.environment_variables.iter();
            let variables: Vec<String> = variables
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            plan.fact("variables", variables.join(", "));
        }
        if desired.logs_requests {
            plan.fact(
                "log requests",
                "yes: Domino keeps what is sent and answered",
            );
        }
        plan.fact(
            "smoke test",
            match &self.smoke {
                Some(smoke) => format!("{} of {}", smoke.count(), smoke.file.display()),
                None => "none".into(),
            },
        );
        if let Some(existing) = &self.existing {
            let name = match existing.api.routes_by_label() {
                true => "latest now",
                false => "serves now",
            };
            plan.fact(name, serving(&existing.api));
            if let Some(other_name) = &self.endpoint.other_name {
                plan.fact("endpoint", other_name.as_str());
            }
            if let Some(routing) = routing(&existing.api, &existing.versions) {
                plan.fact("routing", routing);
            }
            if !self.kept.carried.is_empty() {
                plan.fact("carried over", self.kept.carried.join(", "));
            }
        }
        if let Some(order) = &self.order.fact {
            plan.fact("order", order.as_str());
        }
        plan.fact("key", self.wanted.marker.to_string());
    }

    /// What the stage file says of how the endpoint answers.
    fn add_settings(&self, plan: &mut Plan) {
        let desired = &self.wanted.desired;
        let is_on = |fields: &Carried, name: &str| fields.get(name) == Some(&true.into());
        let existing = self.existing.as_ref();
        let is_async = existing.and_then(|existing| existing.api.is_async);
        if is_async.unwrap_or_else(|| is_on(&desired.carried, "isAsync")) {
            plan.fact("calls", "asynchronous: the answer is fetched later");
        }
        let bundle = desired.carried.get("bundleId");
        if let Some(bundle) = bundle.and_then(|bundle| bundle.as_str()) {
            plan.fact("bundle", bundle);
        }
        if self.says_monitoring {
            let is_on = is_on(&desired.carried_version, "monitoringEnabled");
            plan.fact("monitoring", if is_on { "on" } else { "off" });
        }
    }

    fn add_changes(&self, plan: &mut Plan) {
        let endpoint = &self.endpoint.name;
        match &self.work {
            Work::Nothing(version) | Work::Watch(version) => {
                plan.change(ChangeKind::Keep, name_of(version));
                self.add_label(plan, &name_of(version));
            }
            Work::Create => {
                let source = &self.wanted.desired.source;
                let text = format!("endpoint `{endpoint}` that serves {source}");
                plan.change(ChangeKind::Create, text);
            }
            Work::Version {
                differences,
                settings,
            } => {
                if *settings {
                    let text = format!("the settings of endpoint `{endpoint}`");
                    plan.change(ChangeKind::Update, text);
                }
                let text = format!("a version of endpoint `{endpoint}`");
                plan.change(ChangeKind::Create, text);
                for difference in differences {
                    plan.change(ChangeKind::Update, difference);
                }
                self.add_label(plan, "the new version");
            }
        }
    }

    fn add_label(&self, plan: &mut Plan, to: &str) {
        if self.moves_label() {
            let text = format!("`labels/{PROD}` moves to {to} once that passed its tests");
            plan.change(ChangeKind::Update, text);
        }
    }

    /// Whether the label is moved that callers go by.
    pub(crate) fn moves_label(&self) -> bool {
        let routes_by_label = |existing: &ExistingEndpoint| existing.api.routes_by_label();
        self.routing == Some(Routing::Advanced)
            && self.existing.as_ref().is_some_and(routes_by_label)
            && !matches!(&self.work, Work::Nothing(version) if version.is_promoted())
    }

    /// Whether the endpoint's own settings are changed before a version is created.
    pub(crate) fn changes_settings(&self) -> bool {
        matches!(self.work, Work::Version { settings: true, .. })
    }

    /// The sentence for when there is nothing to do.
    pub(crate) fn as_wanted(&self, context: &StepContext) -> String {
        let version = match &self.work {
            Work::Nothing(version) => name_of(version),
            _ => "it".into(),
        };
        format!(
            "model `{}` in stage `{}` is as wanted: {version} of endpoint `{}` serves",
            self.model.name, context.stage.name, self.endpoint.name
        )
    }

    /// What served before, for the person: `version 7`.
    pub(crate) fn previous_version(&self) -> Option<String> {
        let active = self.existing.as_ref()?.api.active.as_ref()?;
        Some(called(active.number, &active.id))
    }
}
