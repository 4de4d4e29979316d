//! What a step will do, before it does anything.

use serde::Serialize;

/// What will be done, before anything is done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// What the step will do, in one sentence.
    pub headline: String,
    /// What was found and chosen.
    pub facts: Vec<Fact>,
    /// What will change; empty when everything is as wanted.
    pub changes: Vec<Change>,
}

/// A name and a value: `hardware tier`, `dev-small`.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// The name, in words, as the first column of the plan.
    pub name: &'static str,
    /// The value, as the second column of the plan.
    pub value: String,
}

/// One change of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// What kind of change.
    pub kind: ChangeKind,
    /// What changes, and how.
    pub what: String,
}

/// The kinds of change, shown as `+`, `~`, `-` and `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Something is created.
    Create,
    /// Something existing is changed.
    Update,
    /// Something existing is removed.
    Remove,
    /// Something existing stays unchanged.
    Keep,
}

impl Plan {
    /// A plan with its one sentence.
    pub fn new(headline: impl Into<String>) -> Self {
        Self {
            headline: headline.into(),
            ..Self::default()
        }
    }

    /// Adds what was found or chosen.
    pub fn fact(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.facts.push(Fact {
            name,
            value: value.into(),
        });
        self
    }

    /// Adds a change.
    pub fn change(&mut self, kind: ChangeKind, what: impl Into<String>) -> &mut Self {
        self.changes.push(Change {
            kind,
            what: what.into(),
        });
        self
    }
}

/// The plan as text: a headline, aligned facts, the changes.
pub(super) fn plan_as_text(plan: &Plan) -> String {
    let mut text = format!("plan: {}\n{}", plan.headline, facts_as_text(&plan.facts));
    for change in &plan.changes {
        text.push_str(&format!("  {} {}\n", sign_of(change.kind), change.what));
    }
    text
}

pub(super) fn facts_as_text(facts: &[Fact]) -> String {
    let width = facts.iter().map(|fact| fact.name.len()).max().unwrap_or(0);
    facts
        .iter()
        .map(|fact| {
            format!(
                "  {:width$}  {}\n",
                fact.name,
                fact.value.replace('\n', " ")
            )
        })
        .collect()
}

pub(super) fn sign_of(kind: ChangeKind) -> char {
    match kind {
        ChangeKind::Create => '+',
        ChangeKind::Update => '~',
        ChangeKind::Remove => '-',
        ChangeKind::Keep => '=',
    }
}
