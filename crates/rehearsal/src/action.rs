//! The third-party actions that a rehearsal can emulate: a step gets what the action would have given it.
//!
//! An action, an input or an output that is not in the table is reported as a problem by the checks; nothing is
//! guessed.

mod emulate;
mod emulated;

use github_workflow::value::same_ignoring_case;

use self::emulated::Inputs;
pub use self::emulated::{ActionContext, Emulated, NotEmulated};

/// A third-party action that a rehearsal can emulate.
#[derive(Debug)]
pub struct Action {
    /// `owner/name`, without the version.
    pub name: &'static str,
    /// The inputs that the emulation accepts; any other is a problem.
    pub inputs: &'static [&'static str],
    /// The outputs that the emulation sets.
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

/// Some inputs make no difference here, such as a compression level or a token. They are listed too, so that they are
/// accepted.
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
        inputs: &["name", "path", "pattern", "merge-multiple"],
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

impl Action {
    /// Does what the action would do.
    ///
    /// # Errors
    /// A sentence on why the step fails, as it would on GitHub.
    pub fn run(
        &self,
        with: &[(String, String)],
        around: ActionContext<'_>,
    ) -> Result<Emulated, NotEmulated> {
        let inputs = Inputs(with);
        match self.kind {
            Kind::Checkout => emulate::check_out(&inputs, &around),
            Kind::Upload => emulate::upload(&inputs, &around),
            Kind::Download => emulate::download(&inputs, &around),
            Kind::Cache if inputs.on("fail-on-cache-miss", false)? => {
                Err("there is no cache here, and `fail-on-cache-miss` is set".into())
            }
            Kind::Cache => Ok(Emulated::Done(
                "not in the cache, as in a first run; nothing is saved".into(),
                vec![("cache-hit", String::new())],
            )),
            Kind::Attest => Ok(Emulated::NotRun(
                "not run here: an attestation is signed with GitHub's own identity for the workflow".into(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts::{Artifacts, RunTime};
    use crate::repository::sample;
    use crate::workspace::Workspaces;

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

    fn run(uses: &str, with: &[(&str, &str)]) -> Result<Emulated, NotEmulated> {
        let (_folder, repository) = sample(&[("a.txt", "1")]);
        let commit = repository.head().unwrap();
        let workspaces = Workspaces::take(None).unwrap();
        let workspace = workspaces.free().unwrap();
        let folder = workspace.base().join("artifacts");
        let artifacts = Artifacts::new(folder, RunTime::FIRST, Vec::new());
        let with: Vec<(String, String)> = with
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        known(uses).unwrap().run(
            &with,
            ActionContext {
                repository: &repository,
                slug: "example/wine",
                branch: "main",
                commit: &commit,
                workspace: &workspace,
                artifacts: &artifacts,
            },
        )
    }

    fn fails(uses: &str, with: &[(&str, &str)]) -> String {
        match run(uses, with) {
            Err(NotEmulated::Fails(why)) => why,
            other => panic!("{uses} does not fail: {other:?}"),
        }
    }

    #[test]
    fn each_action_does_what_it_would_do_or_says_why_not() {
        let Ok(Emulated::Done(told, outputs)) =
            run("actions/checkout@x", &[("persist-credentials", "false")])
        else {
            panic!("no checkout")
        };
        assert!(told.contains("First") && outputs[0].1.len() == 40);
        for odd in [("fetch-depth", "2"), ("clean", "false")] {
            let odd = run("actions/checkout@x", &[odd]);
            assert!(
                matches!(odd, Err(NotEmulated::CannotRehearse(_))),
                "{odd:?}"
            );
        }
        assert!(fails("actions/checkout@x", &[("ref", "gone")]).contains("gone"));

        const UPLOAD: &str = "actions/upload-artifact@x";
        let nothing = |how: &str| run(UPLOAD, &[("path", "none"), ("if-no-files-found", how)]);
        assert!(matches!(nothing("warn"), Ok(Emulated::Warned(_))));
        assert!(matches!(nothing("ignore"), Ok(Emulated::Done(..))));
        assert!(matches!(nothing("error"), Err(NotEmulated::Fails(_))));
        assert!(fails(UPLOAD, &[]).contains("`path` is required"));
        assert!(fails("actions/download-artifact@x", &[("name", "n")]).contains("not found"));

        let cache = [("path", "a"), ("key", "k")];
        let Ok(Emulated::Done(_, outputs)) = run("actions/cache@x", &cache) else {
            panic!("no cache")
        };
        assert_eq!(outputs, [("cache-hit", String::new())]);
        let strict = [cache[0], cache[1], ("fail-on-cache-miss", "true")];
        assert!(fails("actions/cache/restore@x", &strict).contains("no cache here"));
        let attest = run("actions/attest-build-provenance@x", &[]);
        assert!(matches!(attest, Ok(Emulated::NotRun(_))));
    }
}
