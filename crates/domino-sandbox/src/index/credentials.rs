//! What the index shows about credentials: commands to copy that read them from the file into which the program wrote
//! them. No page contains what opens the API.

use crate::account::variable;
use crate::host::Host;
use crate::html::escaped;

/// The commands as a part of the index.
pub(super) fn section(host: &Host) -> String {
    let Some(path) = &host.credentials_file else {
        let export = format!("export DOMINO_API_HOST={}", host.url);
        return format!(
            "<p>To use it from a shell, beside the credentials that whoever started it has:</p>\n{}",
            copied(&export)
        );
    };
    let quoted = path.display().to_string().replace('\'', r"'\\''");
    let read = format!("set -a; . '{quoted}'; set +a");
    let accounts = host.accounts.all();
    let names = accounts.iter().map(|account| &account.user_name);
    let tokens = names.map(|user| {
        copied(&format!(
            "export DOMINO_TOKEN=\"${}_TOKEN\"",
            variable(user)
        ))
    });
    format!(
        "<p>To use it from a shell, read the file that only you can read, and then be one of its users:</p>\n{}{}",
        copied(&read),
        tokens.collect::<String>()
    )
}

/// A command with a button that copies it.
fn copied(command: &str) -> String {
    let command = escaped(command);
    format!(
        "<p class=\"copy\"><code>{command}</code> <button type=\"button\" data-copy=\"{command}\">Copy</button></p>\n"
    )
}
