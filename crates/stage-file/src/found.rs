//! Where the reader and the rules put what they find, with the line and the words that name the place.
//!
//! It sorts the problems and drops repetitions; the code that reports them decides what is wrong.

use std::collections::HashSet;
use std::fmt::Display;

use super::problem::{Problem, Severity};
use super::tree::{Tree, place};

/// The problems after which nothing else is reported about a value, because it will be replaced.
const SETTLING: [&str; 4] = ["wrong-type", "blank", "placeholder", "secret"];

/// The problems found so far.
#[derive(Debug)]
pub(super) struct Findings<'t> {
    /// The file that is looked at.
    pub tree: &'t Tree<'t>,
    found: Vec<(Vec<String>, Problem)>,
    /// The keys whose value will be replaced.
    settled: HashSet<Vec<String>>,
    known: HashSet<Problem>,
}

impl<'t> Findings<'t> {
    /// No problems yet.
    pub fn new(tree: &'t Tree<'t>) -> Self {
        Self {
            tree,
            found: Vec::new(),
            settled: HashSet::new(),
            known: HashSet::new(),
        }
    }

    /// Whether the file has this key, in the stage itself or in `[defaults]`.
    pub fn given<S: AsRef<str>>(&self, path: &[S]) -> bool {
        self.tree.find(path).value.is_some()
    }

    /// An error about one key. The message continues after the key's name: `` `host` in `[stage.dev]` … ``.
    pub fn error<S: AsRef<str>>(&mut self, name: &'static str, path: &[S], says: impl Display) {
        self.about(name, Severity::Error, path, says);
    }

    /// An error as a sentence of its own.
    pub fn sentence<S: AsRef<str>>(&mut self, name: &'static str, path: &[S], message: String) {
        self.push(name, Severity::Error, path, message);
    }

    /// A problem of one key, worded like [`Findings::error`].
    pub fn about<S: AsRef<str>>(
        &mut self,
        name: &'static str,
        severity: Severity,
        path: &[S],
        says: impl Display,
    ) {
        // If `[defaults]` decides, that is the place to name.
        let message = format!("{} {says}", place(&self.tree.find(path).path));
        self.push(name, severity, path, message);
    }

    /// A problem as a sentence of its own.
    pub fn push<S: AsRef<str>>(
        &mut self,
        name: &'static str,
        severity: Severity,
        path: &[S],
        message: String,
    ) {
        let found = self.tree.find(path);
        let line = self.tree.line(path);
        let problem = Problem {
            line,
            severity,
            message,
            name,
            path: found.path.clone(),
        };
        // A key in `[defaults]` is checked once for every stage that inherits it.
        let said = Problem {
            path: Vec::new(),
            ..problem.clone()
        };
        if self.settled.contains(&found.path) || !self.known.insert(said) {
            return;
        }
        if SETTLING.contains(&problem.name) {
            self.settled.insert(found.path.clone());
        }
        self.found.push((found.path, problem));
    }

    /// A problem of the text at this byte, as a sentence of its own.
    pub fn push_at(
        &mut self,
        name: &'static str,
        severity: Severity,
        offset: usize,
        message: String,
    ) {
        let problem = Problem {
            line: Some(self.tree.line_at(offset)),
            severity,
            message,
            name,
            path: Vec::new(),
        };
        self.found.push((Vec::new(), problem));
    }

    /// Everything found, in the order of the lines, without the warnings that the file accepts.
    pub fn into_problems(self, accepted: &[String]) -> Vec<Problem> {
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        let errors: HashSet<Vec<String>> = self
            .found
            .iter()
            .filter(|(_, problem)| is_error(problem))
            .map(|(path, _)| path.clone())
            .collect();
        let above_errors: HashSet<Vec<String>> = errors
            .iter()
            .flat_map(|path| (1..=path.len()).map(|length| path[..length].to_vec()))
            .collect();
        let mut problems: Vec<Problem> = self
            .found
            .into_iter()
            .filter(|(path, problem)| {
                let accepted = accepted.iter().any(|name| name == problem.name);
                // A key that could not be read has been reported; it is not reported as missing as well.
                let below_error =
                    || (3..=path.len()).any(|length| errors.contains(&path[..length]));
                let unread = || above_errors.contains(path) || below_error();
                is_error(problem) || !(accepted || unread())
            })
            .map(|(_, problem)| problem)
            .collect();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}
