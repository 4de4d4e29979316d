//! The files through which a step speaks to the runner: `GITHUB_OUTPUT`, `GITHUB_ENV`, `GITHUB_PATH`, the summary.
//!
//! They are created for each step and read after it, by the rules of GitHub's runner.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The files of one step.
#[derive(Debug)]
pub struct CommandFiles {
    output: PathBuf,
    env: PathBuf,
    path: PathBuf,
    summary: PathBuf,
    state: PathBuf,
}

/// What a step left in its files.
#[derive(Debug, Default)]
pub struct Left {
    /// The step's outputs.
    pub outputs: Vec<(String, String)>,
    /// Environment variables for the steps that follow.
    pub env: Vec<(String, String)>,
    /// Folders to put in front of `PATH` for the steps that follow.
    pub path: Vec<String>,
    /// Markdown for the job's summary.
    pub summary: String,
    /// What the runner could not read; each entry fails the step.
    pub errors: Vec<String>,
}

/// GitHub's limit for a step's summary, in bytes.
const LARGEST_SUMMARY: usize = 1024 * 1024;

impl CommandFiles {
    /// Creates the files of step number `step` in a folder.
    ///
    /// # Errors
    /// When a file cannot be created.
    pub fn create(folder: &Path, step: usize) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let file = |name: &str| {
            let path = folder.join(format!("{name}_{step}"));
            std::fs::write(&path, "").with_context(|| format!("cannot make {}", path.display()))?;
            anyhow::Ok(path)
        };
        Ok(Self {
            output: file("set_output")?,
            env: file("set_env")?,
            path: file("add_path")?,
            summary: file("step_summary")?,
            state: file("save_state")?,
        })
    }

    /// The environment variables that name the files.
    pub fn variables(&self) -> [(&'static str, &Path); 5] {
        [
            ("GITHUB_OUTPUT", &self.output),
            ("GITHUB_ENV", &self.env),
            ("GITHUB_PATH", &self.path),
            ("GITHUB_STEP_SUMMARY", &self.summary),
            ("GITHUB_STATE", &self.state),
        ]
    }

    /// Reads what the step left. A file that it removed counts as empty.
    pub fn read(&self) -> Left {
        let mut left = Left::default();
        let read = |path: &Path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(&bytes)
                .trim_start_matches('\u{feff}')
                .to_owned()
        };
        for (file, into) in [
            (&self.output, &mut left.outputs),
            (&self.env, &mut left.env),
        ] {
            match pairs(&read(file)) {
                Ok(pairs) => *into = pairs,
                Err(error) => {
                    let name = if file == &self.output {
                        "output"
                    } else {
                        "env"
                    };
                    left.errors
                        .push(format!("unable to process file command '{name}': {error}"));
                }
            }
        }
        left.path = read(&self.path)
            .lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        left.summary = read(&self.summary);
        if left.summary.len() > LARGEST_SUMMARY {
            left.errors.push(format!(
                "the summary has {} KiB, and GitHub takes {} at most",
                left.summary.len().div_ceil(1024),
                LARGEST_SUMMARY / 1024
            ));
            left.summary.clear();
        }
        left
    }
}

/// `name=value` lines, and `name<<END` … `END` for values of several lines. The last value of a name counts.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line));
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let equals = line.find('=');
        let heredoc = line.find("<<");
        let (name, value) = match (equals, heredoc) {
            (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
                (&line[..equals], line[equals + 1..].to_owned())
            }
            (_, Some(heredoc)) => {
                let delimiter = &line[heredoc + 2..];
                if delimiter.is_empty() {
                    return Err(format!("invalid format '{line}': the delimiter is empty"));
                }
                let mut value: Vec<&str> = Vec::new();
                loop {
                    match lines.next() {
                        Some(line) if line == delimiter => break,
                        Some(line) => value.push(line),
                        None => {
                            return Err(format!(
                                "invalid value: matching delimiter not found '{delimiter}'"
                            ));
                        }
                    }
                }
                (&line[..heredoc], value.join("\n"))
            }
            _ => return Err(format!("invalid format '{line}'")),
        };
        if name.is_empty() {
            return Err(format!("invalid format '{line}': the name is empty"));
        }
        pairs.retain(|(known, _)| known != name);
        pairs.push((name.to_owned(), value));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_and_of_several_lines_are_read() {
        let read =
            pairs("a=1\n\nb=x=y<<z\nc<<END\none\n\ntwo=2\nEND\na=2\r\nd=\ne<<E\nE\n").unwrap();
        let wanted = [
            ("b", "x=y<<z"),
            ("c", "one\n\ntwo=2"),
            ("a", "2"),
            ("d", ""),
            ("e", ""),
        ];
        assert_eq!(
            read,
            wanted.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn what_the_runner_would_refuse_is_refused() {
        for (text, why) in [
            ("word\n", "invalid format 'word'"),
            ("a<<END\none\n", "delimiter not found 'END'"),
            ("a<<\n", "delimiter is empty"),
            ("=x\n", "name is empty"),
            ("<<E\nE\n", "name is empty"),
        ] {
            assert!(pairs(text).unwrap_err().contains(why), "{text:?}");
        }
    }

    #[test]
    fn a_step_s_files_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let files = CommandFiles::create(folder.path(), 1).unwrap();
        for (name, path) in files.variables() {
            let text = match name {
                "GITHUB_OUTPUT" => "url=http://x\n".to_owned(),
                "GITHUB_ENV" => "broken\n".to_owned(),
                "GITHUB_PATH" => "/a\n\n/b\n".to_owned(),
                "GITHUB_STEP_SUMMARY" => "# Hello\n".to_owned(),
                _ => String::new(),
            };
            std::fs::write(path, text).unwrap();
        }
        let left = files.read();
        assert_eq!(left.outputs, [("url".to_owned(), "http://x".to_owned())]);
        assert_eq!(left.path, ["/a", "/b"]);
        assert_eq!(left.summary, "# Hello\n");
        assert_eq!(
            left.errors,
            ["unable to process file command 'env': invalid format 'broken'"]
        );
        std::fs::remove_file(&files.env).unwrap();
        assert!(files.read().errors.is_empty());
        std::fs::write(&files.summary, "x".repeat(LARGEST_SUMMARY + 1)).unwrap();
        assert!(files.read().errors[0].contains("1025 KiB"));
    }
}
