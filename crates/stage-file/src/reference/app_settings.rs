//! The keys of what a version of an app has beside its hardware tier and environment, and of how it scales.
//!
//! Data only; what a key means for the programs is said where its type is.

use super::Form::*;
use super::Need::*;
use super::{Key, Section, key};

pub(super) const AUTOSCALING_KEY: Key = key(
    "autoscaling",
    Table(&AUTOSCALING),
    Otherwise("what Domino has"),
    "How many instances serve it. Not by the oldest API of apps, `v4`.",
);

pub(super) const VIEWER_IDENTITY: Key = key(
    "viewer-identity",
    Flag,
    Otherwise("what Domino has"),
    "Whether the app acts in Domino as the person who looks at it. Not by `v4`.",
);

pub(super) const VANITY_URL: Key = key(
    "vanity-url",
    Text,
    Otherwise("what Domino has"),
    "The end of the address that people remember; another one in each stage of a Domino. Not by `v4`.",
);

pub(super) const DISCOVERABLE: Key = key(
    "discoverable",
    Flag,
    Otherwise("what Domino has"),
    "Whether people who may not open it find it in Domino. `v4` knows it for a new app only.",
);

pub(super) const BUNDLE: Key = key(
    "bundle",
    Text,
    Otherwise("what Domino has"),
    "The governance bundle that it belongs to, by id; its gates are asked before anything stops. Not by `v4`.",
);

/// `autoscaling = { … }` of an app.
pub static AUTOSCALING: Section = Section {
    header: "autoscaling = { … }",
    about: "Domino adds and removes instances. A table for one stage says all of it; what it leaves out stays what \
            Domino has.",
    keys: &[
        key("min", Number(1, 30), Required, "The fewest instances."),
        key("max", Number(1, 30), Required, "The most instances."),
        key(
            "cpu",
            Number(1, 100),
            Otherwise("Domino's choice"),
            "The use of processors, in percent, that is aimed at.",
        ),
        key(
            "memory",
            Number(1, 100),
            Otherwise("Domino's choice"),
            "The use of memory, in percent, that is aimed at.",
        ),
        key(
            "scale-up-after",
            Number(0, 3_600),
            Otherwise("Domino's choice"),
            "For how many seconds more must be needed before there are more.",
        ),
        key(
            "scale-down-after",
            Number(0, 3_600),
            Otherwise("Domino's choice"),
            "For how many seconds fewer must do before there are fewer.",
        ),
        key(
            "session-affinity",
            Flag,
            Otherwise("Domino's choice"),
            "Whether a visitor stays with one instance.",
        ),
    ],
};
