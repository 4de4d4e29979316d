//! Where the values of a stage's secrets come from: a file, a variable, or a question on the terminal whose answer is
//! not shown. Never an argument.

use std::path::{Path, PathBuf};

use domino_core::error::{CommandError, Context, Exit, Result};
use domino_core::step::Step;
use domino_core::variable::variable;
use secrecy::SecretString;
use stage_file::{Stage, StageFile};

use super::hidden;

/// The secret that a step's credential comes from.
pub(crate) const TOKEN: &str = "DOMINO_TOKEN";
/// The secret that opens restricted endpoints.
pub(crate) const MODEL_TOKEN: &str = "DOMINO_MODEL_TOKEN";
/// What to do if a stage has no token.
pub(crate) const TO_DO: &str = "set `DOMINO_TOKEN_<STAGE>` to the token of a service account of that stage's project, name a file by \
     `--token-file <stage>=FILE`, or apply on a terminal, which asks";

/// The flags about secrets.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretFlags {
    #[arg(
        long = "token-file",
        value_name = "STAGE=FILE",
        help = "The file with a stage's Domino token, for the secret DOMINO_TOKEN; without one the variable \
                DOMINO_TOKEN_<STAGE>"
    )]
    token_files: Vec<String>,
    #[arg(
        long = "model-token-file",
        value_name = "STAGE=FILE",
        help = "The same for the secret DOMINO_MODEL_TOKEN; without one the variable DOMINO_MODEL_TOKEN_<STAGE>"
    )]
    model_token_files: Vec<String>,
    /// Write secrets anew that are there already, as after a rotation
    #[arg(long)]
    replace_secrets: bool,
}

/// What the flags and variables say about all stages' secrets.
pub(crate) struct Secrets {
    token_files: Vec<(String, PathBuf)>,
    model_token_files: Vec<(String, PathBuf)>,
    replace: bool,
    may_ask: bool,
    is_alone: bool,
    issued: Option<Issued>,
}

/// What becomes of the token's secret where another verb gets the token.
#[derive(Debug, Clone)]
pub(crate) enum Issued {
    /// The token of this name is written into it, whatever it holds.
    Written(String),
    /// It holds what it should.
    Kept,
}

/// One secret of one stage.
pub(crate) struct WantedSecret {
    pub(crate) name: &'static str,
    /// `None` if no value was given, and nobody can be asked.
    pub(crate) source: Option<Source>,
    /// Whether a value was given, so that nobody needs to be asked.
    pub(crate) is_given: bool,
    /// Whether an existing secret is replaced.
    pub(crate) replaces: bool,
    /// The models whose smoke tests may need it.
    pub(crate) models: Vec<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Variable(String),
    Terminal,
    /// The token of this name of a service account, which another verb gets.
    Issued(String),
}

/// The values by stage and name.
#[derive(Default)]
pub(crate) struct Values(Vec<(String, &'static str, SecretString)>);

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => write!(f, "out of file `{}`", file.display()),
            Self::Variable(name) => write!(f, "out of `{name}`"),
            Self::Terminal => f.write_str("asked for on this terminal"),
            Self::Issued(name) => write!(f, "token `{name}` of the service account"),
        }
    }
}

impl Secrets {
    /// Reads flags and variables; files are only checked for existence. No value of a variable is shown from now on.
    pub(crate) fn of(
        args: &SecretFlags,
        file: &StageFile,
        stages: &[&Stage],
        may_ask: bool,
        step: &mut Step,
    ) -> Result<Self> {
        for stage in stages {
            for name in [TOKEN, MODEL_TOKEN] {
                let values = [variable(&stage.own_variable(name)), variable(name)];
                for value in values.into_iter().flatten() {
                    hide(step, &value);
                }
            }
        }
        Ok(Self {
            token_files: files("--token-file", &args.token_files, file)?,
            model_token_files: files("--model-token-file", &args.model_token_files, file)?,
            replace: args.replace_secrets,
            may_ask,
            is_alone: stages.len() == 1,
            issued: None,
        })
    }

    /// Those of a stage whose token another verb gets.
    pub(crate) fn issued(issued: Issued) -> Self {
        Self {
            token_files: Vec::new(),
            model_token_files: Vec::new(),
            replace: false,
            may_ask: false,
            is_alone: false,
            issued: Some(issued),
        }
    }

