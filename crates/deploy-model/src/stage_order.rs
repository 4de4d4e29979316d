//! The order of the stages: a stage takes what the stage before serves, or what somebody vouches for.

use domino_core::api::model_apis::ListedModelApis;
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;
use stage_file::Model;

use crate::stage_before::{self, Serves};

/// What is to be published in a stage.
#[derive(Debug)]
pub(crate) struct StageOrder<'a> {
    pub(crate) context: &'a StepContext,
    pub(crate) model: &'a Model,
    /// The version; absent for a function.
    pub(crate) version: Option<VersionNumber>,
    pub(crate) commit: &'a Commit,
    /// Why it may be published anyway, if somebody said so.
    pub(crate) forced: Option<&'a str>,
}

impl StageOrder<'_> {
    /// Reads the stage before. What is returned must be said besides the plan: that it could not be checked, or that
    /// somebody vouches for it.
    pub(crate) async fn check(
        &self,
        project: &Project,
        known: &ListedModelApis,
    ) -> Result<Option<String>> {
        let Some(before) = self.context.file.stage_before(&self.context.stage) else {
            return Ok(None);
        };
        let serves = stage_before::ask(self.context, self.model, before, project, known).await?;
        let publication = Publication {
            model: &self.model.name,
            before: &before.name,
            version: self.version,
            commit: self.commit,
        };
        publication.evaluate(&serves, self.forced)
    }
}

/// What is to be published, and the stage that should serve it.
struct Publication<'a> {
    model: &'a str,
    before: &'a str,
    version: Option<VersionNumber>,
    commit: &'a Commit,
}

impl Publication<'_> {
    fn evaluate(
        &self,
        serves: &Serves,
        forced: Option<&str>,
    ) -> Result<Option<String>, CommandError> {
        let Self { model, before, .. } = self;
        let what = match self.version {
            Some(version) => format!("version {version} of model `{model}`"),
            None => format!("model `{model}` for commit {}", self.commit.short()),
        };
        if let Serves::NotAsked(why) = serves {
            return Ok(Some(format!(
                "whether stage `{before}` serves {what} could not be checked: {why}"
            )));
        }
        let Some(why) = stage_before::refusal(serves, self.version, self.commit) else {
            return Ok(None);
        };
        let refusal = format!("stage `{before}` does not serve {what}: {why}");
        match forced.map(str::trim) {
            Some("") => Err(CommandError::usage("`--force-version` needs a reason").hint(
                "say in a few words why a version may come that the stage before does not serve",
            )),
            Some(reason) => Ok(Some(format!("{refusal}; forced: {reason}"))),
            None => {
                let version = match self.version {
                    Some(version) => format!(" --version {version}"),
                    None => String::new(),
                };
                Err(CommandError::refused(refusal).hint(format!(
                    "publish it there first: deploy-model publish {model} --stage {before}{version}; or say why not \
                     with `--force-version REASON`"
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domino_core::error::Exit;

    use super::*;

    fn evaluated(serves: Serves, forced: Option<&str>) -> Result<Option<String>, CommandError> {
        let publication = Publication {
            model: "wine",
            before: "dev",
            version: Some(VersionNumber::new(7)),
            commit: &Commit::whole(&"ab".repeat(20)).unwrap(),
        };
        publication.evaluate(&serves, forced)
    }

    #[test]
    fn what_the_stage_before_serves_passes_without_a_word() {
        let seven = Serves::Version(VersionNumber::new(7));
        assert_eq!(evaluated(seven, None).unwrap(), None);
    }

    #[test]
    fn what_it_does_not_serve_is_refused() {
        let failure = evaluated(Serves::Version(VersionNumber::new(6)), None).unwrap_err();
        assert_eq!(failure.exit(), Exit::Refused);
        assert_eq!(
            failure.to_string(),
            "stage `dev` does not serve version 7 of model `wine`: it serves version 6"
        );
        let hint = failure.to_do().unwrap();
        assert!(hint.contains("deploy-model publish wine --stage dev --version 7;"));
    }

    #[test]
    fn with_a_reason_it_passes_and_the_reason_is_said() {
        let nothing = || Serves::Nothing("it has no endpoint `wine-dev`".into());
        assert_eq!(
            evaluated(nothing(), Some("dev is being rebuilt"))
                .unwrap()
                .unwrap(),
            "stage `dev` does not serve version 7 of model `wine`: it has no endpoint `wine-dev`; \
             forced: dev is being rebuilt"
        );
        assert_eq!(
            evaluated(nothing(), Some(" ")).unwrap_err().exit(),
            Exit::Usage
        );
    }

    #[test]
    fn what_cannot_be_checked_passes_and_that_is_said() {
        let words = evaluated(Serves::NotAsked("it is far away".into()), None);
        assert_eq!(
            words.unwrap().unwrap(),
            "whether stage `dev` serves version 7 of model `wine` could not be checked: it is far away"
        );
    }
}
