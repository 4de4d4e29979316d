//! The verbs of `domino-pipeline` that are handed on, and what must be compiled for each.
//!
//! The program itself says what arguments a verb takes; this list has only what must be known before it is compiled.

/// A verb that is handed on.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    /// The verb on the command line.
    pub name: &'static str,
    /// What it does, in the words of the program's own help.
    pub about: &'static str,
    /// How much of the crate it needs.
    pub features: Features,
}

/// How much is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Features {
    /// Neither the client of Domino's API nor the sandbox.
    None,
    /// Enough to read the templates' configuration.
    ImportIni,
    /// Everything that contacts a Domino, even a sandbox, and the programs that a rehearsal runs.
    Rehearse,
    /// The same, and the checks of requests against a Domino's specs.
    Contract,
}

impl Features {
    /// The arguments for cargo.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::None => &["--no-default-features"],
            Self::ImportIni => &["--no-default-features", "--features", "import-ini"],
            Self::Rehearse => &[
                "--package",
                "deploy-job",
                "--package",
                "deploy-app",
                "--package",
                "deploy-model",
                "--package",
                "promote-stage",
                "--no-default-features",
                "--features",
                "domino-pipeline/rehearse",
            ],
            Self::Contract => &[
                "--package",
                "deploy-job",
                "--package",
                "deploy-app",
                "--package",
                "deploy-model",
                "--package",
                "promote-stage",
                "--no-default-features",
                "--features",
                "domino-pipeline/contract",
            ],
        }
    }

    /// The file beside the program which says that this much of it has been compiled before.
    pub fn stamp(self) -> &'static str {
        match self {
            Self::None => ".domino-pipeline-plain",
            Self::ImportIni => ".domino-pipeline-import-ini",
            Self::Rehearse => ".domino-pipeline-rehearse",
            Self::Contract => ".domino-pipeline-contract",
        }
    }

    /// Whether cargo keeps what it needs to compile a part of a crate again. For the many crates of a rehearsal that
    /// takes twice the disk space, and is slower the first time.
    pub fn incremental(self) -> bool {
        matches!(self, Self::None | Self::ImportIni)
    }
}

impl Verb {
    /// How much it needs with these arguments.
    pub fn features(&self, arguments: &[String]) -> Features {
        let judges = arguments
            .iter()
            .any(|argument| argument == "--spec" || argument.starts_with("--spec="));
        match self.features {
            Features::Rehearse if judges => Features::Contract,
            features => features,
        }
    }
}

/// Every verb that is handed on.
pub const VERBS: [Verb; 16] = [
    Verb {
        name: "init",
        about: "Begin a pipeline in a repository: stages.toml, its workflows, and a sample on request",
        features: Features::None,
    },
    Verb {
        name: "gen-workflows",
        about: "Write the workflow files and the picture of the pipeline from stages.toml",
        features: Features::None,
    },
    Verb {
        name: "plan",
        about: "Show what merging a change would deploy where, without asking Domino",
        features: Features::None,
    },
    Verb {
        name: "rehearse",
        about: "Run the workflow files here, stage by stage, against a Domino on this machine",
        features: Features::Rehearse,
    },
    Verb {
        name: "cron",
        about: "Explain a cron expression, and show the next times at which Quartz fires by it",
        features: Features::None,
    },
    Verb {
        name: "schema",
        about: "Write stages.schema.json, by which editors complete stages.toml",
        features: Features::None,
    },
    Verb {
        name: "check-contract",
        about: "Hold what the programs send against the specs of a Domino",
        features: Features::Contract,
    },
    Verb {
        name: "github",
        about: "Set up the GitHub environments of the stages: rules, variable, secrets; plan first, then apply",
        features: Features::Rehearse,
    },
    Verb {
        name: "domino",
        about: "Set up the stages in Domino: project, service account, its role, git access and token; plan first, then apply",
        features: Features::Rehearse,
    },
    Verb {
        name: "rotate",
        about: "Give a stage a new token: into the GitHub secret, looked at, and the old one invalidated",
        features: Features::Rehearse,
    },
    Verb {
        name: "doctor",
        about: "Look at a live deployment without changing it, and say what to do before the first push",
        features: Features::Rehearse,
    },
    Verb {
        name: "status",
        about: "Show what runs where, since when and by whom, and what is not as stages.toml says",
        features: Features::Rehearse,
    },
    Verb {
        name: "back",
        about: "Go back to what ran in a stage before, and hold it there, or let it go on",
        features: Features::Rehearse,
    },
    Verb {
        name: "history",
        about: "Show what was deployed where, when, by whom and with whose approval, from the receipts of deployments",
        features: Features::Rehearse,
    },
    Verb {
        name: "receipts",
        about: "Keep the receipts of deployments in the repository",
        features: Features::Rehearse,
    },
    Verb {
        name: "import-ini",
        about: "Make a stages.toml of the Python templates' env-variables.ini",
        features: Features::ImportIni,
    },
];

const CI: (&str, &str) = (
    "ci",
    "Run everything that must hold before a change is merged, as ci.yml does",
);
const WHEEL: (&str, &str) = (
    "wheel",
    "Build the wheel by which a team without Rust installs the programs",
);
const HELP: (&str, &str) = (
    "help",
    "Print this message or the help of the given subcommand(s)",
);

/// The verb of this name.
pub fn named(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// What `cargo xtask --help` says.
pub fn help() -> String {
    let verbs = VERBS.iter().map(|verb| (verb.name, verb.about));
    let lines: Vec<String> = verbs
        .chain([CI, WHEEL, HELP])
        .map(|(name, about)| format!("  {name:<14}  {about}"))
        .collect();
    format!(
        "The project's own tasks\n\nUsage: cargo xtask <COMMAND>\n\nCommands:\n{}\n\nOptions:\n  -h, --help  Print help\n",
        lines.join("\n")
    )
}

/// What a person is told who calls an unknown verb.
pub fn unknown(name: &str) -> String {
    format!(
        "error: unrecognized subcommand '{name}'\n\nUsage: cargo xtask <COMMAND>\n\nFor more information, try '--help'.\n"
    )
}

/// What `cargo xtask ci --help` says.
pub fn ci_help() -> String {
    let (_, about) = CI;
    format!("{about}\n\nUsage: cargo xtask ci\n\nOptions:\n  -h, --help  Print help\n")
}

/// What a person is told who gives `ci` or `wheel` an argument that they do not take.
pub fn unexpected(argument: &str, usage: &str) -> String {
    format!(
        "error: unexpected argument '{argument}' found\n\nUsage: cargo xtask {usage}\n\nFor more information, try '--help'.\n"
    )
}
