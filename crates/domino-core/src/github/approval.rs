//! Whether this workflow run was approved for an environment on GitHub, by somebody who may approve it.
//!
//! It sends no request: it is given what GitHub told, and what disqualifies an approver.

use stage_file::SelfApproval;

use super::{ReviewDecision, RunReview};

/// Whose approval of a run counts for an environment.
#[derive(Clone, Copy)]
pub struct ApprovalRules<'a> {
    /// The name of the GitHub environment that the run enters.
    pub environment: &'a str,
    /// The approvers in the stage file: logins, and teams as `team:<slug>`. If empty, anybody whom GitHub allows.
    pub approvers: &'a [String],
    /// Why the run is a person's own work, if it is: `who started this workflow run`.
    pub own_work: &'a dyn Fn(&str) -> Option<&'static str>,
    /// Whether an approval of one's own work counts.
    pub self_approval: SelfApproval,
    /// Whether this is a later attempt. A refusal in one attempt may be followed by an approval in another, and the
    /// other way round. GitHub tells both, but not for which attempt, nor when.
    pub is_rerun: bool,
}

/// What the reviews of a run amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunApproval {
    /// Somebody who may approve has done so.
    Given {
        /// Who approved, and in which role.
        reason: String,
        /// Their logins.
        by: Vec<String>,
        /// Notes that a reader must not miss.
        remarks: Vec<String>,
    },
    /// Nobody has answered yet.
    Missing {
        /// The reason, in words.
        reason: String,
    },
    /// It was refused, or approved only by people who may not approve.
    Refused {
        /// The reason, in words.
        reason: String,
        /// What can be done about it.
        hint: &'static str,
    },
}

impl ApprovalRules<'_> {
    /// Evaluates what the reviewers of the run said.
    pub fn evaluate(&self, reviews: &[RunReview]) -> RunApproval {
        let here: Vec<&RunReview> = reviews
            .iter()
            .filter(|review| {
                let names = &review.environments;
                names
                    .iter()
                    .any(|name| name.to_lowercase() == self.environment.to_lowercase())
            })
            .collect();
        let said = |decision: &ReviewDecision| {
            let who = here.iter().filter(|review| review.decision == *decision);
            who.map(|review| review.user.as_str()).collect::<Vec<_>>()
        };
        let environment = self.environment;
        let approved = said(&ReviewDecision::Approved);
        if let Some(user) = said(&ReviewDecision::Rejected).last()
            && (approved.is_empty() || !self.is_rerun)
        {
            let user = login_text(user);
            return RunApproval::Refused {
                reason: format!("environment `{environment}` was refused by {user}"),
                hint: "talk to them; running the job again asks for an approval once more",
            };
        }
        if approved.is_empty() {
            return RunApproval::Missing {
                reason: format!("nobody has approved environment `{environment}` for this run"),
            };
        }
        self.by_those_who_may(&approved)
    }

    fn by_those_who_may(&self, approved: &[&str]) -> RunApproval {
        let mut objections = Vec::new();
        let mut counted: Vec<&str> = Vec::new();
        let mut remarks = Vec::new();
        for &user in approved {
            let own = (self.own_work)(user);
            let objection = match own {
                Some(own) if self.self_approval == SelfApproval::Refuse => Some(own),
                _ => self.objection(user),
            };
            match objection {
                Some(objection) => objections.push(format!("{}, {objection}", login_text(user))),
                None if counted.contains(&user) => {}
                None => counted.push(user),
            }
        }
        if counted.is_empty() {
            return RunApproval::Refused {
                reason: format!("approved only by {}", objections.join(" and by ")),
                hint: "let somebody else approve: run the job again, and it waits for an approval once more",
            };
        }
        // One approval by somebody else is enough.
        let own = counted.iter().map(|user| (self.own_work)(user));
        if let Some(own) = own.collect::<Option<Vec<_>>>() {
            let (user, own, environment) = (login_text(counted[0]), own[0], self.environment);
            remarks.push(format!(
                "environment `{environment}` was approved only by {user}, {own}; `self-approval = \"warn\"` lets it pass"
            ));
        }
        if self.is_rerun {
            remarks.push(
                "this workflow run was run again, and GitHub does not tell which attempt an approval was given to"
                    .into(),
            );
        }
        let names: Vec<String> = counted.iter().map(|user| login_text(user)).collect();
        RunApproval::Given {
            reason: format!(
                "approved by {}{}",
                names.join(" and "),
                self.team_remark(&counted)
            ),
            by: counted.into_iter().map(str::to_owned).collect(),
            remarks,
        }
    }

    fn objection(&self, user: &str) -> Option<&'static str> {
        if user.is_empty() {
            return Some("whose account is gone");
        }
        let named = self.approvers.is_empty() || self.is_named(user) || self.has_teams();
        (!named).then_some("who is none of the stage's `approvers`")
    }

    /// A job's token may not read who is in a team. GitHub itself lets only required reviewers approve, so somebody
    /// who is not named counts as a member of a team that is.
    fn team_remark(&self, counted: &[&str]) -> &'static str {
        let unnamed = counted.iter().any(|user| !self.is_named(user));
        match !self.approvers.is_empty() && unnamed {
            true => ", whose team GitHub does not tell a job's token",
            false => "",
        }
    }

    fn is_named(&self, user: &str) -> bool {
        self.approvers
            .iter()
            .any(|approver| approver.to_lowercase() == user.to_lowercase())
    }

    fn has_teams(&self) -> bool {
        self.approvers
            .iter()
            .any(|approver| approver.starts_with("team:"))
    }
}

