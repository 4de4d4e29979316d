//! The Python of a rehearsal's runs: a virtual environment or interpreter that a person names, or one made from a file
//! of requirements, kept for the next rehearsal of the same file. It runs nothing of the person's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// The file of requirements that a repository has by custom.
pub const REQUIREMENTS: &str = "requirements.txt";

/// Prints the names among its arguments that are not installed.
const MISSING: &str = "import importlib.metadata as installed, sys
for name in sys.argv[1:]:
    try:
        installed.version(name)
    except installed.PackageNotFoundError:
        print(name)
";

/// The interpreter that a person names: by itself, by its virtual environment, or by a file of requirements that one is
/// made from.
///
/// # Errors
/// When there is none, or the packages cannot be installed.
pub fn python(named: &Path) -> anyhow::Result<PathBuf> {
    if named.extension().is_some_and(|it| it == "txt") {
        return of_requirements(named, &cache()?);
    }
    let inside = named.join("bin/python3");
    let python = if inside.is_file() {
        inside
    } else {
        named.to_owned()
    };
    anyhow::ensure!(
        python.is_file(),
        "there is no Python at {}: `--python` takes a virtual environment, a python3, or a file of requirements that \
         ends with `.txt`",
        named.display()
    );
    // A link is not followed: by its place Python knows its environment.
    std::path::absolute(&python).with_context(|| format!("cannot find {}", python.display()))
}

/// What the file asks for and this Python does not have. Nothing where that cannot be told.
pub fn missing(requirements: &str, python: Option<&Path>) -> Vec<String> {
    let names = names(requirements);
    let asked = Command::new(python.unwrap_or(Path::new("python3")))
        .args(["-c", MISSING])
        .args(&names)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let told = asked.ok().filter(|asked| asked.status.success());
    let told = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    let told = told.unwrap_or_default();
    told.lines().map(str::to_owned).collect()
}

/// The names of the packages in a file of requirements; what is for some machines only is left out, and what pip is
/// told beside them.
fn names(requirements: &str) -> Vec<&str> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = |line: &'_ str| {
        let line = line.split('#').next()?.trim();
        let end = line.find(|c| !legal(c)).unwrap_or(line.len());
        let is_package = line.starts_with(|c: char| c.is_ascii_alphanumeric());
        (is_package && !line.contains([';', '/', '@'])).then_some(end)
    };
    let lines = requirements.lines().map(str::trim_start);
    lines
        .filter_map(|line| Some(&line[..name(line)?]))
        .collect()
}

/// Where what was installed is kept.
fn cache() -> anyhow::Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = folder("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(folder("HOME")?).join(".cache")));
    let cache = cache.context("neither HOME nor XDG_CACHE_HOME says where to keep packages")?;
    Ok(cache.join("domino-pipeline/python"))
}

/// A virtual environment with what the file asks for, made at the first time.
fn of_requirements(file: &Path, cache: &Path) -> anyhow::Result<PathBuf> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let digest = Sha256::digest(&text);
    let key: String = digest[..12].iter().map(|b| format!("{b:02x}")).collect();
    // Names the environment once that is whole: one that broke off is never taken.
    let kept = cache.join(&key);
    if let Ok(folder) = std::fs::read_to_string(&kept) {
        let python = Path::new(&folder).join("bin/python3");
        if python.is_file() {
            return Ok(python);
        }
    }
    let folder = cache.join(format!("{key}-{}", std::process::id()));
    std::fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
    eprintln!(
        "installing what {} asks for into {}; the next rehearsal finds it there",
        file.display(),
        folder.display()
    );
    let python = folder.join("bin/python3");
    let made = install(&folder, &python, file);
    if let Err(error) = made {
        let _ = std::fs::remove_dir_all(&folder);
        return Err(error);
    }
    let own = cache.join(format!("{key}-{}.whole", std::process::id()));
    std::fs::write(&own, folder.to_string_lossy().as_bytes())
        .and_then(|()| std::fs::rename(&own, &kept))
        .with_context(|| format!("cannot write {}", kept.display()))?;
    Ok(python)
}

fn install(folder: &Path, python: &Path, file: &Path) -> anyhow::Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    run(Command::new(python)
        .args(pip)
        .arg("--requirement")
        .arg(file))
}

/// Runs it with its errors for the person to see.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let told = command_words(command);
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {told}"))?;
    anyhow::ensure!(status.success(), "{told} ended with {status}");
    Ok(())
}

fn command_words(command: &Command) -> String {
    let arguments = command.get_args().map(|it| it.to_string_lossy());
    let words = std::iter::once(command.get_program().to_string_lossy()).chain(arguments);
    format!("`{}`", words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_pip_writes_them() {
        let text = "# all\npandas==2.2\n scikit-learn>=1 # for now\n--index-url https://pypi.example.com\n-r more.txt\n\
                    torch[cpu]\npywin32; sys_platform == 'win32'\nmine @ https://example.com/mine.whl\n./local\n\n";
        assert_eq!(names(text), ["pandas", "scikit-learn", "torch"]);
    }

    #[test]
    fn what_is_missing_is_named_and_what_is_there_is_not() {
        let missing = missing("no-such-package-of-anybodys\n", None);
        assert_eq!(missing, ["no-such-package-of-anybodys"]);
        assert!(super::missing("", None).is_empty());
    }

    #[test]
    fn requirements_make_an_environment_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(REQUIREMENTS);
        std::fs::write(&file, "# nothing\n").unwrap();
        let cache = folder.path().join("cache");
        let made = of_requirements(&file, &cache).unwrap();
        assert!(made.is_file() && made.starts_with(&cache));
        assert_eq!(of_requirements(&file, &cache).unwrap(), made);
        std::fs::write(&file, "./no-such-folder\n").unwrap();
        let error = of_requirements(&file, &cache).unwrap_err();
        assert!(error.to_string().contains("pip install"), "{error}");
        let left = std::fs::read_dir(&cache).unwrap().count();
        assert_eq!(left, 2, "the environment, and what names it");
    }
}
