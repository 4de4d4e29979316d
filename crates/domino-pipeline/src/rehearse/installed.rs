//! The programs that are installed beside this one: in a rehearsal they stand in for those that a step would download.
//!
//! Whether a release can be downloaded is not rehearsed, and the step says so.

use std::path::{Path, PathBuf};

use rehearsal::settings::Substitute;
use toml::Table;

use crate::pipelines::{FETCH, INSTALL};

/// The programs that steps run.
const PROGRAMS: [&str; 4] = ["deploy-job", "deploy-app", "deploy-model", "promote-stage"];

/// The programs of one folder.
#[derive(Debug)]
pub struct Installed {
    folder: PathBuf,
    /// The release that the stage file names.
    release: String,
}

impl Installed {
    /// Those beside this program, if all of them are there.
    pub fn beside_this_program(stage_file: &str) -> Option<Self> {
        let program = std::env::current_exe().and_then(|program| program.canonicalize());
        let folder = program.ok()?.parent()?.to_owned();
        let all = PROGRAMS.iter().all(|name| folder.join(name).is_file());
        all.then(|| Self {
            folder,
            release: release(stage_file).unwrap_or_default(),
        })
    }

    /// What stands in for a command that would download programs.
    pub fn substitute(&self, command: &str) -> Option<Substitute> {
        let folder = quoted(&self.folder);
        let command = match command {
            INSTALL => {
                let programs: Vec<String> = PROGRAMS
                    .iter()
                    .map(|name| format!("{folder}/{name}"))
                    .collect();
                format!(
                    "mkdir -p \"$RUNNER_TEMP/programs/bin\"\n\
                     ln -s {} \"$RUNNER_TEMP/programs/bin\"\n\
                     echo \"$RUNNER_TEMP/programs/bin\" >> \"$GITHUB_PATH\"\n",
                    programs.join(" ")
                )
            }
            FETCH => format!(
                "tar --create --file programs.tar --directory {folder} {}\n",
                PROGRAMS.join(" ")
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
    fn both_ways_to_download_get_the_programs_of_the_folder_and_nothing_else_does() {
        let installed = Installed {
            folder: "/it's here".into(),
            release: release("[pipeline]\nrelease = \"v1.2.0\"\n").unwrap(),
        };
        for command in [INSTALL, FETCH] {
            let substitute = installed.substitute(command).unwrap();
            let quoted = r"'/it'\''s here'";
            assert!(substitute.command.contains(quoted), "{substitute:?}");
            let told = "v1.2.0 is not downloaded: the programs are those of /it's here, version ";
            assert!(substitute.told.starts_with(told), "{substitute:?}");
        }
        assert!(installed.substitute("pip install x").is_none());
    }
}
