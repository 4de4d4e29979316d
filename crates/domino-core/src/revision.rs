//! The revision of a compute environment that a stage ran, handed on to the next one: it is pinned there, or a stage
//! that would run another one is warned.
//!
//! Revisions are compared by their ids, and only where both stages name the same environment of the same Domino.

use clap::Args;
use stage_file::{Kind, Revision, Stage, StageFile};

use crate::api::environments::RevisionSpec;
use crate::error::{CommandError, Result};
use crate::place::ResolvedPlacement;
use crate::step::Report;

/// The step output that hands it on.
const OUTPUT: &str = "environment-revision";

/// What the step in the stage before handed on.
#[derive(Debug, Clone, Args)]
pub struct RevisionBefore {
    /// The revision of the compute environment that the stage before ran: its step output `environment-revision`
    #[arg(long, value_name = "ID", env = "REVISION_BEFORE", value_parser = given)]
    revision_before: Option<Given>,
}

/// A revision that may be empty: GitHub passes an output that does not exist as an empty text.
#[derive(Debug, Clone)]
struct Given(Option<String>);

fn given(text: &str) -> Result<Given, String> {
    match text.trim() {
        "" => Ok(Given(None)),
        id if id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(Given(Some(id.to_owned())))
        }
        _ => Err("it must be an id of 24 hexadecimal digits".into()),
    }
}

/// Hands a revision on to the next stage.
pub fn hand_on(report: &mut Report, revision: Option<&str>) {
    if let Some(revision) = revision {
        report.output(OUTPUT, revision);
    }
}

/// The revision that a placement means by id, if it is known without asking.
pub fn meant(place: &ResolvedPlacement) -> Option<&str> {
    match place.environment.as_ref()? {
        (_, RevisionSpec::One { revision_id }) => Some(revision_id),
        (environment, RevisionSpec::Active) => environment.active_revision_id.as_deref(),
        _ => None,
    }
}

