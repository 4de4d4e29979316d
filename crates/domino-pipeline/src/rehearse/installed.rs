//! The programs beside this one: in a rehearsal they replace those that a step would download or compile.
//!
//! The download of a release is not rehearsed, nor how long a release build takes; the step says so.

use std::path::{Path, PathBuf};

use rehearsal::settings::Substitute;
use toml::Table;

use crate::pipelines::{BUILD, BUILD_TO_RECORD, FETCH, INSTALL};
use crate::repository;

/// The programs that steps run.
const PROGRAMS: [&str; 4] = ["deploy-job", "deploy-app", "deploy-model", "promote-stage"];

/// The program that records receipts, which is this one.
const RECORDS: &str = "domino-pipeline";

/// The programs of one folder.
#[derive(Debug)]
pub struct Installed {
    folder: PathBuf,
    /// The release that the stage file names.
    release: String,
    /// Whether they were just built from the repository that is rehearsed.
    built_here: bool,
}

impl Installed {
    /// The programs beside this one, if all of them exist. `repository` is the one that is rehearsed.
    pub fn beside_this_program(stage_file: &str, repository: &Path) -> Option<Self> {
        let program = std::env::current_exe().and_then(|program| program.canonicalize());
        let folder = program.ok()?.parent()?.to_owned();
        let all = PROGRAMS.iter().all(|name| folder.join(name).is_file());
        all.then(|| Self {
            folder,
            release: release(stage_file).unwrap_or_default(),
            built_here: repository::is_checkout_of_caller(repository),
        })
    }

    /// The same, for a rehearsal that compiles the programs as the workflow does.
    pub fn build_as_written(self) -> Self {
        Self {
            built_here: false,
            ..self
        }
    }

    /// The folder that they are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether they replace those that a step would compile.
    pub fn built_here(&self) -> bool {
        self.built_here
    }

    /// The replacement for a command that would download or compile programs.
    pub fn substitute(&self, command: &str) -> Option<Substitute> {
        if [BUILD, BUILD_TO_RECORD].contains(&command) {
            return self.built_here.then(|| self.instead_of_compiling());
        }
        let command = match command {
            INSTALL => format!(
                "mkdir -p \"$RUNNER_TEMP/programs/bin\"\n\
                 ln -s {} \"$RUNNER_TEMP/programs/bin\"\n\
                 echo \"$RUNNER_TEMP/programs/bin\" >> \"$GITHUB_PATH\"\n",
                self.paths()
            ),
            FETCH => format!(
                "tar --create --file programs.tar --directory {} {}\n",
                quoted(&self.folder),
                every_name()
            ),
            _ => return None,
        };
        Some(Substitute {
            command,
            told: format!(
                "{} is not downloaded: the programs are those of {}, version {}",
                self.release,
                self.folder.display(),
                env!("CARGO_PKG_VERSION")
            ),
        })
    }
}

impl Installed {
    /// The path of each program, as words of a shell.
    fn paths(&self) -> String {
        let folder = quoted(&self.folder);
        let names = PROGRAMS.iter().chain([&RECORDS]);
        let paths: Vec<String> = names.map(|name| format!("{folder}/{name}")).collect();
        paths.join(" ")
    }

    /// The archive contains links: the programs stay on this machine, and those of a debug build are large.
    fn instead_of_compiling(&self) -> Substitute {
        Substitute {
            command: format!(
                "mkdir \"$RUNNER_TEMP/built\"\n\
                 ln -s {} \"$RUNNER_TEMP/built\"\n\
                 tar --create --file programs.tar --directory \"$RUNNER_TEMP/built\" {}\n",
                self.paths(),
                every_name()
            ),
            told: format!(
                "`cargo build --release` is not run: the programs are those that were built just now from the working \
                 tree, in {} (`--build-as-written` builds them as the workflow does)",
                self.folder.display()
            ),
        }
    }
}

/// How a step packs what cargo built.
const PACK: &str =
    r#"tar --create --file programs.tar --directory "${CARGO_TARGET_DIR:-target}/release" "#;

/// The replacement for a command that compiles programs beside others that do. All share what cargo compiles: it links
/// the same files into each job's folder, and tar ends with 1 when such a link is made while it reads.
pub fn packed_from_copies(command: &str) -> Option<Substitute> {
    let (build, names) = command.split_once(PACK)?;
    let names = names.trim();
    Some(Substitute {
        command: format!(
            "{build}mkdir \"$RUNNER_TEMP/built\"\n\
             for name in {names}; do cp \"${{CARGO_TARGET_DIR:-target}}/release/$name\" \"$RUNNER_TEMP/built\"; done\n\
             tar --create --file programs.tar --directory \"$RUNNER_TEMP/built\" {names}\n"
        ),
        told: "the programs are copied before they are packed, since jobs side by side share here what cargo compiles"
            .to_owned(),
    })
}

fn every_name() -> String {
    format!("{} {RECORDS}", PROGRAMS.join(" "))
}

fn release(stage_file: &str) -> Option<String> {
    let file: Table = stage_file.parse().ok()?;
    Some(file.get("pipeline")?.get("release")?.as_str()?.to_owned())
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_bring_programs_gets_those_of_the_folder_and_nothing_else_does() {
        let installed = Installed {
            folder: "/it's here".into(),
            release: release("[pipeline]\nrelease = \"v1.2.0\"\n").unwrap(),
            built_here: true,
        };
        for command in [INSTALL, FETCH] {
            let substitute = installed.substitute(command).unwrap();
            let quoted = r"'/it'\''s here'";
            assert!(substitute.command.contains(quoted), "{substitute:?}");
            let told = "v1.2.0 is not downloaded: the programs are those of /it's here, version ";
            assert!(substitute.told.starts_with(told), "{substitute:?}");
        }
        assert!(installed.substitute("pip install x").is_none());
        let built = installed.substitute(BUILD).unwrap();
        assert!(
            built.command.contains(r"'/it'\''s here'/deploy-app"),
            "{built:?}"
        );
        assert!(built.told.contains("`--build-as-written`"), "{built:?}");
        assert!(installed.build_as_written().substitute(BUILD).is_none());
        for command in [BUILD, BUILD_TO_RECORD] {
            let copied = packed_from_copies(command).unwrap().command;
            assert!(copied.starts_with("cargo build --release"), "{copied}");
            let names = "deploy-job deploy-app deploy-model promote-stage";
            assert!(copied.contains(&format!("for name in {names}")), "{copied}");
        }
        assert!(packed_from_copies(INSTALL).is_none());
    }
}
