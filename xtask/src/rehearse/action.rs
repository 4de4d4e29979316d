//! The third-party actions a rehearsal knows, and what stands in for each: it brings what the action would bring.
//!
//! An action, an input or an output that is not in the table is a problem the checks name; nothing is guessed.

mod bring;

use super::artifacts::Artifacts;
use super::repository::{Commit, Repository};
use super::workspace::Workspace;
use github_workflow::value::same_ignoring_case;

/// An action that is known.
#[derive(Debug)]
pub struct Action {
    /// `owner/name`, without the version.
    pub name: &'static str,
    /// The inputs that are understood.
    pub inputs: &'static [&'static str],
    /// The outputs that are given.
    pub outputs: &'static [&'static str],
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Checkout,
    Upload,
    Download,
    Cache,
    Attest,
}

/// Inputs that change nothing about what is brought here stand among the others: a depth of compression, a token.
const ACTIONS: [Action; 8] = [
    Action {
        name: "actions/checkout",
        inputs: &[
            "ref",
            "fetch-depth",
            "persist-credentials",
            "clean",
            "show-progress",
            "token",
            "set-safe-directory",
        ],
        outputs: &["commit", "ref"],
        kind: Kind::Checkout,
    },
    Action {
        name: "actions/upload-artifact",
        inputs: &[
            "name",
            "path",
            "if-no-files-found",
            "retention-days",
            "compression-level",
            "overwrite",
            "include-hidden-files",
        ],
        outputs: &["artifact-id"],
        kind: Kind::Upload,
    },
    Action {
        name: "actions/download-artifact",
        inputs: &["name", "path"],
        outputs: &["download-path"],
        kind: Kind::Download,
    },
    Action {
        name: "actions/cache",
        inputs: CACHE,
        outputs: &["cache-hit"],
        kind: Kind::Cache,
    },
    Action {
        name: "actions/cache/restore",
        inputs: CACHE,
        outputs: &["cache-hit"],
        kind: Kind::Cache,
    },
    Action {
        name: "actions/cache/save",
        inputs: CACHE,
        outputs: &[],
        kind: Kind::Cache,
    },
    Action {
        name: "actions/attest-build-provenance",
        inputs: &[
            "subject-path",
            "subject-checksums",
            "subject-digest",
            "subject-name",
            "show-summary",
        ],
        outputs: &[],
        kind: Kind::Attest,
    },
    Action {
        name: "actions/attest-sbom",
        inputs: &[
            "subject-path",
            "subject-checksums",
            "subject-digest",
            "subject-name",
            "sbom-path",
            "show-summary",
        ],
        outputs: &[],
        kind: Kind::Attest,
    },
];

const CACHE: &[&str] = &[
    "path",
    "key",
    "restore-keys",
    "fail-on-cache-miss",
    "enableCrossOsArchive",
    "lookup-only",
    "upload-chunk-size",
    "save-always",
];

/// The action that `uses` names, whatever its version.
pub fn known(uses: &str) -> Option<&'static Action> {
    let name = uses.split_once('@').map_or(uses, |(name, _)| name);
    ACTIONS
        .iter()
        .find(|action| same_ignoring_case(action.name, name))
}

/// What stands in for a step of an action.
#[derive(Debug, PartialEq, Eq)]
pub enum Brought {
    /// It did what the action does, told in a sentence; with these outputs.
    Done(String, Vec<(&'static str, String)>),
    /// As `Done`, with something GitHub would warn of.
    Warned(String),
    /// There is no truthful way to do it here, and why.
    NotRun(String),
}

/// Why an action brings nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The step fails, as it would on GitHub.
    Fails(String),
    /// What it asks for is not rehearsed.
    CannotRehearse(String),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Fails(why)
    }
}

impl From<&str> for Trouble {
    fn from(why: &str) -> Self {
        Self::Fails(why.to_owned())
    }
}

/// What an action works with.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The repository whose commit is checked out.
    pub repository: &'a Repository,
    /// Its `owner/name` on GitHub.
    pub slug: &'a str,
    /// The branch that was pushed.
    pub branch: &'a str,
    /// The commit that was pushed.
    pub commit: &'a Commit,
    /// The job's folders.
    pub workspace: &'a Workspace,
    /// The run's artifacts.
    pub artifacts: &'a mut Artifacts,
}

