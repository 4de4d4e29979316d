//! Users and organisations: who they are, and the routes that list them. Their credentials are in
//! `account`; `projects` decides what they may do in a project.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::id;
use crate::reply::{Answer, Failure, wrapped};
use crate::request::{Of, Parameters};
use crate::seed::{Seed, UserKind};

/// A person or a service account.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    kind: UserKind,
}

/// An owner of projects that is not a person.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Every user and organisation.
pub(crate) struct Users {
    users: Vec<Arc<User>>,
    organizations: Vec<Organization>,
}

/// The signed-in user of a request.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) Arc<User>);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.ok_or_else(|| Failure::new(StatusCode::UNAUTHORIZED, "Not signed in"))
    }
}

pub(crate) fn routes(users: Arc<Users>) -> Router {
    Router::new()
        .route("/v4/users/self", get(v4_self))
        .route("/v4/users", get(v4_list))
        .route("/api/users/v1/self", get(public_self))
        .route("/api/users/v1/users", get(public_list))
        .with_state(users)
}

impl User {
    pub(crate) fn is_admin(&self) -> bool {
        self.kind == UserKind::Admin
    }

    fn roles(&self) -> Value {
        match self.kind {
            UserKind::Admin => json!(["SysAdmin", "Practitioner"]),
            UserKind::Practitioner | UserKind::ServiceAccount => json!(["Practitioner"]),
        }
    }

    /// What both APIs say of a person.
    pub(crate) fn person(&self) -> Value {
        let mut words = self.name.split(['-', '_', '.', ' ']).map(capitalised);
        let first = words.next().unwrap_or_default();
        let last = match words.collect::<Vec<_>>() {
            rest if rest.is_empty() => "Sandbox".to_owned(),
            rest => rest.join(" "),
        };
        json!({
            "id": self.id,
            "userName": self.name,
            "firstName": first,
            "lastName": last,
            "fullName": format!("{first} {last}"),
            "avatarUrl": "",
            "email": format!("{}@example.com", self.name),
        })
    }

    fn person_with(&self, key: &str, value: Value) -> Value {
        let mut person = self.person();
        person[key] = value;
        person
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

impl Users {
    pub(crate) fn new(seed: &Seed) -> Self {
        Users {
            users: seed
                .users
                .iter()
                .map(|user| {
                    Arc::new(User {
                        id: id::object_id(),
                        name: user.name.clone(),
                        kind: user.kind,
                    })
                })
                .collect(),
            organizations: seed
                .organizations
                .iter()
                .map(|name| Organization {
                    id: id::object_id(),
                    name: name.clone(),
                })
                .collect(),
        }
    }

    pub(crate) fn all(&self) -> &[Arc<User>] {
        &self.users
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.name == name)
    }

    pub(crate) fn with_id(&self, id: &str) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.id == id)
    }

    /// The id of the user or organisation that may own projects under this name.
    pub(crate) fn owner_id(&self, name: &str) -> Option<&str> {
        let user = self.named(name).map(|user| user.id.as_str());
        let organization = || self.organizations.iter().find(|known| known.name == name);
        user.or_else(|| Some(organization()?.id.as_str()))
    }

    /// The name of the user or organisation with this id.
    pub(crate) fn owner_name(&self, id: &str) -> Option<&str> {
        let user = self.with_id(id).map(|user| user.name.as_str());
        let organization = || self.organizations.iter().find(|known| known.id == id);
        user.or_else(|| Some(organization()?.name.as_str()))
    }

    pub(crate) fn state(&self) -> Value {
        let users: Vec<Value> = self.users.iter().map(|user| user.person()).collect();
        users.into()
    }

    fn organizations(&self) -> Value {
        let organizations = self.organizations.iter();
        organizations
            .map(|organization| json!({ "id": organization.id, "name": organization.name }))
            .collect()
    }
}

async fn v4_self(State(users): Of<Users>, Caller(user): Caller) -> Json<Value> {
    let mut person = user.person_with("roles", user.roles());
    person["organizations"] = users.organizations();
    Json(person)
}

/// The list of persons; service accounts are in it, organisations are not.
async fn v4_list(State(users): Of<Users>, parameters: Parameters, _: Caller) -> Json<Value> {
    let ids: Vec<&str> = parameters.all("userId").collect();
    let wanted = |user: &User| {
        parameters
            .text("userName")
            .is_none_or(|name| user.name == name)
            && parameters
                .text("query")
                .is_none_or(|start| user.name.starts_with(start))
            && (ids.is_empty() || ids.contains(&user.id.as_str()))
    };
    let users = users.all().iter().filter(|user| wanted(user));
    Json(users.map(|user| user.person()).collect())
}

async fn public_self(Caller(user): Caller) -> Json<Value> {
    wrapped("user", user.person_with("roles", user.roles()))
}

async fn public_list(State(users): Of<Users>, parameters: Parameters, _: Caller) -> Answer {
    parameters.page("users", 10, users.all().to_vec(), |user| user.person())
}
