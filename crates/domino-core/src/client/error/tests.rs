//! What follows from each way in which a request fails: whether it is repeated, looked for, and what is said.

use super::*;

fn refusal(status: u16, words: &str, code: Option<&str>, retry_after: Option<u64>) -> Cause {
    Cause::Refused {
        status: StatusCode::from_u16(status).unwrap(),
        words: (!words.is_empty()).then(|| words.to_owned()),
        code: code.map(str::to_owned),
        request_id: None,
        retry_after,
    }
}

fn refused(status: u16) -> Cause {
    refusal(status, "", None, None)
}

/// With the experiment manager's code for it.
fn coded(status: u16, code: &str) -> Cause {
    refusal(status, "", Some(code), None)
}

fn said(status: u16, words: &str, code: Option<&str>) -> Cause {
    refusal(status, words, code, None)
}

/// With a time after which one may ask again.
fn limited(status: u16) -> Cause {
    refusal(status, "", None, Some(7))
}

fn tunnel(status: Option<u16>) -> Cause {
    Cause::NoTunnel {
        proxy: "the proxy".into(),
        status,
        words: "no".into(),
    }
}

fn redirected(within: bool) -> Cause {
    Cause::Redirected {
        to: "/login".into(),
        within,
    }
}

fn relogin() -> Cause {
    Cause::Relogin {
        path: "/login".into(),
    }
}

fn not_understood() -> Cause {
    Cause::NotUnderstood {
        problem: "no list".into(),
        excerpt: String::new(),
    }
}

fn lost() -> Cause {
    Cause::Lost("no answer in time".into())
}

fn no_connection() -> Cause {
    Cause::NotConnected("Connection refused".into())
}

fn read_error(cause: Cause) -> ApiError {
    ApiError::new(Method::GET, "https://domino.example.com/x", cause)
}

/// What is done after an error.
#[derive(Debug, PartialEq, Eq)]
struct After {
    reads_again: bool,
    writes_again: bool,
    looks: bool,
    exit: Exit,
}

#[test]
fn what_is_done_after_each_failure() {
    const STOPS: (bool, bool, bool) = (false, false, false);
    const LOOKS: (bool, bool, bool) = (false, false, true);
    const READS_AGAIN: (bool, bool, bool) = (true, false, false);
    const BOTH_AGAIN: (bool, bool, bool) = (true, true, false);
    const READS_AGAIN_OR_LOOKS: (bool, bool, bool) = (true, false, true);
    for (cause, (reads_again, writes_again, looks), exit) in [
        (refused(400), STOPS, Exit::Refused),
        (refused(401), STOPS, Exit::Refused),
        (refused(403), STOPS, Exit::Refused),
        (refused(404), STOPS, Exit::Refused),
        (refused(409), STOPS, Exit::Refused),
        (refused(408), READS_AGAIN_OR_LOOKS, Exit::Unreachable),
        (refused(429), BOTH_AGAIN, Exit::Unreachable),
        (limited(403), BOTH_AGAIN, Exit::Unreachable),
        (limited(404), STOPS, Exit::Refused),
        (refused(500), LOOKS, Exit::Unreachable),
        (refused(501), STOPS, Exit::Unreachable),
        (refused(502), READS_AGAIN_OR_LOOKS, Exit::Unreachable),
        (refused(503), READS_AGAIN_OR_LOOKS, Exit::Unreachable),
        (refused(504), READS_AGAIN_OR_LOOKS, Exit::Unreachable),
        (coded(500, "INTERNAL_ERROR"), LOOKS, Exit::Unreachable),
        (coded(500, "FEATURE_DISABLED"), STOPS, Exit::Refused),
        (relogin(), STOPS, Exit::Refused),
        (Cause::NotSignedIn, LOOKS, Exit::Refused),
        (redirected(true), LOOKS, Exit::Unreachable),
        (redirected(false), STOPS, Exit::Unreachable),
        (no_connection(), BOTH_AGAIN, Exit::Unreachable),
        (
            Cause::NoTrust(TlsProblem::certificate_demanded()),
            STOPS,
            Exit::Unreachable,
        ),
        (tunnel(None), READS_AGAIN, Exit::Unreachable),
        (tunnel(Some(502)), READS_AGAIN, Exit::Unreachable),
        (tunnel(Some(407)), STOPS, Exit::Unreachable),
        (lost(), READS_AGAIN_OR_LOOKS, Exit::Unreachable),
        (not_understood(), LOOKS, Exit::Unreachable),
        (
            Cause::NoCredential("no such file".into()),
            STOPS,
            Exit::Refused,
        ),
    ] {
        let error = read_error(cause);
        let after = After {
            reads_again: error.is_retryable(),
            writes_again: error.not_processed(),
            looks: error.outcome_unknown(),
            exit: error.exit(),
        };
        let wanted = After {
            reads_again,
            writes_again,
            looks,
            exit,
        };
        assert_eq!(after, wanted, "{error:?}");
    }
}

