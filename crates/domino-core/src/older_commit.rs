//! Refuses a commit that is older than the one that runs, unless the caller wants that; and says what is not known
//! about the two.

use crate::api::GitRef;
use crate::client::Connection;
use crate::commit::Commit;
use crate::commit_order::CommitOrder;
use crate::error::{CommandError, Result};

/// What runs in Domino now.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    /// What runs it: ``app `dashboard` ``.
    pub what: &'a str,
    /// The branch, tag or commit that it runs, if Domino tells.
    pub git_ref: Option<&'a GitRef>,
    /// Who deployed it and when, as far as Domino tells: `, published by ann`.
    pub deployed: &'a str,
}

/// What to say about how the two commits relate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderNotes {
    /// For the plan.
    pub fact: Option<String>,
    /// For the reader of the summary.
    pub warning: Option<String>,
}

impl Running<'_> {
    /// Compares what runs with the wanted commit. An older one is an error, unless `back` allows it. If they are the
    /// same, nothing is asked.
    pub async fn check_order(
        self,
        wanted: &Commit,
        connection: &Connection,
        back: bool,
    ) -> Result<OrderNotes> {
        let Some(GitRef::Commit(running)) = self.git_ref else {
            return Ok(OrderNotes::default());
        };
        // Domino may show only the first digits, which git may recognise.
        let variable = |name: &str| std::env::var(name).ok();
        let Ok(running) = Commit::wanted(Some(running)) else {
            let order = CommitOrder::on_github(wanted, running, connection, variable).await;
            return match order {
                CommitOrder::Unknown(_) => Ok(OrderNotes {
                    fact: Some(format!(
                        "not known: git does not know commit {running}, which runs"
                    )),
                    warning: None,
                }),
                order => self.evaluate(wanted, running, order, back),
            };
        };
        let order = CommitOrder::of(wanted, &running, connection, variable).await;
        self.evaluate(wanted, running.as_str(), order, back)
    }

    fn evaluate(
        self,
        wanted: &Commit,
        running: &str,
        order: CommitOrder,
        back: bool,
    ) -> Result<OrderNotes> {
        let (new, old) = (wanted.short(), &running[..running.len().min(12)]);
        Ok(match order {
            CommitOrder::Same | CommitOrder::Newer => OrderNotes::default(),
            CommitOrder::Older if back => OrderNotes {
                fact: Some(format!("goes back from commit {old}, as `--back` says")),
                warning: None,
            },
            CommitOrder::Older => {
                return Err(CommandError::refused(format!(
                    "commit {wanted} is older than commit {running}, which {} runs{}",
                    self.what, self.deployed
                ))
                .hint(
                    "another run has deployed a newer commit meanwhile: leave it; to go back on purpose, give `--back`",
                ));
            }
            CommitOrder::Diverged => OrderNotes {
                fact: None,
                warning: Some(format!(
                    "commit {new} does not have all of commit {old}, which {} runs{}: they are of two branches, or the \
                     branch was rewritten",
                    self.what, self.deployed
                )),
            },
            CommitOrder::Unknown(reason) => OrderNotes {
                fact: Some(format!(
                    "not known whether {new} is newer than commit {old}, which runs: {reason}"
                )),
                warning: None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(order: CommitOrder, back: bool) -> Result<OrderNotes> {
        let (wanted, running) = ("a".repeat(40), "b".repeat(40));
        let running_now = Running {
            what: "app `dashboard`",
            git_ref: None,
            deployed: ", published by ann",
        };
        running_now.evaluate(&Commit::whole(&wanted).unwrap(), &running, order, back)
    }

    #[test]
    fn an_older_commit_is_refused_with_both_named_unless_it_is_wanted() {
        let refused = told(CommitOrder::Older, false).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "commit {} is older than commit {}, which app `dashboard` runs, published by ann",
                "a".repeat(40),
                "b".repeat(40)
            )
        );
        assert!(refused.to_do().unwrap().contains("`--back`"));
        assert!(told(CommitOrder::Older, true).unwrap().fact.is_some());
    }

    #[test]
    fn what_is_not_known_is_told_and_stops_nothing() {
        let unknown = told(CommitOrder::Unknown("no history".into()), false).unwrap();
        assert!(unknown.fact.unwrap().ends_with("which runs: no history"));
        assert!(
            told(CommitOrder::Diverged, false)
                .unwrap()
                .warning
                .is_some()
        );
        assert_eq!(
            told(CommitOrder::Newer, false).unwrap(),
            OrderNotes::default()
        );
    }
}
