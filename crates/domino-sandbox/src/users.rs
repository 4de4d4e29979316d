//! Users and organisations: who they are, and the routes that list them. Their credentials are in
//! `account`, how service accounts come to be in `service_accounts`; `projects` decides what they may do in a project.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::id;
use crate::locked::Locked;
use crate::reply::{Answer, Failure, wrapped};
use crate::request::{Fields, Id, Of, Parameters};
use crate::seed::{Seed, UserKind};

/// The role of a system administrator.
const ADMIN: &str = "SysAdmin";

/// A person or a service account.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    is_service_account: bool,
    roles: Locked<Vec<String>>,
}

/// An owner of projects that is not a person.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Every user and organisation.
pub(crate) struct Users {
    users: Locked<Vec<Arc<User>>>,
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
        .route("/v4/users/roles/{user_id}", get(roles).post(set_roles))
        .route("/api/users/v1/self", get(public_self))
        .route("/api/users/v1/users", get(public_list))
        .with_state(users)
}

impl User {
    fn new(name: &str, kind: UserKind) -> Arc<Self> {
        let roles: &[&str] = match kind {
            UserKind::Admin => &[ADMIN, "Practitioner"],
            UserKind::Practitioner | UserKind::ServiceAccount => &["Practitioner"],
        };
        Arc::new(User {
            id: id::object_id(),
            name: name.to_owned(),
            is_service_account: kind == UserKind::ServiceAccount,
            roles: Locked::new(roles.iter().map(|&role| role.to_owned()).collect()),
        })
    }

    pub(crate) fn is_service_account(&self) -> bool {
        self.is_service_account
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.roles.lock().iter().any(|role| role == ADMIN)
    }

    fn roles(&self) -> Vec<String> {
        self.roles.lock().clone()
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
            users: Locked::new(
                seed.users
                    .iter()
                    .map(|user| User::new(&user.name, user.kind))
                    .collect(),
            ),
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

    /// Adds a service account with the roles of who makes it, as Domino does, unless there is somebody of that name.
    pub(crate) fn add_service_account(&self, name: &str, by: &User) -> Option<Arc<User>> {
        let mut users = self.users.lock();
        if users.iter().any(|user| user.name == name) {
            return None;
        }
        let user = User::new(name, UserKind::ServiceAccount);
        *user.roles.lock() = by.roles();
        users.push(user.clone());
        Some(user)
    }

    pub(crate) fn all(&self) -> Vec<Arc<User>> {
        self.users.lock().clone()
    }

    pub(crate) fn named(&self, name: &str) -> Option<Arc<User>> {
        self.found(|user| user.name == name)
    }

    pub(crate) fn with_id(&self, id: &str) -> Option<Arc<User>> {
        self.found(|user| user.id == id)
    }

    fn found(&self, wanted: impl Fn(&User) -> bool) -> Option<Arc<User>> {
        self.all().into_iter().find(|user| wanted(user))
    }

    /// The id of the user or organisation that may own projects under this name.
    pub(crate) fn owner_id(&self, name: &str) -> Option<String> {
        let user = self.named(name).map(|user| user.id.clone());
        let organization = || self.organizations.iter().find(|known| known.name == name);
        user.or_else(|| Some(organization()?.id.clone()))
    }

    /// The name of the user or organisation with this id.
    pub(crate) fn owner_name(&self, id: &str) -> Option<String> {
        let user = self.with_id(id).map(|user| user.name.clone());
        let organization = || self.organizations.iter().find(|known| known.id == id);
        user.or_else(|| Some(organization()?.name.clone()))
    }

    pub(crate) fn state(&self) -> Value {
        let users: Vec<Value> = self.all().iter().map(|user| user.person()).collect();
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
    let mut person = user.person_with("roles", user.roles().into());
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
    let users = users.all().into_iter().filter(|user| wanted(user));
    Json(users.map(|user| user.person()).collect())
}

/// Somebody's account, for an administrator.
fn administered(users: &Users, caller: &User, id: &str) -> Result<Arc<User>, Failure> {
    if !caller.is_admin() {
        return Err(Failure::forbidden(
            "The current user is not authorized to manage users",
        ));
    }
    let user = users.with_id(id);
    user.ok_or_else(|| Failure::not_found(format!("There is no user {id}")))
}

async fn roles(State(users): Of<Users>, Caller(caller): Caller, Path(id): Id) -> Answer {
    let user = administered(&users, &caller, &id)?;
    Ok(Json(json!({ "roles": user.roles() })))
}

async fn set_roles(
    State(users): Of<Users>,
    Caller(caller): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Result<StatusCode, Failure> {
    let roles = fields.texts("roles");
    fields.finish()?;
    let user = administered(&users, &caller, &id)?;
    *user.roles.lock() = roles;
    Ok(StatusCode::OK)
}

async fn public_self(Caller(user): Caller) -> Json<Value> {
    wrapped("user", user.person_with("roles", user.roles().into()))
}

async fn public_list(State(users): Of<Users>, parameters: Parameters, _: Caller) -> Answer {
    parameters.page("users", 10, users.all(), |user| user.person())
}
