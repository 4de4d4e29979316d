//! Service accounts, which administrators make: their names, their tokens and their git credentials. What an account may
//! do in a project is the project's business.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::account::NamedToken;
use crate::catalog::Catalog;
use crate::git_credentials::GitCredentials;
use crate::host::Host;
use crate::id;
use crate::locked::Locked;
use crate::reply::{Answer, Failure, wrapped};
use crate::request::{Fields, Id, Ids, Of, Parameters};
use crate::users::{Caller, User};

/// Every service account.
pub(crate) struct ServiceAccounts {
    catalog: Arc<Catalog>,
    host: Arc<Host>,
    git_credentials: Arc<GitCredentials>,
    all: Locked<Vec<ServiceAccount>>,
}

/// One of them. What signs users in has an id of its own for it.
#[derive(Clone)]
struct ServiceAccount {
    user: Arc<User>,
    idp_id: String,
    email: String,
}

pub(crate) fn routes(accounts: Arc<ServiceAccounts>) -> Router {
    const ALL: &str = "/api/serviceAccounts/v1/serviceAccounts";
    let of = |rest: &str| format!("{ALL}/{{idp_id}}/{rest}");
    Router::new()
        .route(ALL, get(list).post(create))
        .route(&of("gitcredentials"), get(git_credentials))
        .route(&of("tokengitcredentials"), post(add_git_credential))
        .route(&of("tokens"), get(tokens).post(create_token))
        .route(&of("tokens/{name}"), get(token).delete(delete_token))
        .route(&of("tokens/{name}/invalidate"), post(invalidate_token))
        .with_state(accounts)
}

impl ServiceAccount {
    fn of(user: Arc<User>, email: String) -> Self {
        ServiceAccount {
            idp_id: id::uuid(),
            user,
            email,
        }
    }

    fn json(&self) -> Value {
        json!({
            "id": self.user.id,
            "username": self.user.name,
            "email": self.email,
            "idpId": self.idp_id,
        })
    }

    /// What is told of a token besides its value.
    fn token(&self, token: &NamedToken) -> Value {
        json!({
            "name": token.name,
            "serviceAccountIdpId": self.idp_id,
            "isValid": token.is_valid,
            "createdAt": token.created.rfc3339(),
        })
    }

    fn token_with_value(&self, token: &NamedToken) -> Value {
        let mut json = self.token(token);
        json["token"] = token.value.clone().into();
        json
    }
}

impl ServiceAccounts {
    /// Those that were seeded.
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        host: Arc<Host>,
        git_credentials: Arc<GitCredentials>,
    ) -> Self {
        let seeded = catalog.users.all().into_iter();
        let seeded = seeded.filter(|user| user.is_service_account());
        let seeded = seeded.map(|user| {
            let email = format!("{}@example.com", user.name);
            ServiceAccount::of(user, email)
        });
        ServiceAccounts {
            all: Locked::new(seeded.collect()),
            catalog,
            host,
            git_credentials,
        }
    }

    /// The account, for an administrator.
    fn seen_by(&self, caller: &User, idp_id: &str) -> Result<ServiceAccount, Failure> {
        only_admins(caller)?;
        let all = self.all.lock();
        let known = all.iter().find(|account| account.idp_id == idp_id);
        known
            .cloned()
            .ok_or_else(|| Failure::not_found(format!("There is no service account {idp_id}")))
    }

    /// Does something with a token of an account.
    fn with_token<T>(
        &self,
        caller: &User,
        (idp_id, name): (&str, &str),
        act: impl FnOnce(&ServiceAccount, &mut NamedToken) -> T,
    ) -> Result<T, Failure> {
        let account = self.seen_by(caller, idp_id)?;
        let mut tokens = self.host.accounts.tokens();
        let mut tokens = tokens.iter_mut();
        let token = tokens.find(|one| one.user_name == account.user.name && one.name == name);
        let token = token.ok_or_else(|| Failure::not_found(format!("There is no token {name}")))?;
        Ok(act(&account, token))
    }

    /// The accounts, each with its tokens and without their values.
    pub(crate) fn state(&self) -> Value {
        let tokens = self.host.accounts.tokens().clone();
        let all = self.all.lock();
        let accounts = all.iter().map(|account| {
            let own = tokens
                .iter()
                .filter(|token| token.user_name == account.user.name);
            let own: Vec<Value> = own.map(|token| account.token(token)).collect();
            let mut json = account.json();
            json["tokens"] = own.into();
            json
        });
        accounts.collect()
    }
}

