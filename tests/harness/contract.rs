//! Compares what went over the wire with Domino's specs, and counts how much was compared in a test binary so far.

use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use domino_contract::{Contract, Exchange, VARIABLE, Verdict};
use domino_sandbox::Sandbox;

static TOTAL: Mutex<Option<Verdict>> = Mutex::new(None);

/// The specs, read once a test binary; none when `DOMINO_OPENAPI` does not name any.
fn contract() -> Option<&'static Contract> {
    static CONTRACT: OnceLock<Option<Contract>> = OnceLock::new();
    let contract = CONTRACT.get_or_init(|| {
        let contract = Contract::from_environment().unwrap();
        if contract.is_none() {
            // Straight to the terminal: a passing test's own output is swallowed.
            let _ = writeln!(
                std::io::stderr(),
                "not held against Domino's specs: {VARIABLE} is not set"
            );
        }
        contract
    });
    contract.as_ref()
}

/// Fails when a request of ours or a reply of the sandbox is not as the specs say.
pub fn hold(sandbox: &Sandbox) {
    let Some(contract) = contract() else {
        return;
    };
    let mut verdict = Verdict::default();
    for recorded in sandbox.requests() {
        // What a fault made of a reply is not the sandbox's word.
        let whole = recorded.fault.is_none();
        verdict.add(contract.examine(&Exchange {
            method: &recorded.method,
            path: &recorded.path,
            query: recorded.query.as_deref(),
            body: recorded.body.as_ref(),
            status: recorded.status.filter(|_| whole),
            reply: recorded.reply.as_ref().filter(|_| whole),
        }));
    }
    assert!(
        verdict.findings.is_empty(),
        "not as Domino's specs say:\n{verdict}"
    );
    let mut total = TOTAL.lock().unwrap_or_else(PoisonError::into_inner);
    total.get_or_insert_default().add(verdict);
}

/// What was held against the specs so far, in words; nothing without specs.
pub fn so_far() -> String {
    let total = TOTAL.lock().unwrap_or_else(PoisonError::into_inner);
    total
        .as_ref()
        .map_or(String::new(), |total| format!("{total}\n"))
}