fn login_text(user: &str) -> String {
    match user {
        "" => "somebody".into(),
        user => format!("`{user}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(decision: ReviewDecision, user: &str, environment: &str) -> RunReview {
        RunReview {
            decision,
            user: user.into(),
            environments: vec![environment.into()],
        }
    }

    fn yes(user: &str) -> RunReview {
        review(ReviewDecision::Approved, user, "PROD")
    }

    /// Ada trained it, ben started the workflow run.
    fn own_work(user: &str) -> Option<&'static str> {
        match user.to_lowercase().as_str() {
            "ada" => Some("who trained the version"),
            "ben" => Some("who started this workflow run"),
            _ => None,
        }
    }

    fn rules(approvers: &[String]) -> ApprovalRules<'_> {
        ApprovalRules {
            environment: "prod",
            approvers,
            own_work: &own_work,
            self_approval: SelfApproval::Refuse,
            is_rerun: false,
        }
    }

    /// Whether it is given, and the reason.
    fn result(approvers: &[&str], reviews: &[RunReview]) -> (bool, String) {
        let approvers: Vec<String> = approvers.iter().map(|&name| name.to_owned()).collect();
        told(rules(&approvers).evaluate(reviews))
    }

    fn told(approval: RunApproval) -> (bool, String) {
        match approval {
            RunApproval::Given { reason, .. } => (true, reason),
            RunApproval::Missing { reason } | RunApproval::Refused { reason, .. } => {
                (false, reason)
            }
        }
    }

    #[test]
    fn an_approval_for_the_environment_counts_and_for_another_does_not() {
        let other = review(ReviewDecision::Approved, "cleo", "STAGE");
        let reason = "nobody has approved environment `prod` for this run".to_owned();
        assert_eq!(
            rules(&[]).evaluate(&[other]),
            RunApproval::Missing { reason }
        );
        assert_eq!(
            result(&["cleo"], &[yes("Cleo")]),
            (true, "approved by `Cleo`".into())
        );
    }

    #[test]
    fn whoever_approves_twice_is_told_once() {
        assert_eq!(
            result(&[], &[yes("cleo"), yes("dan"), yes("cleo")]),
            (true, "approved by `cleo` and `dan`".into())
        );
    }

    #[test]
    fn nobody_approves_their_own_work() {
        assert_eq!(
            result(&[], &[yes("Ada")]),
            (
                false,
                "approved only by `Ada`, who trained the version".into()
            )
        );
        assert_eq!(
            result(&[], &[yes("ben")]).1,
            "approved only by `ben`, who started this workflow run"
        );
        assert_eq!(
            result(&[], &[yes("ben"), yes("cleo")]),
            (true, "approved by `cleo`".into()),
            "a second pair of eyes is enough"
        );
    }

    #[test]
    fn a_team_of_one_may_approve_its_own_work_with_a_warning() {
        let of_one = |reviews: &[RunReview]| {
            let rules = ApprovalRules {
                self_approval: SelfApproval::Warn,
                ..rules(&[])
            };
            match rules.evaluate(reviews) {
                RunApproval::Given { by, remarks, .. } => (by, remarks),
                other => panic!("{other:?}"),
            }
        };
        let (by, remarks) = of_one(&[yes("ben")]);
        assert_eq!(by, ["ben"]);
        assert_eq!(
            remarks,
            [
                "environment `prod` was approved only by `ben`, who started this workflow run; \
                 `self-approval = \"warn\"` lets it pass"
            ]
        );
        let (by, remarks) = of_one(&[yes("ben"), yes("cleo")]);
        assert_eq!((by.len(), remarks.len()), (2, 0));
    }

    #[test]
    fn an_approver_is_one_of_those_named() {
        assert_eq!(
            result(&["dora"], &[yes("cleo")]).1,
            "approved only by `cleo`, who is none of the stage's `approvers`"
        );
        assert_eq!(
            result(&["dora", "team:leads"], &[yes("cleo")]),
            (
                true,
                "approved by `cleo`, whose team GitHub does not tell a job's token".into()
            )
        );
        assert_eq!(
            result(&["dora", "team:leads"], &[yes("dora")]).1,
            "approved by `dora`"
        );
    }

    #[test]
    fn a_refusal_is_told_with_its_name() {
        let no = review(ReviewDecision::Rejected, "dora", "Prod");
        assert_eq!(
            result(&[], &[yes("cleo"), no.clone()]),
            (false, "environment `prod` was refused by `dora`".into())
        );
        let again = ApprovalRules {
            is_rerun: true,
            ..rules(&[])
        };
        assert_eq!(
            told(again.evaluate(&[no, yes("cleo")])).1,
            "approved by `cleo`",
            "what an earlier attempt was refused, this one was given"
        );
        let remarks = |rules: ApprovalRules<'_>| match rules.evaluate(&[yes("cleo")]) {
            RunApproval::Given { remarks, .. } => remarks.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(remarks(rules(&[])), 0);
        assert_eq!(remarks(again), 1, "it may be that of the earlier attempt");
        assert_eq!(
            result(&[], &[yes("")]).1,
            "approved only by somebody, whose account is gone"
        );
    }
}