impl Action {
    /// Does what the action would do.
    ///
    /// # Errors
    /// A sentence on why the step fails, as it would on GitHub.
    pub fn run(
        &self,
        with: &[(String, String)],
        around: Surroundings<'_>,
    ) -> Result<Brought, Trouble> {
        let inputs = Inputs(with);
        match self.kind {
            Kind::Checkout => bring::check_out(&inputs, &around),
            Kind::Upload => bring::upload(&inputs, around),
            Kind::Download => bring::download(&inputs, &around),
            Kind::Cache if inputs.on("fail-on-cache-miss", false)? => {
                Err("there is no cache here, and `fail-on-cache-miss` is set".into())
            }
            Kind::Cache => Ok(Brought::Done(
                "not in the cache, as in a first run; nothing is saved".into(),
                vec![("cache-hit", String::new())],
            )),
            Kind::Attest => Ok(Brought::NotRun(
                "not run here: an attestation is signed with GitHub's own identity for the workflow".into(),
            )),
        }
    }
}

struct Inputs<'a>(&'a [(String, String)]);

impl Inputs<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .0
            .iter()
            .find(|(known, _)| same_ignoring_case(known, name))?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    fn on(&self, name: &str, default: bool) -> Result<bool, String> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(format!(
                "input `{name}` must be true or false, and is `{other}`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearse::repository::sample;

    #[test]
    fn actions_are_known_by_name_whatever_their_version() {
        assert_eq!(
            known("actions/checkout@0123 ").unwrap().name,
            "actions/checkout"
        );
        assert_eq!(
            known("Actions/Cache/restore@v4").unwrap().name,
            "actions/cache/restore"
        );
        for unknown in [
            "actions/setup-python@v5",
            "./local",
            "docker://alpine",
            "evil/checkout@v1",
        ] {
            assert!(known(unknown).is_none(), "{unknown}");
        }
    }

    fn run(uses: &str, with: &[(&str, &str)]) -> Result<Brought, Trouble> {
        let (_folder, repository) = sample(&[("a.txt", "1")]);
        let commit = repository.head().unwrap();
        let workspace = Workspace::take(None).unwrap();
        workspace.begin_job().unwrap();
        let mut artifacts = Artifacts::new(workspace.base().join("artifacts"));
        let with: Vec<(String, String)> = with
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        known(uses).unwrap().run(
            &with,
            Surroundings {
                repository: &repository,
                slug: "example/wine",
                branch: "main",
                commit: &commit,
                workspace: &workspace,
                artifacts: &mut artifacts,
            },
        )
    }

    fn fails(uses: &str, with: &[(&str, &str)]) -> String {
        match run(uses, with) {
            Err(Trouble::Fails(why)) => why,
            other => panic!("{uses} does not fail: {other:?}"),
        }
    }

    #[test]
    fn each_action_does_what_it_would_do_or_says_why_not() {
        let Ok(Brought::Done(told, outputs)) =
            run("actions/checkout@x", &[("persist-credentials", "false")])
        else {
            panic!("no checkout")
        };
        assert!(told.contains("First") && outputs[0].1.len() == 40);
        for odd in [("fetch-depth", "2"), ("clean", "false")] {
            let odd = run("actions/checkout@x", &[odd]);
            assert!(matches!(odd, Err(Trouble::CannotRehearse(_))), "{odd:?}");
        }
        assert!(fails("actions/checkout@x", &[("ref", "gone")]).contains("gone"));

        const UPLOAD: &str = "actions/upload-artifact@x";
        let nothing = |how: &str| run(UPLOAD, &[("path", "none"), ("if-no-files-found", how)]);
        assert!(matches!(nothing("warn"), Ok(Brought::Warned(_))));
        assert!(matches!(nothing("ignore"), Ok(Brought::Done(..))));
        assert!(matches!(nothing("error"), Err(Trouble::Fails(_))));
        assert!(fails(UPLOAD, &[]).contains("`path` is required"));
        assert!(fails("actions/download-artifact@x", &[("name", "n")]).contains("not found"));

        let cache = [("path", "a"), ("key", "k")];
        let Ok(Brought::Done(_, outputs)) = run("actions/cache@x", &cache) else {
            panic!("no cache")
        };
        assert_eq!(outputs, [("cache-hit", String::new())]);
        let strict = [cache[0], cache[1], ("fail-on-cache-miss", "true")];
        assert!(fails("actions/cache/restore@x", &strict).contains("no cache here"));
        let attest = run("actions/attest-build-provenance@x", &[]);
        assert!(matches!(attest, Ok(Brought::NotRun(_))));
    }
}
