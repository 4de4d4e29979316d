//! The lines of a workflow file that do something, and which of the templates' programs one runs.

/// The templates' programs.
const SCRIPTS: [&str; 4] = [
    "cicd-jobs.py",
    "cicd-scheduled-jobs.py",
    "cicd-apps.py",
    "cicd-models.py",
];

/// The lines that are not comments.
pub fn live(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
}

/// The script that a line runs.
pub fn script(line: &str) -> Option<&'static str> {
    SCRIPTS.into_iter().find(|script| line.contains(script))
}