fn only_admins(caller: &User) -> Result<(), Failure> {
    match caller.is_admin() {
        true => Ok(()),
        false => Err(Failure::forbidden(
            "The current user is not authorized to manage service accounts",
        )),
    }
}

async fn list(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    parameters: Parameters,
) -> Answer {
    only_admins(&caller)?;
    let all = accounts.all.lock().clone();
    parameters.page("serviceAccounts", 10, all, ServiceAccount::json)
}

async fn create(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    mut fields: Fields,
) -> Answer {
    let name = fields.text("username");
    let email = fields.text("email");
    fields.finish()?;
    only_admins(&caller)?;
    if name.trim().is_empty() || !email.contains('@') {
        return Err(Failure::bad_request("The user name or the email is wrong"));
    }
    let user = accounts.catalog.users.add_service_account(&name, &caller);
    let user =
        user.ok_or_else(|| Failure::bad_request(format!("There is a user {name} already")))?;
    accounts.host.accounts.add(&user.name);
    let account = ServiceAccount::of(user, email);
    let told = account.json();
    accounts.all.lock().push(account);
    Ok(wrapped("serviceAccount", told))
}

async fn git_credentials(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    Path(idp_id): Id,
    parameters: Parameters,
) -> Answer {
    let account = accounts.seen_by(&caller, &idp_id)?;
    accounts.git_credentials.page(&account.user.id, &parameters)
}

async fn add_git_credential(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    Path(idp_id): Id,
    fields: Fields,
) -> Answer {
    let account = accounts.seen_by(&caller, &idp_id)?;
    let told = accounts.git_credentials.add(&account.user.id, fields)?;
    Ok(wrapped("credential", told))
}

async fn tokens(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    Path(idp_id): Id,
    parameters: Parameters,
) -> Answer {
    let account = accounts.seen_by(&caller, &idp_id)?;
    let mut own = accounts.host.accounts.tokens().clone();
    own.retain(|token| token.user_name == account.user.name);
    parameters.page("tokens", 10, own, |token| account.token(token))
}

/// A new token, whose value stands beside its name: this one answer has no envelope.
async fn create_token(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    Path(idp_id): Id,
    mut fields: Fields,
) -> Answer {
    let name = fields.text("name");
    fields.finish()?;
    let account = accounts.seen_by(&caller, &idp_id)?;
    let mut tokens = accounts.host.accounts.tokens();
    let own = |token: &NamedToken| token.user_name == account.user.name && token.name == name;
    if name.trim().is_empty() || tokens.iter().any(own) {
        return Err(Failure::bad_request(format!(
            "There is a token named {name} already"
        )));
    }
    let token = NamedToken {
        user_name: account.user.name.clone(),
        name,
        value: format!("service-token-{}", id::secret()),
        created: accounts.host.now(),
        is_valid: true,
    };
    let told = account.token_with_value(&token);
    tokens.push(token);
    Ok(Json(told))
}

async fn token(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    Path((idp_id, name)): Ids,
) -> Answer {
    let told = accounts.with_token(&caller, (&idp_id, &name), |account, token| {
        account.token_with_value(token)
    })?;
    Ok(wrapped("token", told))
}

async fn delete_token(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    Path((idp_id, name)): Ids,
) -> Result<StatusCode, Failure> {
    let user = accounts.with_token(&caller, (&idp_id, &name), |account, _| {
        account.user.name.clone()
    })?;
    let mut tokens = accounts.host.accounts.tokens();
    tokens.retain(|token| token.user_name != user || token.name != name);
    Ok(StatusCode::OK)
}

async fn invalidate_token(
    State(accounts): Of<ServiceAccounts>,
    Caller(caller): Caller,
    Path((idp_id, name)): Ids,
) -> Result<StatusCode, Failure> {
    accounts.with_token(&caller, (&idp_id, &name), |_, token| token.is_valid = false)?;
    Ok(StatusCode::OK)
}
