//! The events that change an approval, and what each of them requires of its sender.

/// What happened to an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventType {
    Submitted,
    Cancelled,
    Approved,
    ConditionallyApproved,
    Rejected,
    FindingsApproved,
}

impl EventType {
    const ALL: [EventType; 6] = [
        EventType::Submitted,
        EventType::Cancelled,
        EventType::Approved,
        EventType::ConditionallyApproved,
        EventType::Rejected,
        EventType::FindingsApproved,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            EventType::Submitted => "RequestSubmitted",
            EventType::Cancelled => "RequestCancelled",
            EventType::Approved => "RequestApproved",
            EventType::ConditionallyApproved => "RequestConditionalApproved",
            EventType::Rejected => "RequestRejected",
            EventType::FindingsApproved => "FindingsApproved",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        EventType::ALL
            .into_iter()
            .find(|event| event.word() == word)
    }

    /// Whether only an assigned approver may send it.
    pub(super) fn is_decision(self) -> bool {
        !matches!(self, EventType::Submitted | EventType::Cancelled)
    }
}
