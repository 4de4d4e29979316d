//! The model review of a request, and the tag that says that it was requested.

use domino_core::api::reviews::{NewReview, Reviewer};
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::step::StepContext;

use crate::candidate::Candidate;
use crate::gates::review;
use crate::record::timestamp;
use crate::registry_writer::RegistryWriter;
use crate::target::PromotionTarget;

/// The review to request. Reviewers are users of Domino, and each of them must exist.
pub(crate) async fn new_review(
    context: &StepContext,
    candidate: &Candidate<'_>,
) -> Result<NewReview> {
    let reader = context.connection.reader();
    let stage = &context.stage;
    let mut reviewers = Vec::new();
    for name in &stage.gates.reviewers {
        let Some(user) = reader.user(name).await? else {
            let key = ["stage", stage.name.as_str(), "gates", "reviewers"];
            return Err(
                CommandError::refused(format!("Domino has no user `{name}`"))
                    .hint("change `reviewers`")
                    .at(&context.file, &key),
            );
        };
        reviewers.push(Reviewer { user_id: user.id });
    }
    Ok(NewReview {
        target_stage: candidate.target.model_stage.word().to_owned(),
        reviewers,
    })
}

/// Requests the review. If it is unknown whether Domino accepted it, nothing is sent again.
pub(crate) async fn ask_for_review(
    context: &StepContext,
    candidate: &Candidate<'_>,
    new: &NewReview,
) -> Result<String> {
    let target = &candidate.target;
    let writer = context.connection.writer();
    match writer
        .request_review(target.name, candidate.number(), new)
        .await
    {
        Ok(()) => {}
        Err(error) if error.is_unknown_route() => {
            let version = writer.reader().version().await?.version;
            let failure = review::no_reviews(context, &version);
            return Err(CommandError::from(error).context(failure));
        }
        Err(error) if error.outcome_unknown() => {
            return Err(CommandError::from(error).context(
                "whether the review was asked for is not known: look in Domino before running this again",
            ));
        }
        Err(error) => return Err(error.into()),
    }
    let tracking = PromotionTarget::tracking(context)?.writer();
    let registry = RegistryWriter::of(&tracking, &candidate.registry, context);
    let key = review::requested_key(&target.stage.name);
    registry
        .set_tag(candidate.number(), &key, &timestamp(candidate.now))
        .await
        .context("the review was asked for, but that could not be noted at the version")?;
    Ok(format!(
        "a review of version {} of `{}` for `{}` was asked for",
        candidate.number(),
        target.name,
        target.model_stage
    ))
}
