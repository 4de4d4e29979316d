//! The user that we are to Domino.

use serde::Deserialize;

pub use super::ids::UserId;
use crate::client::{ApiError, Reader};

/// A user, or the service account of a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The id that other routes name the user by.
    pub id: UserId,
    /// The sign-in name.
    pub user_name: String,
    /// Its roles in all of Domino, where it is told.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The organisations that it belongs to, where they are told.
    #[serde(default)]
    pub organizations: Vec<Organization>,
}

/// An organisation, which may own projects.
#[derive(Debug, Clone, Deserialize)]
pub struct Organization {
    /// The id that it has as a user.
    pub id: UserId,
    /// What its projects have before the `/`.
    pub name: String,
}

impl Reader {
    /// `GET /v4/users/self`: whose credential we hold. Contract: v4.
    pub async fn own_user(&self) -> Result<User, ApiError> {
        self.read("/v4/users/self", &[]).await
    }

    /// `GET /v4/users?userName=`: the user of exactly that name. Contract: v4.
    pub async fn user(&self, name: &str) -> Result<Option<User>, ApiError> {
        let users: Vec<User> = self.read("/v4/users", &[("userName", name)]).await?;
        // The server's filter is not relied on: some versions ignore it and list everybody.
        Ok(users.into_iter().find(|user| user.user_name == name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use crate::client::tests::connection;

    #[tokio::test]
    async fn our_own_user_comes_unwrapped() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/v4/users/self"))
            .respond_with(
                ResponseTemplate::new(200)
                    .set_body_json(json!({"id": "u1", "userName": "ci-bot", "roles": []})),
            )
            .expect(1)
            .mount(&server)
            .await;
        let user = connection(&server.uri()).reader().own_user().await.unwrap();
        assert_eq!(
            (user.id.as_str(), user.user_name.as_str()),
            ("u1", "ci-bot")
        );
    }

    #[tokio::test]
    async fn a_filter_that_is_ignored_does_not_bring_somebody_else() {
        let server = MockServer::start().await;
        let everybody = json!([{"id": "u1", "userName": "ada"}, {"id": "u2", "userName": "bob"}]);
        Mock::given(path("/v4/users"))
            .and(query_param("userName", "bob"))
            .respond_with(ResponseTemplate::new(200).set_body_json(everybody))
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        assert_eq!(reader.user("bob").await.unwrap().unwrap().id.as_str(), "u2");
    }
}
