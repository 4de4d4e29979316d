//! `cargo xtask wheel`: the programs as a wheel, with which a team without Rust installs them.
//!
//! `packaging/` holds the wheel's metadata. Here the programs are built for machines as old as glibc 2.17, or macOS
//! 11, and the wheel is checked. The tools come from PyPI, pinned by hash, into a virtual environment of their own.

mod tools;

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use self::tools::{Tools, run_tool};

/// The programs of the wheel; `packaging/hatch_build.py` names them as well.
const PROGRAMS: [&str; 5] = [
    "deploy-job",
    "deploy-app",
    "deploy-model",
    "promote-stage",
    "domino-pipeline",
];

/// Below the top of the repository: what the wheel is made from.
const PACKAGING: &str = "packaging";

/// The oldest C library that the programs run with, older than that of any supported runner.
const GLIBC: (u32, u32) = (2, 17);

/// The oldest macOS that the programs run on.
const MACOS: &str = "11.0";

/// What `cargo xtask wheel --help` says.
pub const HELP: &str = "\
Build the wheel by which a team without Rust installs the programs

Usage: cargo xtask wheel [OPTIONS]

Options:
      --out <DIR>       Put the wheel here [default: target/wheel]
      --programs <DIR>  Build nothing: pack the programs of this folder, for machines like this one only
  -h, --help            Print help
";

/// An error is a sentence.
type Result<T> = std::result::Result<T, String>;

/// What a person asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The folder for the wheel.
    out: Option<PathBuf>,
    /// The programs, if they are built already.
    programs: Option<PathBuf>,
}

impl Args {
    /// Reads the arguments after the verb.
    ///
    /// # Errors
    /// The argument that is not understood.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut args = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let field = match flag {
                "--out" => &mut args.out,
                "--programs" => &mut args.programs,
                _ => return Err(word.clone()),
            };
            let value = value.or_else(|| words.next().cloned());
            *field = Some(value.ok_or_else(|| word.clone())?.into());
        }
        Ok(args)
    }
}

