//! Service accounts: technical users that only administrators make, their roles, and their tokens, of which each has a
//! name and an end.

use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::git_credentials::{GitCredential, NewGitCredential};
use super::ids::UserId;
use super::listed::listed;
use crate::client::{ApiError, Reader, Writer, segment};

const ALL: &str = "/api/serviceAccounts/v1/serviceAccounts";

/// An account of a program, which signs in with tokens that an administrator makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    /// The id that it has as a user.
    pub id: UserId,
    /// The name that it has as a user.
    pub username: String,
    /// The id by which it is managed.
    idp_id: Option<String>,
}

/// What is told of a token without its value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenDetails {
    /// The name, of which the account has one token.
    pub name: String,
    /// Whether it opens anything: it was not invalidated and has not ended.
    pub is_valid: bool,
    /// When it ends, where Domino tells.
    pub expires_at: Option<jiff::Timestamp>,
}

/// A token with its value.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Token")]
pub struct NewToken {
    /// What signs in. `None` where Domino does not tell it again.
    pub token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
}

impl From<Token> for NewToken {
    fn from(wire: Token) -> Self {
        let value = wire.token.filter(|value| !value.is_empty());
        Self {
            token: value.map(Into::into),
        }
    }
}

#[derive(Serialize)]
struct NewAccount<'a> {
    username: &'a str,
    email: &'a str,
}

#[derive(Serialize)]
struct TokenName<'a> {
    name: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Roles {
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    service_account: ServiceAccount,
}

#[derive(Deserialize)]
struct Credential {
    credential: GitCredential,
}

/// One token comes in an envelope when it is read, and without one when it is made.
#[derive(Deserialize)]
struct Enveloped {
    token: NewToken,
}

impl ServiceAccount {
    fn path(&self, rest: &str) -> String {
        let id = self.idp_id.as_deref().unwrap_or(self.id.as_str());
        format!("{ALL}/{}/{rest}", segment(id))
    }
}

impl Reader {
    /// `GET /api/serviceAccounts/v1/serviceAccounts`, page after page; for administrators. Contract: public API.
    pub async fn service_accounts(&self) -> Result<Vec<ServiceAccount>, ApiError> {
        listed(self, ALL, |account: &ServiceAccount| account.id.as_str()).await
    }

    /// `GET …/serviceAccounts/{id}/tokens`, page after page. Contract: public API.
    pub async fn tokens(&self, account: &ServiceAccount) -> Result<Vec<TokenDetails>, ApiError> {
        let path = account.path("tokens");
        listed(self, &path, |token: &TokenDetails| token.name.as_str()).await
    }

    /// `GET …/serviceAccounts/{id}/tokens/{name}`: a token with its value. Contract: public API.
    pub async fn token(
        &self,
        account: &ServiceAccount,
        name: &str,
    ) -> Result<Option<NewToken>, ApiError> {
        let path = account.path(&format!("tokens/{}", segment(name)));
        let found: Result<Option<Enveloped>, _> = self.read_if_there(&path, &[]).await;
        let found = found.map_err(ApiError::without_excerpt)?;
        Ok(found.map(|found| found.token))
    }

    /// `GET …/serviceAccounts/{id}/gitcredentials`, page after page. Contract: public API.
    pub async fn credentials_of_account(
        &self,
        account: &ServiceAccount,
    ) -> Result<Vec<GitCredential>, ApiError> {
        let path = account.path("gitcredentials");
        listed(self, &path, |credential: &GitCredential| &credential.id).await
    }

    /// `GET /v4/users/roles/{id}`: the roles that a user has in all of Domino; for administrators. Contract: v4.
    pub async fn roles(&self, user: &UserId) -> Result<Vec<String>, ApiError> {
        let path = format!("/v4/users/roles/{}", segment(user.as_str()));
        Ok(self.read::<Roles>(&path, &[]).await?.roles)
    }
}

impl Writer {
    /// `POST /api/serviceAccounts/v1/serviceAccounts`. The account gets the roles of who makes it. Contract: public API.
    pub async fn create_service_account(
        &self,
        name: &str,
        email: &str,
    ) -> Result<ServiceAccount, ApiError> {
        let body = NewAccount {
            username: name,
            email,
        };
        let made: Made = self.write(Method::POST, ALL, Some(&body)).await?;
        Ok(made.service_account)
    }

