//! The plan of a publish as the person sees it.

use domino_core::step::{ChangeKind, Plan, StepContext};

use crate::difference::Work;
use crate::endpoint::{called, name_of, serving};
use crate::plan::PublishPlan;

impl PublishPlan<'_> {
    /// The plan as the person sees it.
    pub(crate) fn view(&self, context: &StepContext) -> Plan {
        let stage = &context.stage.name;
        let name = &self.model.name;
        let endpoint = &self.endpoint.name;
        let desired = &self.wanted.desired;
        let mut plan = Plan::new(match &self.work {
            Work::Nothing(_) => self.as_wanted(context),
            Work::Watch(version) => format!(
                "follow {} of endpoint `{endpoint}`, which is on its way",
                name_of(version)
            ),
            Work::Create | Work::Version { .. } => {
                format!("publish model `{name}` in stage `{stage}` as endpoint `{endpoint}`")
            }
        });
        plan.fact(
            "project",
            format!(
                "{} on {}",
                self.endpoint.project.name,
                context.connection.host().as_str()
            ),
        );
        plan.fact(
            "model",
            match &self.source.how {
                Some(how) => format!("{} ({how})", desired.source),
                None => desired.source.to_string(),
            },
        );
        plan.fact("commit", self.wanted.mark.commit.as_str());
        self.place.describe(&mut plan);
        plan.fact("replicas", desired.replicas.to_string());
        if !desired.environment_variables.is_empty() {
            let variables: Vec<String> = desired
                .environment_variables
                .iter()
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
            plan.fact("serves now", serving(&existing.api));
        }
        plan.fact("key", self.wanted.mark.to_string());
        match &self.work {
            Work::Nothing(version) | Work::Watch(version) => {
                plan.change(ChangeKind::Keep, name_of(version));
            }
            Work::Create => {
                plan.change(
                    ChangeKind::Create,
                    format!("endpoint `{endpoint}` that serves {}", desired.source),
                );
            }
            Work::Version {
                differences,
                settings,
            } => {
                if *settings {
                    plan.change(
                        ChangeKind::Update,
                        format!("the settings of endpoint `{endpoint}`"),
                    );
                }
                plan.change(
                    ChangeKind::Create,
                    format!("a version of endpoint `{endpoint}`"),
                );
                for difference in differences {
                    plan.change(ChangeKind::Update, difference);
                }
            }
        }
        plan
    }

    /// Whether the endpoint's own settings are changed before a version is made.
    pub(crate) fn changes_settings(&self) -> bool {
        matches!(self.work, Work::Version { settings: true, .. })
    }

    /// The sentence for when nothing is to be done.
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
