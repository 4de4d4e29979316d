//! The files of a repository that a command names: those that it runs and reads, as far as its words tell.

/// Each word of a command that can be a file of the repository, and the file of each module that Python runs by name.
pub fn named_files(command: &str) -> Vec<String> {
    let apart = |c: char| c.is_whitespace() || "'\"`;|&<>()".contains(c);
    let mut files: Vec<String> = Vec::new();
    let mut before = "";
    for word in command.split(apart).filter(|word| !word.is_empty()) {
        let file = match before {
            "-m" => is_module(word).then(|| format!("{}.py", word.replace('.', "/"))),
            _ => file(word).map(str::to_owned),
        };
        files.extend(file.filter(|file| !files.contains(file)));
        before = word;
    }
    files
}

/// `conf/train.yaml` from itself, from `--config=conf/train.yaml` and from `CONFIG=conf/train.yaml`.
fn file(word: &str) -> Option<&str> {
    let value = match word.split_once('=') {
        Some((_, value)) => value,
        None if word.starts_with('-') => return None,
        None => word,
    };
    let path = value.strip_prefix("./").unwrap_or(value);
    let plain = |c: char| c.is_alphanumeric() || "._-+@,/".contains(c);
    let parts = |part: &str| !matches!(part, "" | "." | "..");
    let is_path = path.chars().all(plain) && path.split('/').all(parts);
    (is_path && (path.contains('/') || has_ending(path))).then_some(path)
}

/// Whether a name has the extension of a script or a configuration: `2.5` and `v1.2` do not.
fn has_ending(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty()
            && (1..=6).contains(&ending.len())
            && ending.starts_with(|c: char| c.is_ascii_alphabetic())
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

fn is_module(word: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    word.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_can_be_a_file_is_one() {
        for (command, files) in [
            (
                "src/project/jobs/train.py --epochs 3",
                &["src/project/jobs/train.py"][..],
            ),
            ("python training/train.py", &["training/train.py"]),
            ("bash ./jobs/run.sh", &["jobs/run.sh"]),
            ("train.py", &["train.py"]),
            ("python -m pkg.train --rate 2.5", &["pkg/train.py"]),
            ("python -m train", &["train.py"]),
            (
                "LEVEL=info python jobs/a.py --config=conf/a.yaml -v v1.2",
                &["jobs/a.py", "conf/a.yaml"],
            ),
            (
                "bash -c 'cd jobs && python run.py < in.csv'",
                &["run.py", "in.csv"],
            ),
            ("Rscript \"fit.R\" fit.R", &["fit.R"]),
            ("make train", &[]),
            (
                "/opt/tool/run.sh https://example.com/x.py ../a.py $HOME/x.py",
                &[],
            ),
        ] {
            assert_eq!(named_files(command), files, "{command}");
        }
    }
}
