//! A hold: an entity that was rolled back in a stage stays there, and a later merge does not change it, until
//! somebody releases it.
//!
//! The hold is part of the marker that the rollback writes, so the write that rolls back is the write that holds. No
//! step can come between, and no receipt, variable or further permission is needed to see it.

use std::fmt;

use jiff::civil::Date;

use crate::commit::Commit;
use crate::error::{CommandError, Result};
use crate::step::ticked;

/// That something stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The day of the rollback, in UTC.
    pub since: Date,
    /// The beginning of the commit that was rolled back from, if that was known.
    pub from: Option<String>,
}

/// What a person may say of a hold.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct HoldFlags {
    /// Hold it there: what is merged later does not move it in this stage, until `--release`
    #[arg(long, env = "DEPLOY_HOLD", value_parser = ticked, conflicts_with = "release")]
    pub hold: bool,
    /// Deploy it although it is held in this stage since it went back, and hold it no longer
    #[arg(long, env = "DEPLOY_RELEASE", value_parser = ticked)]
    pub release: bool,
}

/// What runs in a stage, and what is to replace it.
#[derive(Debug, Clone, Copy)]
pub struct Moving<'a> {
    /// What it is: ``app `dashboard` ``.
    pub what: &'a str,
    /// The entity's name in the stage file.
    pub entity: &'a str,
    /// The stage's name in the stage file.
    pub stage: &'a str,
    /// The commit that runs, or the beginning of its id.
    pub runs: Option<&'a str>,
    /// The hold on what runs.
    pub held: Option<&'a Hold>,
    /// Whether exactly that runs already.
    pub is_same: bool,
    /// Whether somebody asked for an older commit.
    pub back: bool,
}

impl Hold {
    /// A hold that begins today.
    pub fn now(from: Option<&str>) -> Self {
        let from = from.map(|commit| commit.chars().take(12).collect());
        Self {
            since: jiff::Timestamp::now()
                .to_zoned(jiff::tz::TimeZone::UTC)
                .date(),
            from,
        }
    }

    /// Reads a hold from the words of a marker: `hold 2026-11-30 from 3f2a91c0b1d2`.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let since = (words.next()? == "hold")
            .then(|| words.next()?.parse().ok())
            .flatten()?;
        let from = match (words.next(), words.next()) {
            (None, None) => None,
            (Some("from"), Some(from)) => Some(from.to_owned()),
            _ => return None,
        };
        words.next().is_none().then_some(Self { since, from })
    }

    fn is_from(&self, commit: &Commit) -> bool {
        let from = self.from.as_deref();
        from.is_some_and(|from| commit.as_str().starts_with(from))
    }

    /// The same as a line of a plan.
    pub fn fact(&self) -> String {
        format!("at this commit since {}, until `--release`", self.since)
    }

    /// The same for people.
    pub fn in_words(&self) -> String {
        match &self.from {
            Some(from) => format!(
                "held since {}, when it went back from commit {from}",
                self.since
            ),
            None => format!("held since {}, when it went back", self.since),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hold {}", self.since)?;
        match &self.from {
            Some(from) => write!(f, " from {from}"),
            None => Ok(()),
        }
    }
}

impl HoldFlags {
    /// The hold that the next deployment has. What is held is not replaced, unless somebody asked for that.
    ///
    /// # Errors
    /// It is held, and something else is to be deployed.
    pub fn settle(&self, moving: Moving<'_>, wanted: &Commit) -> Result<Option<Hold>> {
        if self.hold {
            let before = moving.held.and_then(|held| held.from.as_deref());
            let left = moving.runs.filter(|_| !moving.is_same);
            return Ok(Some(Hold::now(before.or(left))));
        }
        match moving.held {
            Some(held) if !self.release && moving.is_same => Ok(Some(held.clone())),
            Some(held) if !self.release => {
                let text = format!("is {}: commit {wanted} was not deployed", held.in_words());
                Err(moving.refused(&text))
            }
            Some(held) if !moving.back && held.is_from(wanted) => Err(CommandError::refused(format!(
                "{} in stage `{}` is {}, and that is the commit of this workflow run or checkout",
                moving.what,
                moving.stage,
                held.in_words()
            ))
            .hint("merge what repairs it, and release it then; to deploy that very commit again, give `--back` as well")),
            _ => Ok(None),
        }
    }
}

impl Moving<'_> {
    /// That it is not moved, because it is held.
    pub fn refused(&self, why: &str) -> CommandError {
        let (what, entity, stage) = (self.what, self.entity, self.stage);
        CommandError::refused(format!("{what} in stage `{stage}` {why}")).hint(format!(
            "once it may go on: `domino-pipeline back --stage {stage} --entity {entity} --release`, or run back.yml with \
             the target `release`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Hold {
        Hold {
            since: "2026-11-30".parse().unwrap(),
            from: Some("3f2a91c0b1d2".into()),
        }
    }

    fn settled(flags: &HoldFlags, held: Option<&Hold>, is_same: bool) -> Result<Option<Hold>> {
        let moving = Moving {
            what: "app `dashboard`",
            entity: "dashboard",
            stage: "prod",
            runs: Some("bbbbbbbbbbbbbbbb"),
            held,
            is_same,
            back: false,
        };
        flags.settle(moving, &Commit::whole(&"a".repeat(40)).unwrap())
    }

    #[test]
    fn a_hold_is_read_as_it_is_written() {
        let bare = Hold {
            from: None,
            ..held()
        };
        for hold in [held(), bare] {
            assert_eq!(Hold::read(&hold.to_string()), Some(hold));
        }
        assert_eq!(held().to_string(), "hold 2026-11-30 from 3f2a91c0b1d2");
        for other in [
            "",
            "hold",
            "hold on",
            "hold 2026-11-30 from",
            "hold 2026-11-30 to x",
            "hold 2026-11-30 from x y",
        ] {
            assert_eq!(Hold::read(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_held_moves_only_when_that_is_asked_for() {
        let neither = HoldFlags::default();
        let refused = settled(&neither, Some(&held()), false).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "app `dashboard` in stage `prod` is held since 2026-11-30, when it went back from commit 3f2a91c0b1d2: \
                 commit {} was not deployed",
                "a".repeat(40)
            )
        );
        assert!(
            refused
                .to_do()
                .unwrap()
                .contains("--entity dashboard --release")
        );
        assert_eq!(
            settled(&neither, Some(&held()), true).unwrap(),
            Some(held())
        );
        assert_eq!(settled(&neither, None, false).unwrap(), None);
        let release = HoldFlags {
            release: true,
            ..HoldFlags::default()
        };
        assert_eq!(settled(&release, Some(&held()), false).unwrap(), None);
    }

    #[test]
    fn what_it_went_back_from_is_not_released_by_accident() {
        let release = HoldFlags {
            release: true,
            ..HoldFlags::default()
        };
        let from_wanted = Hold {
            from: Some("a".repeat(12)),
            ..held()
        };
        let refused = settled(&release, Some(&from_wanted), false).unwrap_err();
        assert!(
            refused
                .to_do()
                .unwrap()
                .starts_with("merge what repairs it")
        );
    }

    #[test]
    fn going_back_twice_keeps_what_was_left_first() {
        let hold = HoldFlags {
            hold: true,
            ..HoldFlags::default()
        };
        let from =
            |held: Option<&Hold>, is_same| settled(&hold, held, is_same).unwrap().unwrap().from;
        assert_eq!(from(None, false).as_deref(), Some("bbbbbbbbbbbb"));
        assert_eq!(from(Some(&held()), false), held().from);
        assert_eq!(from(None, true), None);
    }
}
