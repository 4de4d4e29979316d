//! The command that runs a step's script: what `shell:` means on a Linux runner of GitHub's.

use std::path::Path;
use std::process::Command;

/// The command line that `shell:` stands for; `{0}` is the script's file.
///
/// # Errors
/// A sentence when GitHub, or a rehearsal, does not have this shell.
pub fn template(shell: Option<&str>) -> Result<&str, String> {
    match shell {
        // Without `shell:` there is no `pipefail`: a difference that has hidden many a failure.
        None => Ok("bash -e {0}"),
        Some("bash") => Ok("bash --noprofile --norc -eo pipefail {0}"),
        Some("sh") => Ok("sh -e {0}"),
        Some("python") => Ok("python {0}"),
        Some(template) if template.contains("{0}") => Ok(template),
        Some(other) => Err(format!("shell `{other}` is not rehearsed")),
    }
}

/// Writes the script and builds the command that runs it.
///
/// # Errors
/// As [`template`], or when the script cannot be written.
pub fn command(shell: Option<&str>, file: &Path, script: &str) -> Result<Command, String> {
    let template = template(shell)?;
    let ending = if template.starts_with("python") {
        "py"
    } else {
        "sh"
    };
    let file = file.with_extension(ending);
    std::fs::write(&file, script).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut words = template
        .split_whitespace()
        .map(|word| word.replace("{0}", &file.display().to_string()));
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_explicit_bash_has_pipefail() {
        let folder = tempfile::tempdir().unwrap();
        let run = |shell: Option<&str>| {
            let mut command =
                command(shell, &folder.path().join("step_1"), "false | true\n").unwrap();
            command.status().unwrap().success()
        };
        assert!(run(None));
        assert!(run(Some("sh")));
        assert!(!run(Some("bash")));
        assert!(run(Some("bash {0}")));
        assert!(template(Some("pwsh")).unwrap_err().contains("`pwsh`"));
    }
}
