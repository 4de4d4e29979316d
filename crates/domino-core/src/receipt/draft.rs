//! What a program knows about its deployment before it ends: the part of a receipt that only the program can tell.
//! The step adds the rest.

use super::{DeployedThing, DeploymentPlace, GivenApproval, ReceiptKind};

/// The beginning of a receipt.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What is deployed.
    pub kind: ReceiptKind,
    /// The whole commit.
    pub commit: String,
    /// Whether it is removed.
    pub is_removal: bool,
    /// What it is in Domino, as far as it is known before.
    pub what: DeployedThing,
    /// Who approved it.
    pub approvals: Vec<GivenApproval>,
    /// Where it is deployed.
    pub r#where: DeploymentPlace,
    /// The reason why no receipt of the stage before is required.
    pub without_receipt: Option<String>,
    /// The receipt that it rolls back to.
    pub back: Option<String>,
}
