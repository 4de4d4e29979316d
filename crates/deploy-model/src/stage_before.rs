//! What the stage before serves: the same version moves on, and nothing else.

use domino_core::api::model_apis::ListedModelApis;
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;
use domino_core::deployment_marker::{EntityMarker, FoundMarker};
use domino_core::error::Result;
use domino_core::own_endpoint::registered_name;
use domino_core::serving::{Answering, Serving};
use domino_core::step::StepContext;
use stage_file::{Model, ModelSource, Stage};

use crate::endpoint::generation;

use crate::check::git_commit;

/// What the stage before serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Serves {
    /// A version of the registered model.
    Version(VersionNumber),
    /// A function, built for a commit whose first digits are known.
    Commit(String),
    /// Nothing; the text is the reason.
    Nothing(String),
    /// It could not be read; the text is the reason.
    NotAsked(String),
}

/// Reads what the stage before serves. Its Domino is asked only if it is the same one: the credential at hand is that
/// of this stage, and belongs to no other deployment. `known` is what was already read of this stage's `project`.
pub(crate) async fn ask(
    context: &StepContext,
    model: &Model,
    before: &Stage,
    project: &Project,
    known: &ListedModelApis,
) -> Result<Serves> {
    let (file, stage) = (&context.file, &context.stage);
    if before.host != stage.host {
        return Ok(Serves::NotAsked(format!(
            "stage `{}` is on another Domino, `{}`, for which there is no credential here",
            before.name, before.host
        )));
    }
    let reader = context.connection.reader();
    let (other, read);
    let (project, apis) = if before.project == stage.project {
        (project, known)
    } else {
        other = Project::of_stage(&reader, file, before).await?;
        let registered = registered_name(model);
        read = reader
            .find_model_apis_of(&other, registered, generation(model))
            .await?;
        (&other, &read)
    };
    if let ModelSource::Registered { .. } = &model.source {
        let serving = Serving::among(file, before, model, project, apis).await?;
        return Ok(match serving {
            Serving::Version { version, .. } => Serves::Version(version),
            Serving::Nothing(why) => Serves::Nothing(why),
        });
    }
    Ok(
        match Answering::among(file, before, model, project, apis).await? {
            Answering::Nothing(why) => Serves::Nothing(why),
            Answering::Version(api, version) => {
                let of = EntityMarker::new(&before.name, &model.name);
                match FoundMarker::of(&version, &api.description, &of) {
                    // What it was built from is what it serves, whatever was intended.
                    Some(marker) => Serves::Commit(
                        git_commit(&reader, &api.id, &version.id)
                            .await
                            .unwrap_or(marker.commit),
                    ),
                    None => Serves::Nothing(format!(
                        "it is not known what its endpoint `{}` was made from",
                        api.name
                    )),
                }
            }
        },
    )
}

/// Why what is wanted may not be published here; `None` if the stage before serves the same.
pub(crate) fn refusal(
    serves: &Serves,
    version: Option<VersionNumber>,
    commit: &Commit,
) -> Option<String> {
    match (serves, version) {
        (Serves::Version(existing), Some(wanted)) if *existing == wanted => None,
        (Serves::Commit(existing), None) if commit.as_str().starts_with(existing.as_str()) => None,
        (Serves::Version(existing), Some(_)) => Some(format!("it serves version {existing}")),
        (Serves::Version(existing), None) => Some(format!(
            "it serves version {existing} of a registered model"
        )),
        (Serves::Commit(existing), _) => {
            Some(format!("it serves a function built for commit {existing}"))
        }
        (Serves::Nothing(why) | Serves::NotAsked(why), _) => Some(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_may_come() {
        let commit = Commit::whole(&"ab".repeat(20)).unwrap();
        let seven = Some(VersionNumber::new(7));
        let refusal = |serves: Serves, version| refusal(&serves, version, &commit);
        assert_eq!(refusal(Serves::Version(VersionNumber::new(7)), seven), None);
        assert_eq!(refusal(Serves::Commit("abababababab".into()), None), None);
        assert_eq!(
            refusal(Serves::Version(VersionNumber::new(6)), seven).unwrap(),
            "it serves version 6"
        );
        assert_eq!(
            refusal(Serves::Commit("cdcdcdcdcdcd".into()), None).unwrap(),
            "it serves a function built for commit cdcdcdcdcdcd"
        );
        assert!(refusal(Serves::Nothing("it is down".into()), seven).is_some());
    }
}
