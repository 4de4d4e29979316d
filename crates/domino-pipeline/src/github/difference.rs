//! Compares an environment with what the stage file asks for: the lines of the plan, and the writes behind them.

use domino_core::error::{CommandError, Result};
use domino_core::github::{BranchLimit, Protection, Reviewer, Secret};
use domino_core::step::ChangeKind;
use stage_file::Stage;

use super::access::Repository;
use super::existing::Existing;
use super::secret::{MODEL_TOKEN, Source, TOKEN, WantedSecret};
use super::wanted::{VARIABLE, Wanted};

/// The most reviewers that GitHub accepts.
const MOST_REVIEWERS: usize = 6;
/// A user's key, which can replace a token.
const API_KEY: &str = "DOMINO_USER_API_KEY";

/// What is to be done to one environment.
pub(crate) struct EnvironmentPlan<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) environment: &'a str,
    pub(crate) stage: &'a Stage,
    /// A line for each thing.
    pub(crate) lines: Vec<(ChangeKind, String)>,
    /// In the order in which they are sent: a secret comes last, when the environment is protected.
    pub(crate) writes: Vec<Write>,
    /// Whether it will still have no credential.
    lacks_token: bool,
}

/// One write, or for branches as many as it takes.
pub(crate) enum Write {
    Rules {
        rules: Protection,
        before: Option<Protection>,
    },
    Branches {
        branch: String,
    },
    Variable {
        value: String,
        is_there: bool,
    },
    Secret {
        name: &'static str,
        source: Source,
        before: Option<Secret>,
    },
}

impl Write {
    /// Whether it writes the secret of the token.
    pub(crate) fn is_token(&self) -> bool {
        matches!(self, Self::Secret { name, .. } if *name == TOKEN)
    }
}

impl std::fmt::Display for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rules { .. } => f.write_str("rules"),
            Self::Branches { .. } => f.write_str("branches"),
            Self::Variable { .. } => write!(f, "variable `{VARIABLE}`"),
            Self::Secret { name, .. } => write!(f, "secret `{name}`"),
        }
    }
}

impl<'a> EnvironmentPlan<'a> {
    /// Compares, and changes nothing.
    pub(crate) fn new(
        repository: &'a Repository,
        wanted: Wanted<'a>,
        existing: Existing,
    ) -> Result<Self> {
        let mut plan = Self {
            repository,
            environment: wanted.environment,
            stage: wanted.stage,
            lines: Vec::new(),
            writes: Vec::new(),
            lacks_token: false,
        };
        plan.rules(&wanted, &existing)?;
        plan.branches(&wanted, &existing);
        plan.variable(&wanted, &existing);
        for secret in &wanted.secrets {
            plan.secret(secret, &existing);
        }
        Ok(plan)
    }

    /// What the environment will still lack, in words.
    pub(crate) fn lacks(&self) -> Option<String> {
        let (environment, name) = (self.environment, &self.repository.name);
        self.lacks_token
            .then(|| format!("environment `{environment}` of `{name}` has no secret `{TOKEN}`"))
    }

    fn line(&mut self, kind: ChangeKind, text: impl Into<String>) {
        self.lines.push((kind, text.into()));
    }

