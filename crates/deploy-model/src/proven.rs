//! Proves the version that is given: it is the one that was handed on, and it was admitted to the stage. The gates
//! are not evaluated here; what `promote-stage` recorded at the version counts.

use domino_core::api::mlflow::{ModelStage, ModelVersion, Tracking};
use domino_core::api::model_apis::{ModelApiSource, ModelApiVersion};
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::let_in::{stage_of, was_let_in};
use domino_core::step::StepContext;
use domino_core::variable::variable;
use domino_core::version_identity::VersionIdentity;
use stage_file::{DominoApproval, Gates, Model, ModelSource};

use crate::arguments::PublishArgs;

/// A version of a registered model that is to be published in a stage.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) context: &'a StepContext,
    pub(crate) model: &'a Model,
    pub(crate) args: &'a PublishArgs,
}

impl Claim<'_> {
    /// The version in the experiment manager, if it matters: its origin is passed to the next step, or compared with
    /// what was handed on.
    pub(crate) async fn read(&self, version: Option<VersionNumber>) -> Result<Registered> {
        let (ModelSource::Registered { name, .. }, Some(version)) = (&self.model.source, version)
        else {
            return Ok(Registered::NotAsked);
        };
        // A later step is given the identity, and a receipt tells it.
        let hands_on = ["GITHUB_OUTPUT", "DEPLOY_RECEIPTS"]
            .iter()
            .any(|name| variable(name).is_some());
        let is_handed_on = self.handed_on()?.is_some();
        if !hands_on && !is_handed_on && !self.is_from_afar() && self.gates().is_none() {
            return Ok(Registered::NotAsked);
        }
        self.ask(name, version).await
    }

    /// The version in the experiment manager, even if only what already serves is about it.
    pub(crate) async fn read_beside(
        &self,
        registered: Registered,
        served: Option<&ModelApiVersion>,
        wanted: &ModelApiSource,
    ) -> Result<Registered> {
        match (registered, wanted) {
            (Registered::NotAsked, ModelApiSource::Registered { name, version })
                if served.is_some_and(|served| served.source.as_ref() == Some(wanted)) =>
            {
                self.ask(name, *version).await
            }
            (registered, _) => Ok(registered),
        }
    }

    async fn ask(&self, name: &str, version: VersionNumber) -> Result<Registered> {
        let uri = variable("MLFLOW_TRACKING_URI");
        let tracking = match Tracking::of(&self.context.connection, uri.as_deref()) {
            Ok(tracking) => tracking,
            Err(error) => return Ok(Registered::Unknown(error.to_string())),
        };
        Ok(match tracking.reader().model_version(name, version).await {
            Ok(Some(found)) => Registered::Known(Box::new(found)),
            Ok(None) => Registered::Unknown("it knows no such version".into()),
            Err(error) => Registered::Unknown(format!("it could not be asked: {error}")),
        })
    }

    /// What was handed on besides the number; absent if no number was.
    fn handed_on(&self) -> Result<Option<VersionIdentity>, CommandError> {
        match self.args.version()? {
            Some(_) => VersionIdentity::handed_on(),
            None => Ok(None),
        }
    }

    /// Whether a number comes from another Domino than the stage's.
    fn is_from_afar(&self) -> bool {
        let stage = &self.context.stage;
        let before = self.context.file.stage_before(stage);
        before.is_some_and(|before| before.host != stage.host)
    }

    /// Refuses another version of the number that was handed on. What is returned must be said besides the plan.
    pub(crate) fn check_identity(
        &self,
        version: VersionNumber,
        registered: &Registered,
    ) -> Result<Option<String>> {
        if self.args.version()?.is_none() {
            return Ok(None);
        }
        let handed = self.handed_on()?;
        let from_afar = self.is_from_afar();
        let why = match (&handed, registered) {
            (Some(handed), Registered::Known(here)) => {
                handed.differs_from(&VersionIdentity::of(here))
            }
            (None, _) if from_afar => Some("nothing tells which run made it".to_owned()),
            (_, Registered::Unknown(why)) if from_afar => {
                Some(format!("the experiment manager here does not tell: {why}"))
            }
            _ => None,
        };
        let Some(why) = why else {
            return Ok(None);
        };
        let refusal = format!(
            "version {version} of model `{}` is not proven to be the version that was handed on: {why}",
            self.model.name
        );
        match self.args.force_version.as_deref().map(str::trim) {
            Some(reason) if !reason.is_empty() => Ok(Some(format!("{refusal}; forced: {reason}"))),
            _ => Err(CommandError::refused(refusal).hint(
                "a number means something only where it was given out: hand on the step output `version-identity` as \
                 `MODEL_VERSION_IDENTITY`, let the jobs of this stage register the model, or say why not with \
                 `--force-version REASON`",
            )),
        }
    }

    /// Refuses to believe that the serving version is the wanted one if only name and number agree. What is returned
    /// about the version published in its place must be said besides the plan.
    pub(crate) fn check_served(
        &self,
        served: Option<&ModelApiVersion>,
        wanted: &ModelApiSource,
        registered: &Registered,
    ) -> Result<Option<String>> {
        let served = served.filter(|served| served.source.as_ref() == Some(wanted));
        let (Some(served), Some(identity)) = (served, registered.identity()) else {
            return Ok(None);
        };
        let Err(refusal) = identity.check_served(served.created, &self.context.stage.name) else {
            return Ok(None);
        };
        match self.args.force_version.as_deref().map(str::trim) {
            Some(reason) if !reason.is_empty() => Ok(Some(format!("{refusal}; forced: {reason}"))),
            _ => Err(refusal),
        }
    }

    /// Refuses a version that no promotion admitted to the stage, or that left it. What is returned must be said
    /// besides the plan.
    pub(crate) fn check_let_in(
        &self,
        version: VersionNumber,
        registered: &Registered,
    ) -> Result<Option<String>> {
        let Some(gates) = self.gates() else {
            return Ok(None);
        };
        let (model, stage) = (&self.model.name, &self.context.stage.name);
        let mut way = format!("promote-stage apply {model} --to {stage} --version {version}");
        let why = match registered {
            Registered::Known(known) => {
                let (held, is_let_in) = (stage_of(known), was_let_in(known, stage));
                match (is_let_in, self.is_at_least_here(&held)) {
                    (true, true) => return Ok(None),
                    (true, false) => {
                        way = format!(
                            "promote-stage demote {model} --stage {stage} --version {version}"
                        );
                        format!("it was let in once, and is in `{held}` now")
                    }
                    (false, _) => format!("it is in `{held}`, and no record says so"),
                }
            }
            Registered::Unknown(why) => format!("the experiment manager does not tell: {why}"),
            Registered::NotAsked => "the experiment manager was not asked".to_owned(),
        };
        let refusal = format!(
            "version {version} of model `{model}` is not let into stage `{stage}` by its gates: {why}"
        );
        match self.args.without_gates {
            true => Ok(Some(format!("{refusal}; not asked: {gates}"))),
            false => Err(CommandError::new(Exit::NotApproved, refusal)
                .hint(format!(
                    "let it in: {way}; or publish it with `--without-gates`, which does not ask {gates}"
                ))
                .at(&self.context.file, &["stage", stage, "gates"])),
        }
    }

    /// Whether this stage of the experiment manager is that of the stage or of a later one.
    fn is_at_least_here(&self, held: &ModelStage) -> bool {
        let stages = self.context.file.stages.iter();
        stages
            .skip_while(|stage| stage.name != self.context.stage.name)
            .filter_map(|stage| stage.model_stage.as_deref())
            .any(|word| ModelStage::from(word) == *held)
    }

    /// The gates of the stage in words; absent if there are none, or none for a model.
    fn gates(&self) -> Option<String> {
        let stage = &self.context.stage;
        let is_registered = matches!(self.model.source, ModelSource::Registered { .. });
        if !is_registered || stage.model_stage.is_none() {
            return None;
        }
        let Gates {
            domino_approval,
            policy,
            reviewers: _,
            policy_stage: _,
            evidence: _,
            github_approval,
            soak,
        } = &stage.gates;
        let mut words = Vec::new();
        match (domino_approval, policy) {
            (DominoApproval::Governance, Some(policy)) => {
                words.push(format!("governance policy `{policy}`"));
            }
            (DominoApproval::Governance, None) => words.push("governance".to_owned()),
            (DominoApproval::Review, _) => words.push("the review in Domino".to_owned()),
            (DominoApproval::None, _) => {}
        }
        if *github_approval {
            words.push("the approval on GitHub".to_owned());
        }
        words.extend(soak.as_ref().map(|soak| format!("a soak of {soak}")));
        let (rules, _) = self.context.file.metric_rules(self.model, stage);
        words.extend(rules.iter().map(|rule| format!("`{rule}`")));
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// A version in the experiment manager.
#[derive(Debug)]
pub(crate) enum Registered {
    /// It was not read, because nothing needs it.
    NotAsked,
    /// It was read.
    Known(Box<ModelVersion>),
    /// It could not be read, for this reason.
    Unknown(String),
}

impl Registered {
    /// What distinguishes it from every other version, for the next step.
    pub(crate) fn identity(&self) -> Option<VersionIdentity> {
        match self {
            Self::Known(version) => Some(VersionIdentity::of(version)),
            Self::NotAsked | Self::Unknown(_) => None,
        }
    }
}
