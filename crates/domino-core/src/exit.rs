//! How a program ends.

/// How a program ends. The numbers are a documented contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or already as wanted.
    Done = 0,
    /// A bug of ours.
    Bug = 1,
    /// Wrong usage, or a problem in `stages.toml`.
    Usage = 2,
    /// Domino refused: credential, permission, something missing or ambiguous, a conflict.
    Refused = 3,
    /// Domino could not be reached after retries, or its answer was not understood.
    Unreachable = 4,
    /// What was deployed failed.
    Failed = 5,
    /// Work was still going on when the time was up.
    Unsettled = 6,
    /// No approval: not requested, pending, rejected, or given by the requester.
    NotApproved = 7,
    /// What runs differs from the stage file; only if the caller asked for this exit code.
    Differs = 8,
    /// The work is done, but what was asked for could not be written: step outputs, or stdout.
    OutputLost = 9,
    /// Interrupted by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// The exit code with this number.
    pub fn of_code(code: u8) -> Option<Self> {
        const ALL: [Exit; 12] = [
            Exit::Done,
            Exit::Bug,
            Exit::Usage,
            Exit::Refused,
            Exit::Unreachable,
            Exit::Failed,
            Exit::Unsettled,
            Exit::NotApproved,
            Exit::Differs,
            Exit::OutputLost,
            Exit::Interrupted,
            Exit::Terminated,
        ];
        ALL.into_iter().find(|exit| *exit as u8 == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_documented_code_is_an_end_and_no_other_is() {
        let known = (0..=u8::MAX).filter(|code| {
            let exit = Exit::of_code(*code);
            exit.is_some_and(|exit| exit as u8 == *code)
        });
        let expected = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 143];
        assert_eq!(known.collect::<Vec<u8>>(), expected);
        assert_eq!(Exit::of_code(10), None);
    }
}
