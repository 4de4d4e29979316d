//! What a program knows of its deployment before it ends: the part of a receipt that only it can tell. The step adds the
//! rest.

use super::{DeployedThing, DeploymentPlace, Leave, ReceiptKind};

/// The beginning of a receipt.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What is deployed.
    pub kind: ReceiptKind,
    /// The whole commit.
    pub commit: String,
    /// Whether it is taken away.
    pub is_removal: bool,
    /// What it is in Domino, as far as it is known before.
    pub what: DeployedThing,
    /// Who approved it.
    pub approvals: Vec<Leave>,
    /// Where.
    pub r#where: DeploymentPlace,
    /// Why no receipt of the stage before is wanted.
    pub without_receipt: Option<String>,
    /// The receipt that it goes back to.
    pub back: Option<String>,
}
