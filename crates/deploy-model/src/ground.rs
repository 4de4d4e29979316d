//! Where a model goes and what is there, before the versions of its endpoint are read. It only reads.

use domino_core::api::model_apis::ListedModelApis;
use domino_core::api::projects::Project;
use domino_core::commit::Commit;
use domino_core::error::{CommandError, Result};
use domino_core::own_endpoint::{EndpointSearch, registered_name};
use domino_core::place::ResolvedPlacement;
use stage_file::Kind;

use crate::endpoint::{Endpoint, generation};
use crate::proven::{Claim, Registered};
use crate::source::{self, Source};
use crate::stage_before;
use crate::version::Choice;

/// Where the model goes and what is there, before its endpoint's versions are read.
pub(crate) struct Ground {
    pub(crate) project: Project,
    pub(crate) place: ResolvedPlacement,
    pub(crate) apis: ListedModelApis,
    pub(crate) endpoint: Endpoint,
    /// What is served; absent if the stage before has to be asked.
    pub(crate) source: Option<Source>,
    /// What is to be said of a revision that is not the one meant.
    pub(crate) other_revision: Option<String>,
}

impl Ground {
    /// The project; then tiers, environments, endpoints and the version side by side.
    pub(crate) async fn read(
        claim: &Claim<'_>,
        choice: Option<&Choice<'_>>,
        commit: &Commit,
    ) -> Result<Self> {
        let Claim {
            context,
            model,
            args,
        } = claim;
        let (file, stage) = (&context.file, &context.stage);
        let reader = context.connection.reader();
        let project = Project::of_stage(&reader, file, stage).await?;
        let target = file.target(Kind::Model, &model.name, stage);
        let (mut place, apis, source) = tokio::try_join!(
            ResolvedPlacement::find(&reader, file, stage, Kind::Model, &project, &target),
            async {
                let registered = registered_name(model);
                Ok(reader
                    .find_model_apis_of(&project, registered, generation(model))
                    .await?)
            },
            source::without_the_stage_before(context, &project, model, choice, commit),
        )?;
        let of = (Kind::Model, model.name.as_str());
        let other_revision = args.revision.settle(&mut place, file, stage, of)?;
        let search = EndpointSearch {
            file,
            stage,
            model,
            apis: &apis,
        };
        let endpoint = match args.beside {
            true => Endpoint::named(&search, project.clone())?,
            false => Endpoint::of(&search, project.clone()).await?,
        };
        if endpoint.api.is_none() {
            search.check_hidden(&reader, &project, args.beside).await?;
        }
        Ok(Self {
            project,
            place,
            apis,
            endpoint,
            source,
            other_revision,
        })
    }

    /// What is served, and what the experiment manager tells of it.
    pub(crate) async fn source(
        &self,
        claim: &Claim<'_>,
        choice: Option<&Choice<'_>>,
    ) -> Result<(Source, Registered)> {
        let Claim { context, model, .. } = claim;
        let source = match (&self.source, choice) {
            (None, Some(Choice::StageBefore(before))) => {
                let (project, apis) = (&self.project, &self.apis);
                let serves = stage_before::ask(context, model, before, project, apis).await?;
                source::of_the_stage_before(model, &before.name, serves)?
            }
            (source, _) => source.clone().ok_or_else(|| {
                CommandError::message(format!("model `{}` has no source", model.name))
            })?,
        };
        let registered = claim.read(source.version()).await?;
        Ok((source, registered))
    }
}