impl RevisionBefore {
    /// Pins the revision that the stage before ran, where the stage file says `as-before`; else tells in words when
    /// another one will run.
    pub fn settle(
        &self,
        place: &mut ResolvedPlacement,
        file: &StageFile,
        stage: &Stage,
        (kind, entity): (Kind, &str),
    ) -> Result<Option<String>> {
        let target = file.target(kind, entity, stage);
        let (Some((environment, spec)), Some(wanted)) =
            (&mut place.environment, &target.environment)
        else {
            return Ok(None);
        };
        let Some(stage_before) = file.deployed_before(kind, entity, stage) else {
            return Ok(None);
        };
        let before = file.target(kind, entity, stage_before).environment;
        let is_same = stage_before.host == stage.host
            && before.is_some_and(|before| before.id_or_name == wanted.id_or_name);
        let handed_on = self.revision_before.as_ref();
        let handed_on = handed_on
            .and_then(|given| given.0.clone())
            .filter(|_| is_same);
        match (wanted.revision == Revision::AsBefore, handed_on) {
            (true, Some(revision_id)) => *spec = RevisionSpec::One { revision_id },
            (true, None) => {
                let why = match is_same {
                    true => "nothing says which revision that was",
                    false => "it runs another compute environment, or is on another Domino",
                };
                return Err(CommandError::usage(format!(
                    "stage `{}` is to run the revision of compute environment `{}` that stage `{}` ran, and {why}",
                    stage.name, environment.name, stage_before.name
                ))
                .hint(format!(
                    "the workflow hands it on as `REVISION_BEFORE`; by hand give `--revision-before`, or change {}",
                    file.place_of(&target.environment_key)
                ))
                .at(file, &target.environment_key));
            }
            (false, Some(ran)) => {
                let (name, before) = (environment.name.clone(), &stage_before.name);
                let will = meant(place).filter(|will| *will != ran);
                return Ok(will.map(|will| {
                    format!(
                        "stage `{before}` ran revision {ran} of compute environment `{name}`, and stage `{}` runs \
                         revision {will}, which no stage before has tried; `revision = \"as-before\"` keeps to the one \
                         of `{before}`",
                        stage.name
                    )
                }));
            }
            (false, None) => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::error::Exit;
    use serde_json::json;

    const ONE: &str = "aaaaaaaaaaaaaaaaaaaaaaa1";
    const TWO: &str = "aaaaaaaaaaaaaaaaaaaaaaa2";

    /// What a job in prod does with this of the stage file, when this was handed on: its revision, and the warning.
    fn settled(prod: &str, handed_on: &str) -> Result<(RevisionSpec, Option<String>)> {
        settled_in("", prod, handed_on)
    }

    /// With these `stages` of the job.
    fn settled_in(
        stages: &str,
        prod: &str,
        handed_on: &str,
    ) -> Result<(RevisionSpec, Option<String>)> {
        let text = format!(
            "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\nhardware-tier = \"t\"\n\
             environment = \"E\"\n[stage.dev]\n[stage.prod]\n{prod}\n[job.train]\ncommand = \"train.py\"\n{stages}"
        );
        let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
        let prod = &file.stages[1];
        let wanted = file.target(Kind::Job, "train", prod);
        let environment =
            json!({"id": "e1", "name": "E", "activeRevisionId": TWO, "activeRevisionNumber": 2});
        let spec = RevisionSpec::from(&wanted.environment.as_ref().unwrap().revision);
        let mut place = ResolvedPlacement {
            tier: None,
            environment: Some((serde_json::from_value(environment).unwrap(), spec)),
            settings: Default::default(),
        };
        let before = RevisionBefore {
            revision_before: Some(given(handed_on).unwrap()),
        };
        let warning = before.settle(&mut place, &file, prod, (Kind::Job, "train"))?;
        Ok((place.environment.unwrap().1, warning))
    }

    #[test]
    fn another_revision_is_warned_of_and_the_same_is_not() {
        let (spec, warning) = settled("", ONE).unwrap();
        assert_eq!(spec, RevisionSpec::Active);
        let warning = warning.unwrap();
        for told in [
            ONE,
            TWO,
            "stage `dev` ran",
            "stage `prod` runs",
            "as-before",
        ] {
            assert!(warning.contains(told), "{warning}");
        }
        assert_eq!(settled("", TWO).unwrap().1, None);
        assert_eq!(settled("", "").unwrap().1, None);
        let other = "environment = \"F\"";
        assert_eq!(settled(other, ONE).unwrap().1, None, "another environment");
        let other = "host = \"other.example.com\"";
        assert_eq!(settled(other, ONE).unwrap().1, None, "another Domino");
    }

    #[test]
    fn as_before_pins_what_was_handed_on_and_wants_to_know_it() {
        let pinned = "environment = { name = \"E\", revision = \"as-before\" }";
        let (spec, warning) = settled(pinned, ONE).unwrap();
        let revision_id = ONE.to_owned();
        assert_eq!((spec, warning), (RevisionSpec::One { revision_id }, None));
        let unknown = settled(pinned, "").unwrap_err();
        assert_eq!(unknown.exit(), Exit::Usage);
        assert!(unknown.to_do().unwrap().contains("`REVISION_BEFORE`"));
        let elsewhere = settled(&format!("host = \"other.example.com\"\n{pinned}"), ONE);
        assert!(
            elsewhere
                .unwrap_err()
                .to_string()
                .contains("on another Domino")
        );
    }

    #[test]
    fn the_stage_before_is_the_last_one_that_the_job_is_deployed_to() {
        let only_here = "stages = [\"prod\"]";
        let first = settled_in(only_here, "", ONE).unwrap();
        assert_eq!(first, (RevisionSpec::Active, None));
    }

    #[test]
    fn what_is_handed_on_is_an_id_or_nothing() {
        assert_eq!(given("").unwrap().0, None);
        assert_eq!(given(ONE).unwrap().0.as_deref(), Some(ONE));
        assert!(given("latest").is_err());
    }
}