    /// The secrets that a stage may have.
    pub(crate) fn of_stage(&self, file: &StageFile, stage: &Stage) -> Vec<WantedSecret> {
        let models = file
            .models
            .iter()
            .filter(|model| model.smoke_test.is_some());
        let token = match &self.issued {
            Some(Issued::Written(name)) => Some(Source::Issued(name.clone())),
            Some(Issued::Kept) => None,
            None => self.given(TOKEN, &self.token_files, stage),
        };
        let is_issued = matches!(self.issued, Some(Issued::Written(_)));
        let model_token = self.given(MODEL_TOKEN, &self.model_token_files, stage);
        let wanted = |name, given: Option<Source>, otherwise: Option<Source>| WantedSecret {
            name,
            is_given: given.is_some(),
            source: given.or(otherwise),
            replaces: self.replace,
            models: Vec::new(),
        };
        vec![
            WantedSecret {
                replaces: self.replace || is_issued,
                ..wanted(TOKEN, token, self.may_ask.then_some(Source::Terminal))
            },
            WantedSecret {
                models: models.map(|model| model.name.clone()).collect(),
                ..wanted(MODEL_TOKEN, model_token, None)
            },
        ]
    }

    /// A file has precedence over a variable, and the stage's own variable over the one that the programs read. The
    /// latter counts only if there is one stage, and only for the credential.
    fn given(&self, name: &str, files: &[(String, PathBuf)], stage: &Stage) -> Option<Source> {
        if let Some((_, file)) = files.iter().find(|(of, _)| *of == stage.name) {
            return Some(Source::File(file.clone()));
        }
        let own = stage.own_variable(name);
        let is_meant = self.is_alone && name == TOKEN;
        let names = [Some(own), is_meant.then(|| name.to_owned())];
        let set = |name: &String| variable(name).is_some();
        names.into_iter().flatten().find(set).map(Source::Variable)
    }

    /// The values to write, each read or asked for once, before anything is written.
    pub(crate) async fn values(
        wanted: &[(&Stage, &'static str, &Source)],
        step: &mut Step,
    ) -> Result<Values> {
        let mut values = Values(Vec::new());
        for (stage, name, source) in wanted {
            let is_issued = matches!(source, Source::Issued(_));
            if !is_issued && values.of(&stage.name, name).is_none() {
                let value = read(source, name, stage).await?;
                hide(step, &value);
                values.0.push((stage.name.clone(), name, value.into()));
            }
        }
        Ok(values)
    }
}

impl Values {
    pub(crate) fn of(&self, stage: &str, name: &str) -> Option<&SecretString> {
        let mut all = self.0.iter();
        let found = all.find(|(of, called, _)| of == stage && *called == name);
        found.map(|(_, _, value)| value)
    }

    /// Sets the token of a stage, which another verb got.
    pub(crate) fn add_token(&mut self, stage: &str, value: SecretString) {
        self.0
            .retain(|(of, called, _)| of != stage || *called != TOKEN);
        self.0.push((stage.to_owned(), TOKEN, value));
    }
}

/// Keeps a value out of everything that is shown; for tokens of several models, each one.
fn hide(step: &mut Step, value: &str) {
    for line in value.lines() {
        step.hide_text(line);
        if let Some((_, token)) = line.split_once('=') {
            step.hide_text(token.trim());
        }
    }
}

/// Reads `STAGE=FILE`s.
fn files(flag: &str, given: &[String], file: &StageFile) -> Result<Vec<(String, PathBuf)>> {
    let read = |text: &String| {
        let (stage, path) = text.split_once('=').ok_or_else(|| {
            CommandError::usage(format!(
                "`{flag}` takes `STAGE=FILE`, such as `dev=token.txt`"
            ))
        })?;
        let stage = file.stage(stage)?;
        if !Path::new(path).is_file() {
            let error = format!("the file `{path}` of `{flag}` cannot be found");
            return Err(CommandError::usage(error));
        }
        Ok((stage.name.clone(), path.into()))
    };
    given.iter().map(read).collect()
}

async fn read(source: &Source, name: &str, stage: &Stage) -> Result<String> {
    let value = match source {
        Source::Variable(variable_name) => variable(variable_name).unwrap_or_default(),
        Source::File(path) => std::fs::read_to_string(path).with_context(|| {
            CommandError::new(
                Exit::Usage,
                format!("cannot read the file `{}`", path.display()),
            )
        })?,
        Source::Issued(_) => String::new(),
        Source::Terminal => {
            let question = format!("`{name}` for stage `{}` (not shown): ", stage.name);
            hidden::answer(&question).await?
        }
    };
    let value = value.trim();
    if value.is_empty() {
        let error = format!(
            "there is no value for secret `{name}` of stage `{}`: it is empty {source}",
            stage.name
        );
        return Err(CommandError::usage(error).hint("nothing was changed"));
    }
    Ok(value.to_owned())
}