    /// `POST /v4/users/roles/{id}`: all the roles that a user has from now on. Contract: v4.
    pub async fn set_roles(&self, user: &UserId, roles: &[String]) -> Result<(), ApiError> {
        let path = format!("/v4/users/roles/{}", segment(user.as_str()));
        let body = Roles {
            roles: roles.to_vec(),
        };
        self.write_only(Method::POST, &path, Some(&body)).await
    }

    /// `POST …/serviceAccounts/{id}/tokens`: a new token, which has the roles that the account has now. Contract: public
    /// API.
    pub async fn create_token(
        &self,
        account: &ServiceAccount,
        name: &str,
    ) -> Result<NewToken, ApiError> {
        let body = TokenName { name };
        let path = account.path("tokens");
        let made = self.write(Method::POST, &path, Some(&body)).await;
        made.map_err(ApiError::without_excerpt)
    }

    /// `POST …/serviceAccounts/{id}/tokens/{name}/invalidate`. Contract: public API.
    pub async fn invalidate_token(
        &self,
        account: &ServiceAccount,
        name: &str,
    ) -> Result<(), ApiError> {
        let path = account.path(&format!("tokens/{}/invalidate", segment(name)));
        self.write_only(Method::POST, &path, None::<&()>).await
    }

    /// `POST …/serviceAccounts/{id}/tokengitcredentials`. Contract: public API.
    pub async fn add_git_credential(
        &self,
        account: &ServiceAccount,
        new: &NewGitCredential<'_>,
    ) -> Result<GitCredential, ApiError> {
        let path = account.path("tokengitcredentials");
        let made: Credential = self.write(Method::POST, &path, Some(&new.body())).await?;
        Ok(made.credential)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;
    use wiremock::matchers::{body_json, method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn account() -> ServiceAccount {
        serde_json::from_value(json!({"id": "u1", "username": "ci", "idpId": "i 1"})).unwrap()
    }

    #[tokio::test]
    async fn a_list_is_read_to_its_end_and_one_that_repeats_itself_is_over() {
        let server = MockServer::start().await;
        let accounts = |ids: &[&str], total: Option<usize>| {
            let all: Vec<_> = ids
                .iter()
                .map(|id| json!({"id": id, "username": format!("of-{id}")}))
                .collect();
            json!({"serviceAccounts": all, "metadata": {"pagination": {"totalCount": total}}})
        };
        for (offset, page) in [("0", ["a", "b"]), ("2", ["c", "d"])] {
            Mock::given(path(ALL))
                .and(query_param("offset", offset))
                .respond_with(ResponseTemplate::new(200).set_body_json(accounts(&page, Some(4))))
                .expect(1)
                .mount(&server)
                .await;
        }
        let all = connection(&server.uri())
            .reader()
            .service_accounts()
            .await
            .unwrap();
        let names: Vec<&str> = all
            .iter()
            .map(|account| account.username.as_str())
            .collect();
        assert_eq!(names, ["of-a", "of-b", "of-c", "of-d"]);

        let server = MockServer::start().await;
        Mock::given(path(ALL))
            .respond_with(ResponseTemplate::new(200).set_body_json(accounts(&["a"], None)))
            .expect(2)
            .mount(&server)
            .await;
        let all = connection(&server.uri()).reader().service_accounts().await;
        assert_eq!(all.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_token_is_made_without_an_envelope_and_read_in_one() {
        let server = MockServer::start().await;
        let token = json!({
            "name": "t 1", "serviceAccountIdpId": "i 1", "isValid": true, "createdAt": "2026-11-30T00:00:00Z",
            "token": "canary-token-1",
        });
        let tokens = format!("{ALL}/i%201/tokens");
        Mock::given(method("POST"))
            .and(path(&tokens))
            .and(body_json(json!({"name": "t 1"})))
            .respond_with(ResponseTemplate::new(200).set_body_json(&token))
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path(format!("{tokens}/t%201")))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"token": token})))
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(method("POST"))
            .and(path(format!("{tokens}/t%201/invalidate")))
            .respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
        let writer = connection(&server.uri()).writer();
        let made = writer.create_token(&account(), "t 1").await.unwrap();
        assert!(!format!("{made:?}").contains("canary"));
        let read = writer.reader().token(&account(), "t 1").await.unwrap();
        for token in [made, read.unwrap()] {
            assert_eq!(token.token.unwrap().expose_secret(), "canary-token-1");
        }
        writer.invalidate_token(&account(), "t 1").await.unwrap();
        let none = writer.reader().token(&account(), "t 2").await.unwrap();
        assert!(none.is_none());
    }
}