    fn rules(&mut self, wanted: &Wanted<'_>, existing: &Existing) -> Result<()> {
        let had = existing.protection.clone().unwrap_or_default();
        let changed = match existing.protection {
            Some(_) => ChangeKind::Update,
            None => ChangeKind::Create,
        };
        if existing.protection.is_none() {
            self.line(ChangeKind::Create, "a new environment");
        }
        let mut rules = Protection {
            reviewers: self.reviewers(wanted, &had)?,
            branches: BranchLimit::Named,
            ..had.clone()
        };
        if !wanted.starters.is_empty() {
            let names: Vec<String> = wanted
                .starters
                .iter()
                .map(|one| format!("`{one}`"))
                .collect();
            self.line(
                ChangeKind::Keep,
                format!(
                    "entered by a run that {} starts by hand, and no reviewer is asked for",
                    names.join(" or ")
                ),
            );
        }
        // Without any reviewer, GitHub accepts no rule about self-review.
        if !wanted.reviewers.is_empty() {
            rules.prevents_self_review = wanted.prevents_self_review;
            match (had.prevents_self_review, rules.prevents_self_review) {
                (false, true) => {
                    self.line(changed, "who starts a run may not approve it");
                }
                (true, false) => self.line(
                    ChangeKind::Update,
                    "who starts a run may approve it, as `self-approval` says",
                ),
                _ => {}
            }
        }
        match wanted.wait_timer {
            Some(minutes) if minutes != had.wait_timer => {
                rules.wait_timer = minutes;
                let text = match had.wait_timer {
                    0 => format!("wait timer: {minutes} min"),
                    before => format!("wait timer: {before} → {minutes} min"),
                };
                self.line(changed, text);
            }
            Some(minutes) if minutes != 0 => {
                self.line(ChangeKind::Keep, format!("wait timer: {minutes} min"));
            }
            None if had.wait_timer != 0 => self.line(
                ChangeKind::Keep,
                format!(
                    "wait timer: {} min, which stages.toml does not name",
                    had.wait_timer
                ),
            ),
            _ => {}
        }
        if had.admins_may_bypass == Some(true) && !rules.reviewers.is_empty() {
            self.line(
                ChangeKind::Keep,
                "administrators may let a job in unapproved; that can be changed on its page only",
            );
        }
        if existing.protection.as_ref() != Some(&rules) {
            self.writes.push(Write::Rules {
                rules,
                before: existing.protection.clone(),
            });
        }
        Ok(())
    }

    /// The named reviewers and the existing ones: reviewers that were added by hand stay. Only the named ones count
    /// for a deployment.
    fn reviewers(&mut self, wanted: &Wanted<'_>, had: &Protection) -> Result<Vec<Reviewer>> {
        let is_among = |all: &[Reviewer], one: &Reviewer| {
            all.iter()
                .any(|known| known.kind == one.kind && known.id == one.id)
        };
        for reviewer in &wanted.reviewers {
            let kind = match is_among(&had.reviewers, reviewer) {
                true => ChangeKind::Keep,
                false => ChangeKind::Create,
            };
            self.line(kind, format!("approved by `{}`", reviewer.name));
        }
        let is_other = |one: &&Reviewer| !is_among(&wanted.reviewers, one);
        let others: Vec<Reviewer> = had.reviewers.iter().filter(is_other).cloned().collect();
        for other in &others {
            let text = format!(
                "reviewer `{}` stays: set by hand, not in stages.toml",
                other.name
            );
            self.line(ChangeKind::Keep, text);
        }
        let count = wanted.reviewers.len() + others.len();
        if count > MOST_REVIEWERS {
            let names: Vec<String> = others.iter().map(|one| format!("`{}`", one.name)).collect();
            let error = format!(
                "environment `{}` would have {count} reviewers, and GitHub takes {MOST_REVIEWERS}: those of stages.toml, \
                 and {} who were added by hand",
                wanted.environment,
                names.join(", ")
            );
            return Err(CommandError::refused(error)
                .hint("remove some of them in the repository's settings, or name a team in place of people")
                .at(wanted.file, &["stage", &wanted.stage.name, "approvers"]));
        }
        Ok([wanted.reviewers.clone(), others].concat())
    }

