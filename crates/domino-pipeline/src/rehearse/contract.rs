//! Whether what went over the wire is as a Domino's own specs say.

use domino_contract::{Contract, Exchange, Verdict};
use domino_sandbox::Recorded;

/// Judges what went over the wire, and says what came of it.
pub fn holds(contract: &Contract, recorded: &[Recorded]) -> bool {
    let mut verdict = Verdict::default();
    for request in recorded {
        // What a fault made of a reply is nobody's word.
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
