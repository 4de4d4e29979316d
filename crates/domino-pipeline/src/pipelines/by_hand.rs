//! What a person who starts a run by hand may tick, and how it reaches the programs.

use github_workflow::write::Step;

/// A flag of a program that a person may tick when starting a run by hand. It reaches the program as a variable, and
/// is never part of a command.
#[derive(Clone, Copy)]
pub(super) struct ByHand {
    pub(super) input: &'static str,
    variable: &'static str,
    pub(super) description: &'static str,
}

/// The flag `--put-back` of the programs.
pub(super) const PUT_BACK: ByHand = ByHand {
    input: "put-back",
    variable: "DEPLOY_PUT_BACK",
    description: "Set what people changed in Domino to what stages.toml says",
};
/// The flag `--back` of the programs.
pub(super) const BACK: ByHand = ByHand {
    input: "back",
    variable: "DEPLOY_BACK",
    description: "Deploy a commit even if a newer one runs",
};

/// The same step, with these flags of a run that a person starts.
pub(super) fn with_flags(step: Step, flags: &[ByHand]) -> Step {
    flags.iter().fold(step, |step, flag| {
        step.env(flag.variable, format!("${{{{ inputs.{} }}}}", flag.input))
    })
}
