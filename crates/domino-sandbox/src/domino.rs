//! The whole of one sandbox's Domino: every noun's store, side by side, and what they share.
//! A new noun is a field here, a line in `state` and its routes in `server`.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::Options;
use crate::account::Accounts;
use crate::clock::Moment;
use crate::faults::Faults;
use crate::pace::Pace;
use crate::recorder::Recorder;
use crate::users::Users;
use crate::version::Version;
use crate::wire::Gate;

pub(crate) struct Domino {
    /// The address, without a final slash.
    pub(crate) url: String,
    pub(crate) version: Version,
    pub(crate) pace: Pace,
    pub(crate) repository: PathBuf,
    pub(crate) verbose: bool,
    pub(crate) accounts: Accounts,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    pub(crate) gate: Gate,
    pub(crate) users: Users,
}

impl Domino {
    pub(crate) fn new(options: Options, address: SocketAddr) -> anyhow::Result<Self> {
        let seed = &options.seed;
        let user_names = seed.users.iter().map(|user| user.name.as_str());
        Ok(Domino {
            url: format!("http://{address}"),
            version: options.version,
            pace: options.pace,
            repository: options.repository,
            verbose: options.verbose,
            accounts: Accounts::new(user_names, &options.credentials)?,
            faults: Faults::default(),
            recorder: Recorder::new(),
            gate: Gate::default(),
            users: Users::new(seed),
        })
    }

    /// The time on the sandbox's clock.
    pub(crate) fn now(&self) -> Moment {
        Moment::now(self.faults.clock_skew())
    }

    /// Everything it holds, one key for each noun.
    pub(crate) fn state(&self) -> Value {
        json!({
            "url": self.url,
            "version": self.version.release(),
            "users": self.users.state(),
        })
    }
}
