//! Who we are to Domino.

use serde::Deserialize;

use super::id;
use crate::client::{ApiError, Reader};

id! {
    /// A user's id: 24 hexadecimal digits.
    UserId
}

/// A user.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name one signs in with.
    pub user_name: String,
}

impl Reader {
    /// `GET /v4/users/self`: whose credential we hold. Contract: v4.
    pub async fn own_user(&self) -> Result<User, ApiError> {
        self.read("/v4/users/self", &[]).await
    }

    /// `GET /v4/users?userName=`: the user of exactly that name. Contract: v4.
    pub async fn user(&self, name: &str) -> Result<Option<User>, ApiError> {
        let users: Vec<User> = self.read("/v4/users", &[("userName", name)]).await?;
        // The filter is not trusted: some versions ignore it and list everybody.
        Ok(users.into_iter().find(|user| user.user_name == name))
    }
}
