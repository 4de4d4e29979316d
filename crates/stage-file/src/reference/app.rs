//! The keys of apps, and of what differs in one stage.
//!
//! Data only; what a key means for the programs is said where its type is.

use super::Form::*;
use super::Need::*;
use super::app_settings::{AUTOSCALING_KEY, BUNDLE, DISCOVERABLE, VANITY_URL, VIEWER_IDENTITY};
use super::run_settings::{NETAPP_VOLUMES, OWN_ENVIRONMENT, OWN_HARDWARE_TIER, VOLUMES, in_stage};
use super::{Section, key};

/// `[app.<name>]`.
pub static APP: Section = Section {
    header: "[app.<name>]",
    about: "A web app.",
    keys: &[
        key(
            "entry-point",
            Text,
            Required,
            "The script that starts it, from the top of the repository.",
        ),
        key(
            "description",
            Text,
            Default("\"\""),
            "What people read in Domino.",
        ),
        key(
            "visibility",
            Word(&[
                "public",
                "authenticated",
                "grant-based",
                "grant-based-strict",
            ]),
            Default("\"grant-based\""),
            "Who may open it.",
        ),
        key(
            "thumbnail",
            Text,
            Otherwise("what Domino has"),
            "The picture of it in Domino's list, a file from the top of the repository: `.png`, `.jpg`, `.gif`, `.webp` or \
             `.svg`. It goes by a route of the beta, which Apps v1 leaves there. Not by `v4`.",
        ),
        VOLUMES,
        NETAPP_VOLUMES,
        AUTOSCALING_KEY,
        VIEWER_IDENTITY,
        VANITY_URL,
        DISCOVERABLE,
        BUNDLE,
        key(
            "api",
            Word(&["v1", "beta", "v4"]),
            Otherwise("the newest that the Domino has"),
            "The API of Domino's for apps to use; `--api` goes before it.",
        ),
        key(
            "health-path",
            Text,
            Otherwise("Domino's word is enough"),
            "The path below the app's URL that must answer.",
        ),
        key(
            "health-status",
            Number(100, 599),
            Default("200"),
            "The HTTP status expected there.",
        ),
        key(
            "timeout",
            Text,
            Default("\"15m\""),
            "How long a new version may take until it serves, at most five days, and as long again to put the one before back.",
        ),
        key(
            "after",
            Texts,
            Default("[]"),
            "The apps that come before it in a stage: it is deployed once they are, and not when one of them failed.",
        ),
        key(
            "paths",
            Texts,
            Otherwise("those that it names"),
            "Files, and folders with a `/` at their end, of which a change deploys it too.",
        ),
        key(
            "stage",
            Named(&APP_PLACEMENT),
            Otherwise("the same in every stage"),
            "What differs in one stage.",
        ),
    ],
};

/// `[app.<name>.stage.<stage>]`.
pub static APP_PLACEMENT: Section = Section {
    header: "[app.<name>.stage.<stage>]",
    about: "What an app has of its own in one stage.",
    keys: &[
        OWN_HARDWARE_TIER,
        OWN_ENVIRONMENT,
        key(
            "timeout",
            Text,
            Otherwise("the app's"),
            "How long a new version may take there.",
        ),
        in_stage(VOLUMES, "the app's"),
        in_stage(NETAPP_VOLUMES, "the app's"),
        in_stage(AUTOSCALING_KEY, "the app's"),
        in_stage(VIEWER_IDENTITY, "the app's"),
        in_stage(VANITY_URL, "the app's"),
        in_stage(DISCOVERABLE, "the app's"),
        in_stage(BUNDLE, "the app's"),
        key(
            "name",
            Text,
            Otherwise("`<app>-<stage>`"),
            "The app's name in Domino; that of an app that is there already is taken over.",
        ),
    ],
};