    fn branches(&mut self, wanted: &Wanted<'_>, existing: &Existing) {
        let branch = wanted.branch;
        let limit = existing.protection.as_ref().map(|had| had.branches);
        let is_named = existing.policies.iter().any(|one| one.is_branch(branch));
        let others: Vec<_> = existing
            .policies
            .iter()
            .filter(|one| !one.is_branch(branch))
            .collect();
        let is_limited = limit == Some(BranchLimit::Named);
        let only = format!("only branch `{branch}` may deploy");
        match limit {
            None => self.line(ChangeKind::Create, only),
            Some(BranchLimit::Named) if is_named && others.is_empty() => {
                self.line(ChangeKind::Keep, only);
            }
            Some(BranchLimit::Named) if is_named => {
                self.line(ChangeKind::Keep, format!("branch `{branch}` may deploy"));
            }
            Some(BranchLimit::Named) => {
                self.line(ChangeKind::Create, format!("branch `{branch}` may deploy"));
            }
            Some(BranchLimit::Any) => {
                self.line(
                    ChangeKind::Update,
                    format!("{only}, in place of any branch"),
                );
            }
            Some(BranchLimit::Protected) => self.line(
                ChangeKind::Update,
                format!("{only}, in place of protected branches"),
            ),
        }
        for other in &others {
            self.line(ChangeKind::Remove, format!("{other} may deploy no longer"));
        }
        if !is_limited || !is_named || !others.is_empty() {
            self.writes.push(Write::Branches {
                branch: branch.to_owned(),
            });
        }
    }

    fn variable(&mut self, wanted: &Wanted<'_>, existing: &Existing) {
        let value = wanted.environment;
        let text = match &existing.variable {
            Some(there) if wanted.is_meant_by(there) => {
                return self.line(
                    ChangeKind::Keep,
                    format!("variable `{VARIABLE}` = `{there}`"),
                );
            }
            Some(there) => format!("variable `{VARIABLE}`: `{there}` → `{value}`"),
            None => format!("variable `{VARIABLE}` = `{value}`"),
        };
        let is_there = existing.variable.is_some();
        let kind = match is_there {
            true => ChangeKind::Update,
            false => ChangeKind::Create,
        };
        self.line(kind, text);
        self.writes.push(Write::Variable {
            value: value.to_owned(),
            is_there,
        });
    }

    fn secret(&mut self, wanted: &WantedSecret, existing: &Existing) {
        let name = wanted.name;
        let there = |name: &str| existing.secrets.iter().find(|secret| secret.name == name);
        let before = there(name).cloned();
        let kind = match &before {
            Some(_) => ChangeKind::Update,
            None => ChangeKind::Create,
        };
        match &wanted.source {
            Some(source) if wanted.writes_over(before.is_some(), there(API_KEY).is_some()) => {
                let anew = if before.is_some() { " anew" } else { "" };
                self.line(kind, format!("secret `{name}`{anew}, {source}"));
                let source = source.clone();
                self.writes.push(Write::Secret {
                    name,
                    source,
                    before,
                });
            }
            source => match (before, name) {
                (Some(secret), _) => {
                    let since = secret
                        .updated_at
                        .map_or_else(String::new, |at| format!(" of {}", at.strftime("%Y-%m-%d")));
                    let advice = match source {
                        Some(_) if wanted.is_given => "; `--replace-secrets` writes it anew",
                        _ => "",
                    };
                    let text = format!("secret `{name}`{since} stays{advice}");
                    self.line(ChangeKind::Keep, text);
                }
                (None, TOKEN) if there(API_KEY).is_some() => {
                    self.line(
                        ChangeKind::Keep,
                        format!("secret `{API_KEY}` serves in place of `{TOKEN}`"),
                    );
                }
                (None, TOKEN) => self.lacks_token = true,
                (None, MODEL_TOKEN) if !wanted.models.is_empty() => {
                    let names: Vec<String> = wanted
                        .models
                        .iter()
                        .map(|model| format!("`{model}`"))
                        .collect();
                    let text = format!(
                        "no secret `{MODEL_TOKEN}`: the smoke test of {} needs it where the endpoint is restricted",
                        names.join(", ")
                    );
                    self.line(ChangeKind::Keep, text);
                }
                _ => {}
            },
        }
    }
}

impl WantedSecret {
    /// Whether it is written: if it does not exist, or was asked to be replaced. No token is asked for if a user's
    /// key exists.
    fn writes_over(&self, is_there: bool, has_key: bool) -> bool {
        match is_there {
            true => self.replaces,
            false => self.is_given || !has_key,
        }
    }
}