#[test]
fn what_is_absent_what_is_an_unknown_route_and_what_neither() {
    let known = |status: u16| {
        let error = read_error(refused(status));
        (error.is_absent(), error.is_unknown_route())
    };
    assert_eq!(known(404), (true, true));
    assert_eq!(known(501), (false, true));
    assert_eq!(known(403), (false, false));
    assert_eq!(read_error(relogin()).status(), Some(StatusCode::CONFLICT));
    assert_eq!(read_error(lost()).status(), None);
    let coded = read_error(coded(404, "RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(coded.code(), Some("RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(read_error(lost()).code(), None);
}

#[test]
fn what_to_do_is_said_for_each_failure() {
    let host_check = "Invalid Host header - possible DNS rebinding attack detected";
    for (cause, hint) in [
        (refused(429), "run this again later"),
        (limited(403), "run this again later"),
        (coded(500, "FEATURE_DISABLED"), "has that part switched off"),
        (said(403, host_check, None), "`--allowed-hosts`"),
        (
            said(403, "Cross-origin request blocked", None),
            "`--allowed-hosts`",
        ),
        (said(403, host_check, Some("X")), "ask for the permission"),
        (said(403, "no rights", None), "ask for the permission"),
        (said(401, host_check, None), "is it expired"),
        (refused(401), "is it expired"),
        (refused(403), "ask for the permission"),
        (refused(500), "Domino's own trouble"),
        (refused(599), "Domino's own trouble"),
        (coded(404, "RESOURCE_DOES_NOT_EXIST"), ""),
        (refused(404), ""),
        (refused(409), ""),
        (relogin(), "sign in to Domino once more"),
        (Cause::NotSignedIn, "a sign-in page"),
        (redirected(true), "inside Domino's own address"),
        (redirected(false), "not sent to another host"),
        (no_connection(), "the network"),
        (
            Cause::NoTrust(TlsProblem::certificate_demanded()),
            "`--client-cert`",
        ),
        (tunnel(Some(407)), "a user and a password"),
        (tunnel(Some(401)), "does not let this machine"),
        (tunnel(Some(403)), "does not let this machine"),
        (tunnel(Some(405)), "does not let this machine"),
        (tunnel(Some(502)), "could not reach the host"),
        (tunnel(None), "check the variable"),
        (lost(), "finds what it left"),
        (not_understood(), "really Domino's own address"),
        (Cause::NoCredential("no such file".into()), ""),
    ] {
        let error = read_error(cause);
        let to_do = error.hint().unwrap_or_default();
        match hint {
            "" => assert_eq!(to_do, "", "{error:?}"),
            hint => assert!(to_do.contains(hint), "{error:?}: {to_do}"),
        }
    }
}

#[test]
fn an_experiment_manager_that_knows_no_token_is_told_from_a_domino_that_does_not() {
    let url = "https://domino.example.com/api/2.0/mlflow/runs/get";
    let error = ApiError::new(Method::GET, url, refused(401));
    assert!(error.hint().unwrap().contains("`DOMINO_USER_API_KEY`"));
}

#[test]
fn what_a_write_no_longer_finds_was_there_before() {
    let gone = coded(404, "RESOURCE_DOES_NOT_EXIST");
    let write = |cause| ApiError::new(Method::POST, "https://domino.example.com/x", cause).hint();
    assert!(
        write(gone)
            .unwrap()
            .contains("it was there when this began")
    );
    assert_eq!(write(coded(404, "INVALID_PARAMETER_VALUE")), None);
}

#[test]
fn each_failure_has_a_line_and_a_word() {
    for (cause, line, word) in [
        (refused(403), "answered 403 Forbidden", "403"),
        (
            relogin(),
            "answered 409 Conflict: sign in again at `/login`",
            "409 sign in again",
        ),
        (
            Cause::NotSignedIn,
            "answered with a web page instead of JSON",
            "a sign-in page",
        ),
        (
            redirected(true),
            "redirects again and again, at last to `/login`",
            "redirected",
        ),
        (
            redirected(false),
            "redirects to another address, `/login`, which is not followed",
            "redirected",
        ),
        (no_connection(), "could not connect", "no connection"),
        (
            Cause::NoTrust(TlsProblem::certificate_demanded()),
            "made no connection that can be trusted",
            "no trust",
        ),
        (
            tunnel(None),
            "could not connect by way of the proxy",
            "no tunnel",
        ),
        (lost(), "got no whole answer", "lost"),
        (
            not_understood(),
            "gave an answer that is not understood",
            "not understood",
        ),
        (
            Cause::NoCredential("no such file".into()),
            "was not sent",
            "no credential",
        ),
    ] {
        let error = read_error(cause);
        let whole = format!("GET https://domino.example.com/x {line}");
        assert_eq!(error.to_string(), whole);
        assert_eq!(error.cause().in_short(), word);
    }
    let write = ApiError::new(Method::POST, "/x", redirected(true));
    assert_eq!(
        write.to_string(),
        "POST /x redirects the write to `/login`, which is not followed"
    );
}

#[test]
fn the_deepest_cause_is_the_one_that_is_told() {
    let deep = std::io::Error::other(fmt::Error);
    let error = std::io::Error::other(ApiError::new(Method::GET, "/x", lost()));
    assert_eq!(innermost(&deep), fmt::Error.to_string());
    assert_eq!(innermost(&error), "no answer in time");
}
