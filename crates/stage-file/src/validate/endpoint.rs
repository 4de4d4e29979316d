//! Rules on how the endpoint of a model answers its callers.

use super::rule::{Book, Report};
use crate::{Host, Routing};

pub(super) fn host(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let hosts = book.texts(|keys| matches!(keys, ["model", .., "endpoint-host"]));
    for leaf in hosts {
        // As with `host`, the value may hold a password, and is not repeated.
        if let Err(error) = leaf.text.parse::<Host>() {
            report.leaf(leaf, error);
        }
    }
}

/// The address of asynchronous calls names the endpoint and no version of it.
pub(super) fn asynchronous(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let file = book.file;
    for model in &file.models {
        let stage = file.stages.iter().find(|stage| {
            let settings = file.endpoint_settings(model, stage);
            settings.asynchronous == Some(true) && settings.routing == Some(Routing::Advanced)
        });
        if let Some(stage) = stage {
            report.at(
                &file.endpoint_key(model, stage, "routing"),
                "must be `basic` where `asynchronous` is `true`: asynchronous calls cannot name a version",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;

    #[test]
    fn an_endpoint_has_a_host_that_keeps_its_token_secret() {
        let host = |host: &str| with(&format!("endpoint-host = \"{host}\""));
        assert_eq!(host("models.example.com"), [""; 0]);
        assert_eq!(
            host("http://models.example.com"),
            [
                "`endpoint-host` in `[model.registered]` must be `https`; plain `http` would send the credential readable \
                 to another machine"
            ]
        );
        let there = with(
            "[model.registered.stage.prod]\nendpoint-host = \"https://me:hunter2@models.example.com\"",
        );
        assert!(!there.is_empty() && !there[0].contains("hunter2"));
    }

    #[test]
    fn an_asynchronous_endpoint_has_one_address() {
        assert_eq!(with("asynchronous = true\nrouting = \"basic\""), [""; 0]);
        let says = |place: &str| {
            format!(
                "`routing` in `{place}` must be `basic` where `asynchronous` is `true`: asynchronous calls cannot name a \
                 version"
            )
        };
        assert_eq!(
            with("asynchronous = true\nrouting = \"advanced\""),
            [says("[model.registered]")]
        );
        assert_eq!(
            with("asynchronous = true\n[model.registered.stage.prod]\nrouting = \"advanced\""),
            [says("[model.registered.stage.prod]")]
        );
    }

    #[test]
    fn a_word_of_routing_that_is_none_is_refused_with_the_nearest() {
        assert_eq!(
            with("routing = \"advance\""),
            [
                "`routing` in `[model.registered]` must be one of `basic`, `advanced`, not `advance`; did you mean \
                 `advanced`?"
            ]
        );
    }
}
