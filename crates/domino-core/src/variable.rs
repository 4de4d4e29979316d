//! An environment variable, as every program reads one: empty counts as not set, because GitHub passes one that does
//! not exist as an empty text.

/// The value of a variable, if it is set.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// Whether this process is a step of a workflow on GitHub.
pub fn is_on_github() -> bool {
    variable("GITHUB_ACTIONS").as_deref() == Some("true")
}

/// Whether this process runs inside of a run of Domino's.
pub fn is_in_domino_run() -> bool {
    ["DOMINO_RUN_ID", "DOMINO_API_PROXY"]
        .into_iter()
        .any(|name| variable(name).is_some())
}
