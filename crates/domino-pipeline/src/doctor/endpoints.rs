//! Which routes serve endpoints, and whether this account may deploy to those of the file: an endpoint has
//! collaborators of its own, whoever may see the project.

use domino_core::api::label_route::LabelRoute;
use domino_core::api::model_apis::{EndpointRole, Generation, ListedModelApis};
use domino_core::api::projects::Project;
use domino_core::api::users::User;
use domino_core::client::Reader;
use domino_core::own_endpoint::{EndpointSearch, registered_name};
use futures_util::future::join_all;
use stage_file::{Model, Routing};

use super::finding::Finding;
use super::visit::Visit;

pub(super) async fn look(
    visit: &Visit<'_>,
    reader: &Reader,
    user: &User,
    project: &Project,
) -> Vec<Finding> {
    let listed = match reader.find_model_apis(project).await {
        Ok(listed) => listed,
        Err(error) => return vec![Finding::of_error("model endpoints", &error.into())],
    };
    let route = Finding::well(match listed.apis.generation() {
        Generation::ModelServing => "model endpoints by `/api/modelServing/v1`",
        Generation::Models => "model endpoints by `/v1/models`, of older deployments",
    });
    let looks = visit.file.models.iter().map(async |model| {
        let mut listed = listed.clone();
        let named = match search(visit, model, &listed).named() {
            Ok(named) => named,
            Err(error) => return Some(Finding::of_error("model endpoints", &error)),
        };
        if let Some(own) = named {
            let role = reader.endpoint_role(&own.api.id, &user.id).await;
            return match role {
                Ok(role) => role.map(|role| of_role(&own.api.name, user, role)),
                Err(error) => Some(Finding::of_error(
                    &format!("endpoint `{}`", own.api.name),
                    &error.into(),
                )),
            };
        }
        // An endpoint that this account may not see is listed by its registered model.
        listed.ask_made(registered_name(model)).await.ok()?;
        let words = search(visit, model, &listed).hidden_words(project)?;
        Some(hidden(model, user, words))
    });
    let (endpoints, label) = tokio::join!(join_all(looks), label(visit, reader));
    let endpoints = endpoints.into_iter().flatten();
    std::iter::once(route)
        .chain(endpoints)
        .chain(label)
        .collect()
}

/// Whether this Domino says that it has the route that moves the label of endpoints, where the file moves one.
async fn label(visit: &Visit<'_>, reader: &Reader) -> Option<Finding> {
    let mut models = visit.file.models.iter();
    let moves = |model: &Model| {
        let said = visit.file.endpoint_settings(model, visit.stage);
        said.routing == Some(Routing::Advanced)
    };
    let model = models.find(|model| moves(model))?;
    Some(match reader.label_route().await {
        Ok(found) => of_label(&model.name, found),
        Err(error) => Finding::of_error("the route that moves `labels/prod`", &error.into()),
    })
}

fn of_label(model: &str, found: LabelRoute) -> Finding {
    let what = format!("`routing = \"advanced\"` of model `{model}`");
    let to_do = "publish a first version to an endpoint that nobody calls: if the route is refused, the step ends with \
                 exit 6 and says what a person does";
    match found {
        LabelRoute::Listed => Finding::well(format!(
            "{what}: this Domino lists the route that moves the label"
        )),
        LabelRoute::Other(route) => Finding::wrong(
            format!("{what}: this Domino moves the label by `{route}`, which is not what is sent"),
            "a person promotes each version in Domino; please report the route",
        ),
        LabelRoute::NotListed => Finding::NotAsked(
            format!("{what}: this Domino lists no route that moves the label; ours is inferred"),
            to_do.into(),
        ),
        LabelRoute::NoSpec => Finding::NotAsked(
            format!("{what}: this Domino serves no description with the route; ours is inferred"),
            to_do.into(),
        ),
    }
}

fn search<'a>(
    visit: &'a Visit<'_>,
    model: &'a Model,
    apis: &'a ListedModelApis,
) -> EndpointSearch<'a> {
    EndpointSearch {
        file: visit.file,
        stage: visit.stage,
        model,
        apis,
    }
}

fn of_role(endpoint: &str, user: &User, role: EndpointRole) -> Finding {
    let name = &user.user_name;
    let to_do = format!("ask an owner to make `{name}` a collaborator of it with the role Editor");
    match role {
        EndpointRole::Deploys(word) => {
            Finding::well(format!("endpoint `{endpoint}`: `{name}` is its {word}"))
        }
        EndpointRole::Sees(word) => Finding::wrong(
            format!("endpoint `{endpoint}`: `{name}` is its {word}, and may not deploy to it"),
            to_do,
        ),
        EndpointRole::NotNamed => Finding::NotAsked(
            format!("endpoint `{endpoint}`: `{name}` is not named among its collaborators"),
            format!("unless an organization of it is, {to_do}"),
        ),
    }
}

fn hidden(model: &Model, user: &User, words: String) -> Finding {
    Finding::wrong(
        format!("model `{}`: {words}", model.name),
        format!(
            "ask an owner to make `{}` a collaborator of it with the role Editor",
            user.user_name
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_route_that_is_listed_as_it_is_sent_is_well() {
        let is_well = |found| matches!(of_label("score", found), Finding::Well(..));
        assert!(is_well(LabelRoute::Listed));
        assert!(!is_well(LabelRoute::NotListed) && !is_well(LabelRoute::NoSpec));
        let other = of_label("score", LabelRoute::Other("POST /label".into()));
        assert!(matches!(other, Finding::Wrong(what, ..) if what.contains("`POST /label`")));
    }
}
