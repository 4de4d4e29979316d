//! Whether what went over the wire matches a Domino's own specs.

use domino_contract::{Contract, Exchange, Verdict};
use domino_sandbox::Recorded;

/// Checks what went over the wire, and prints the result.
pub fn holds(contract: &Contract, recorded: &[Recorded]) -> bool {
    let mut verdict = Verdict::default();
    for request in recorded {
        // A reply that was changed by a fault is not checked.
        let whole = request.fault.is_none();
        verdict.add(contract.examine(&Exchange {
            method: &request.method,
            path: &request.path,
            query: request.query.as_deref(),
            body: request.body.as_ref(),
            status: request.status.filter(|_| whole),
            reply: request.reply.as_ref().filter(|_| whole),
        }));
    }
    println!("\n{verdict}");
    verdict.findings.is_empty()
}