/// Builds the programs, packs them, and checks the wheel.
pub fn run(args: &Args, root: &Path) -> ExitCode {
    match build_wheel(args, root) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build_wheel(args: &Args, root: &Path) -> Result<()> {
    let begun = Instant::now();
    let target = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    let target = root.join(target.map_or_else(|| PathBuf::from("target"), PathBuf::from));
    let folder = target.join("wheel");
    let out = args.out.as_deref().unwrap_or(&folder);
    let tools = Tools::install(&root.join(PACKAGING), &folder)?;
    let built = match &args.programs {
        Some(programs) => Built::elsewhere(absolute(programs)?),
        None => Built::here(&tools, root, &target)?,
    };
    let wheel = pack(&tools, root, &built, &absolute(out)?)?;
    check(&tools, &wheel, &built)?;
    let size = fs::metadata(&wheel).map_or(0, |wheel| wheel.len()) as f64 / 1e6;
    tell(&format!(
        "{} ({size:.1} MB) in {:.0} s",
        wheel.display(),
        begun.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// The programs, and the machines that they run on.
struct Built {
    programs: PathBuf,
    tag: String,
    /// Whether the tag promises an old C library.
    promises_glibc: bool,
}

impl Built {
    /// Programs of which nothing is known except that they run here.
    fn elsewhere(programs: PathBuf) -> Self {
        let platform = if OS == "macos" {
            let machine = if ARCH == "aarch64" { "arm64" } else { ARCH };
            format!("macosx_{}_{machine}", MACOS.replace('.', "_"))
        } else {
            format!("linux_{ARCH}")
        };
        Self {
            programs,
            tag: format!("py3-none-{platform}"),
            promises_glibc: false,
        }
    }

    /// Builds them, with cargo's own progress.
    fn here(tools: &Tools, root: &Path, target: &Path) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let packages = PROGRAMS
            .iter()
            .flat_map(|program| ["--package", program])
            .chain(["--release", "--locked"]);
        if OS == "macos" {
            tell(&format!(
                "building the programs for macOS {MACOS} and newer"
            ));
            let mut build = Command::new(cargo);
            build.arg("build").env("MACOSX_DEPLOYMENT_TARGET", MACOS);
            run_tool(build.args(packages).current_dir(root))?;
            return Ok(Self::elsewhere(target.join("release")));
        }
        let (major, minor) = GLIBC;
        let triple = format!("{ARCH}-unknown-linux-gnu");
        tell(&format!(
            "building the programs for glibc {major}.{minor} and newer"
        ));
        let mut build = tools.command("cargo-zigbuild");
        build.args(["zigbuild", "--target"]).env("CARGO", cargo);
        build.arg(format!("{triple}.{major}.{minor}"));
        run_tool(build.args(packages).current_dir(root))?;
        Ok(Self {
            programs: target.join(triple).join("release"),
            // The second name is the one that older installers accept.
            tag: format!("py3-none-manylinux_{major}_{minor}_{ARCH}.manylinux2014_{ARCH}"),
            promises_glibc: true,
        })
    }
}

fn pack(tools: &Tools, root: &Path, built: &Built, out: &Path) -> Result<PathBuf> {
    let programs = &built.programs;
    let missing = PROGRAMS.iter().find(|name| !programs.join(name).is_file());
    if let Some(missing) = missing {
        return Err(format!("`{}` has no `{missing}`", programs.display()));
    }
    tell(&format!(
        "packing the programs of {} as {}",
        programs.display(),
        built.tag
    ));
    // The folder contains only one wheel, which is the new one.
    let packed = out.join("packed");
    if packed.exists() {
        fs::remove_dir_all(&packed).map_err(cannot("empty", &packed))?;
    }
    let mut hatchling = tools.command("hatchling");
    hatchling
        .args(["build", "--target", "wheel", "--directory"])
        .arg(&packed)
        .env("DOMINO_DEPLOY_PROGRAMS", programs)
        .env("DOMINO_DEPLOY_TAG", &built.tag);
    run_tool(hatchling.current_dir(root.join(PACKAGING)))?;
    let made = fs::read_dir(&packed)
        .and_then(|mut wheels| wheels.next().transpose())
        .map_err(cannot("list", &packed))?
        .ok_or("hatchling left no wheel")?;
    let wheel = out.join(made.file_name());
    fs::rename(made.path(), &wheel)
        .and_then(|()| fs::remove_dir(&packed))
        .map_err(cannot("write", &wheel))?;
    Ok(wheel)
}

fn check(tools: &Tools, wheel: &Path, built: &Built) -> Result<()> {
    tell("checking the wheel with twine and auditwheel");
    run_tool(
        tools
            .command("twine")
            .args(["check", "--strict"])
            .arg(wheel),
    )?;
    if !built.promises_glibc {
        return Ok(());
    }
    let shown = tools.command("auditwheel").arg("show").arg(wheel).output();
    let shown = shown.map_err(|error| format!("cannot run `auditwheel`: {error}"))?;
    let said = String::from_utf8_lossy(&shown.stdout);
    if !shown.status.success() {
        let why = String::from_utf8_lossy(&shown.stderr);
        return Err(format!("auditwheel failed: {why}"));
    }
    let needed = needed_glibc(&said)
        .ok_or_else(|| format!("auditwheel names no version of glibc: {said}"))?;
    let (major, minor) = needed;
    if needed > GLIBC {
        return Err(format!("the programs need glibc {major}.{minor}: {said}"));
    }
    tell(&format!("glibc {major}.{minor} is enough"));
    Ok(())
}

/// The glibc version that a wheel needs according to `auditwheel show`.
fn needed_glibc(said: &str) -> Option<(u32, u32)> {
    // It breaks lines anywhere, and names further down what else would be possible.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, tag) = said.split_once("platform tag: \"")?;
    let mut numbers = tag.strip_prefix("manylinux_")?.split('_');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(cannot("find", path))
}

/// Says what could not be done, and why.
fn cannot(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> String {
    move |error| format!("cannot {what} `{}`: {error}", path.display())
}

fn tell(what: &str) {
    eprintln!("wheel: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_in_both_spellings() {
        let read = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Args::read(&words)
        };
        let both = Args {
            out: Some("a".into()),
            programs: Some("b".into()),
        };
        assert_eq!(read(&["--out", "a", "--programs=b"]), Ok(both));
        assert_eq!(read(&[]), Ok(Args::default()));
        for wrong in ["--output", "a", "--out"] {
            assert_eq!(read(&[wrong]), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn the_version_of_glibc_is_read_from_what_auditwheel_says() {
        let said = "\ndomino_deploy-0.1.0-py3-none-linux_x86_64.whl is consistent with the\nfollowing platform tag: \
                    \n\"manylinux_2_34_x86_64\".\n\nThe wheel references external versioned symbols in these";
        assert_eq!(needed_glibc(said), Some((2, 34)));
        let plain = "following platform tag: \"linux_x86_64\".";
        assert_eq!(needed_glibc(plain), None);
    }
}
