//! What is shown of a deployment, wherever it is known from, and all of them together.

use domino_core::receipt::{History, SealedReceipt};
use jiff::Timestamp;
use serde::Serialize;

use super::time::Period;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum View {
    /// All deployments.
    All,
    /// What ran at a time.
    At(Timestamp),
    /// Who approved what within a period.
    Audit(Period),
}

/// One deployment. As JSON it is the documented shape of a row of `history --format json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// When it was green.
    pub(super) at: Option<Timestamp>,
    pub(super) stage: String,
    pub(super) kind: &'static str,
    pub(super) entity: String,
    pub(super) commit: String,
    /// The version of the registered model.
    pub(super) version: Option<String>,
    pub(super) outcome: String,
    /// Who wrote the commit, else who started it.
    pub(super) author: Option<String>,
    pub(super) started_by: Option<String>,
    /// Each with where.
    pub(super) approved_by: Vec<String>,
    pub(super) without_receipt: Option<String>,
    /// The receipt that somebody went back to.
    pub(super) back: Option<String>,
    pub(super) workflow_run: Option<String>,
    pub(super) data_plane: Option<String>,
    pub(super) hardware_tier: Option<String>,
    /// `receipt`, or who else tells of it: `GitHub`, `Domino`.
    pub(super) source: &'static str,
    /// The hash of the receipt; nothing where there is none.
    pub(super) receipt: Option<String>,
}

/// What was asked, and what came of it.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) view: View,
    pub(super) rows: Vec<Row>,
    /// Receipts that were altered or left out.
    pub(super) flaws: Vec<String>,
    /// Who was not asked what has no receipt, and why.
    pub(super) not_asked: Vec<String>,
    pub(super) is_linked: bool,
}

/// The same as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    /// Which shape this document has: 1.
    format: u32,
    at: Option<Timestamp>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    linked: bool,
    flaws: &'a [String],
    gaps: Vec<String>,
    not_asked: &'a [String],
    deployments: &'a [Row],
}

impl View {
    /// The receipts that belong to it.
    pub(super) fn of<'a>(&self, history: &'a History) -> Vec<&'a SealedReceipt> {
        match self {
            Self::All => history.receipts().collect(),
            Self::At(time) => history.at(*time),
            Self::Audit(period) => history
                .receipts()
                .filter(|sealed| period.contains(sealed.receipt.at))
                .collect(),
        }
    }
}

impl Row {
    pub(super) fn of(sealed: &SealedReceipt) -> Self {
        let SealedReceipt { receipt, hash, .. } = sealed;
        let version = receipt.what.model_version.as_ref();
        let approvals = receipt.who.approvals.iter();
        Self {
            at: Some(receipt.at),
            stage: receipt.stage.clone(),
            kind: receipt.kind.word(),
            entity: receipt.entity.clone(),
            commit: receipt.commit.clone(),
            version: version.map(|version| version.version.to_string()),
            outcome: receipt.outcome.word().to_owned(),
            author: receipt.who.author.clone(),
            started_by: receipt.who.started_by.clone(),
            approved_by: approvals
                .map(|given| match given.r#where.as_str() {
                    "" => given.by.clone(),
                    place => format!("{} ({place})", given.by),
                })
                .collect(),
            without_receipt: receipt.without_receipt.clone(),
            back: receipt.back.clone(),
            workflow_run: receipt.r#where.workflow_run.clone(),
            data_plane: receipt.what.data_plane.clone(),
            hardware_tier: receipt.what.hardware_tier.clone(),
            source: "receipt",
            receipt: Some(hash.clone()),
        }
    }

    /// One that has no receipt.
    pub(super) fn without(source: &'static str, stage: &str, commit: &str) -> Self {
        Self {
            at: None,
            stage: stage.to_owned(),
            kind: "",
            entity: String::new(),
            commit: commit.to_owned(),
            version: None,
            outcome: "no receipt".to_owned(),
            author: None,
            started_by: None,
            approved_by: Vec::new(),
            without_receipt: None,
            back: None,
            workflow_run: None,
            data_plane: None,
            hardware_tier: None,
            source,
            receipt: None,
        }
    }

    /// The beginning of the commit's id, as people write it.
    pub(super) fn short_commit(&self) -> &str {
        self.commit.get(..7).unwrap_or(&self.commit)
    }

    /// The commit, with the version where there is one.
    pub(super) fn what(&self) -> String {
        match &self.version {
            Some(version) => format!("version {version} at {}", self.short_commit()),
            None => self.short_commit().to_owned(),
        }
    }

    /// When, to the second, in UTC.
    pub(super) fn when(&self) -> String {
        let at = self.at;
        at.map_or_else(
            || "not told".to_owned(),
            |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        )
    }

    pub(super) fn thing(&self) -> String {
        match self.kind {
            "" => "something".to_owned(),
            kind => format!("{kind} {}", self.entity),
        }
    }

    /// Who brought it.
    pub(super) fn by(&self) -> &str {
        let by = self.author.as_deref().or(self.started_by.as_deref());
        by.unwrap_or_default()
    }

    /// What an auditor must not miss.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.receipt.is_none() {
            remarks.push(format!("no receipt; {} tells of it", self.source));
        }
        if let Some(reason) = &self.without_receipt {
            remarks.push(format!("without the receipt of the stage before: {reason}"));
        }
        if let Some(back) = &self.back {
            let back = back.get(..12).unwrap_or(back);
            remarks.push(format!("went back to receipt {back}"));
        }
        remarks
    }
}

impl Report {
    pub(super) fn of(view: View) -> Self {
        Self {
            view,
            rows: Vec::new(),
            flaws: Vec::new(),
            not_asked: Vec::new(),
            is_linked: false,
        }
    }

    /// Newest first; what ran at a time by stage and entity.
    pub(super) fn sort(&mut self) {
        match self.view {
            View::At(_) => {}
            View::All | View::Audit(_) => self.rows.sort_by_key(|row| std::cmp::Reverse(row.at)),
        }
    }

    /// What was deployed without a receipt.
    pub(super) fn gaps(&self) -> impl Iterator<Item = String> {
        let without = self.rows.iter().filter(|row| row.receipt.is_none());
        without.map(|row| {
            let by = match row.by() {
                "" => String::new(),
                by => format!(" by {by}"),
            };
            format!(
                "{} of commit {} in {}, {}{by}: {} tells of it, and there is no receipt",
                row.thing(),
                row.short_commit(),
                row.stage,
                row.when(),
                row.source
            )
        })
    }

    pub(super) fn title(&self) -> String {
        match &self.view {
            View::All => "What was deployed".to_owned(),
            View::At(time) => format!("What ran at {}", time.strftime("%Y-%m-%d %H:%M:%S UTC")),
            View::Audit(period) => format!("Who approved what, {period}"),
        }
    }

    pub(super) fn document(&self) -> Document<'_> {
        let period = match &self.view {
            View::Audit(period) => Some(period),
            _ => None,
        };
        Document {
            format: 1,
            at: match self.view {
                View::At(time) => Some(time),
                _ => None,
            },
            from: period.map(|period| period.from),
            until: period.map(|period| period.until),
            linked: self.is_linked,
            flaws: &self.flaws,
            gaps: self.gaps().collect(),
            not_asked: &self.not_asked,
            deployments: &self.rows,
        }
    }
}
