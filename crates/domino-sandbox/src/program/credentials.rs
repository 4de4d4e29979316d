//! The file of credentials that the program writes, for a shell and for the program itself.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::account::{Account, variable};

/// The URL, the token of every endpoint and each user's credentials, as shell variables.
pub(super) fn text(url: &str, accounts: &[Account], model_token: &str) -> String {
    let mut text = format!(
        "DOMINO_API_HOST={}\nDOMINO_MODEL_TOKEN={model_token}\n",
        url
    );
    for account in accounts {
        let user = variable(&account.user_name);
        text += &format!("{user}_API_KEY={}\n", account.api_key);
        text += &format!("{user}_TOKEN={}\n", account.token);
    }
    text
}

/// Writes `text` to a file that only its owner may read, also when it was there before.
pub(super) fn write_for_owner(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}
