//! The TOML form of faults, for `--faults FILE`. Unknown keys and kinds are refused, and so is a key that its kind
//! does not use: a fault that silently does nothing proves nothing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::app::AppFault;
use super::job::JobFault;
use super::model::ModelFault;
use super::request::{Fault, Misbehaviour, Route};

/// What a file asks for.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FaultFile {
    pub(super) clock_skew_seconds: i64,
    #[serde(rename = "fault")]
    entries: Vec<FaultEntry>,
    #[serde(skip)]
    pub(super) requests: Vec<Fault>,
    #[serde(rename = "job")]
    pub(super) jobs: Vec<JobFault>,
    #[serde(rename = "app")]
    pub(super) apps: Vec<AppFault>,
    #[serde(rename = "model")]
    pub(super) models: Vec<ModelFault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FaultEntry {
    route: String,
    kind: String,
    #[serde(default)]
    after: usize,
    times: Option<usize>,
    status: Option<u16>,
    retry_after: Option<u64>,
    processed: Option<bool>,
    content_type: Option<String>,
    body: Option<String>,
    origin: Option<String>,
    milliseconds: Option<u64>,
    bytes: Option<u64>,
    set: Option<toml::Table>,
    remove: Option<Vec<String>>,
    names: Option<Vec<String>>,
}

/// The faults of the file at `path`.
pub(super) fn read(path: &Path) -> anyhow::Result<FaultFile> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the fault file `{}`", path.display()))?;
    parse(&text).with_context(|| format!("in the fault file `{}`", path.display()))
}

fn parse(text: &str) -> anyhow::Result<FaultFile> {
    let mut file: FaultFile = toml::from_str(text)?;
    for (at, entry) in std::mem::take(&mut file.entries).into_iter().enumerate() {
        let route = entry.route.clone();
        let fault = fault(entry).with_context(|| format!("fault {} (`{route}`)", at + 1))?;
        file.requests.push(fault);
    }
    Ok(file)
}

fn fault(mut entry: FaultEntry) -> anyhow::Result<Fault> {
    let route = Route::parse(&entry.route).map_err(anyhow::Error::msg)?;
    let misbehaviour = misbehaviour(&mut entry)?;
    let left = entry.keys_left();
    ensure!(
        left.is_empty(),
        "the kind `{}` has no use for `{}`",
        entry.kind,
        left.join("`, `")
    );
    Ok(Fault {
        route,
        after: entry.after,
        times: entry.times,
        misbehaviour,
    })
}

/// Takes from `entry` what its kind needs; anything left afterwards is unused.
fn misbehaviour(entry: &mut FaultEntry) -> anyhow::Result<Misbehaviour> {
    let milliseconds = |entry: &mut FaultEntry, otherwise| {
        Duration::from_millis(entry.milliseconds.take().unwrap_or(otherwise))
    };
    let processed = |entry: &mut FaultEntry| entry.processed.take().unwrap_or(false);
    Ok(match entry.kind.as_str() {
        "status" => Misbehaviour::Status {
            status: status(entry.status.take().context("`status` is missing")?)?,
            retry_after: entry.retry_after.take(),
            processed: processed(entry),
        },
        "reply" => Misbehaviour::Reply {
            status: status(entry.status.take().unwrap_or(200))?,
            content_type: match entry.content_type.take() {
                Some(content_type) => content_type,
                None => "application/json".to_owned(),
            },
            body: entry.body.take().unwrap_or_default(),
        },
        "login-page" => Misbehaviour::LoginPage,
        "binary-forbidden" => Misbehaviour::BinaryForbidden,
        "relogin" => Misbehaviour::Relogin,
        "redirect" => Misbehaviour::Redirect {
            origin: entry.origin.take().context("`origin` is missing")?,
        },
        "refuse" => Misbehaviour::Refuse {
            lasting: milliseconds(entry, 1000),
        },
        "reset" => Misbehaviour::Reset {
            processed: processed(entry),
        },
        "hang" => Misbehaviour::Hang {
            processed: processed(entry),
        },
        "delay" => Misbehaviour::Delay {
            by: milliseconds(entry, 1000),
        },
        "truncate" => Misbehaviour::Truncate,
        "cut-json" => Misbehaviour::CutJson,
        "trickle" => Misbehaviour::Trickle {
            pause: milliseconds(entry, 50),
            bytes: entry.bytes.take().map_or(1, |bytes| bytes.max(1) as usize),
        },
        "huge" => Misbehaviour::Huge {
            bytes: entry.bytes.take().context("`bytes` is missing")?,
        },
        "edit" => Misbehaviour::Edit {
            set: values(entry.set.take().unwrap_or_default())?,
            remove: entry.remove.take().unwrap_or_default(),
        },
        "ignore-query" => Misbehaviour::IgnoreQuery {
            names: entry.names.take().context("`names` is missing")?,
        },
        other => bail!(
            "`{other}` is not a kind of fault; there are status, reply, login-page, \
             binary-forbidden, relogin, redirect, refuse, reset, hang, delay, truncate, cut-json, \
             trickle, huge, edit and ignore-query"
        ),
    })
}

fn status(status: u16) -> anyhow::Result<u16> {
    ensure!(
        (200..600).contains(&status),
        "`{status}` is not the status of a reply"
    );
    Ok(status)
}

fn values(set: toml::Table) -> anyhow::Result<Vec<(String, Value)>> {
    set.into_iter()
        .map(|(pointer, value)| Ok((pointer, serde_json::to_value(value)?)))
        .collect()
}

impl FaultEntry {
    fn keys_left(&self) -> Vec<&'static str> {
        let keys = [
            ("status", self.status.is_some()),
            ("retry-after", self.retry_after.is_some()),
            ("processed", self.processed.is_some()),
            ("content-type", self.content_type.is_some()),
            ("body", self.body.is_some()),
            ("origin", self.origin.is_some()),
            ("milliseconds", self.milliseconds.is_some()),
            ("bytes", self.bytes.is_some()),
            ("set", self.set.is_some()),
            ("remove", self.remove.is_some()),
            ("names", self.names.is_some()),
        ];
        keys.iter()
            .filter(|(_, present)| *present)
            .map(|(key, _)| *key)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_the_faults_it_names() {
        let asked = parse(
            r#"
            clock-skew-seconds = -30
            [[fault]]
            route = "POST /v4/jobs/start"
            kind = "reset"
            processed = true
            times = 1
            [[fault]]
            route = "GET /v4/**"
            kind = "status"
            status = 429
            retry-after = 1
            after = 2
            [[fault]]
            route = "/v4/jobs/*"
            kind = "edit"
            set = { "/statuses/executionStatus" = "Wobbling" }
            remove = ["/title"]
            [[job]]
            command = "train.py"
            statuses = ["Running", "Queued"]
            completed-lag = 2
            [[app]]
            app = "dashboard"
            start-fails = "ImagePullBackOff"
            stop-hangs = true
            "#,
        )
        .unwrap();
        assert_eq!(asked.clock_skew_seconds, -30);
        let faults = asked.requests;
        let reset = Misbehaviour::Reset { processed: true };
        assert_eq!(faults[0].misbehaviour, reset);
        assert_eq!(faults[0].times, Some(1));
        let busy = Misbehaviour::Status {
            status: 429,
            retry_after: Some(1),
            processed: false,
        };
        assert_eq!(faults[1].misbehaviour, busy);
        assert_eq!(faults[1].after, 2);
        let edit = Misbehaviour::Edit {
            set: vec![("/statuses/executionStatus".into(), "Wobbling".into())],
            remove: vec!["/title".into()],
        };
        assert_eq!(faults[2].misbehaviour, edit);
        assert_eq!(asked.jobs[0].statuses, ["Running", "Queued"]);
        assert_eq!(asked.jobs[0].completed_lag, 2);
        let app = &asked.apps[0];
        assert_eq!(app.start_fails.as_deref(), Some("ImagePullBackOff"));
        assert!(app.stop_hangs && !app.stops_first);
    }

    #[track_caller]
    fn problem(entry: &str) -> String {
        let problem = parse(&format!("[[fault]]\nroute = \"/version\"\n{entry}"));
        format!("{:#}", problem.err().unwrap())
    }

    #[test]
    fn an_entry_that_is_no_fault_is_refused_with_its_route() {
        let unknown = problem("kind = \"explode\"");
        assert!(
            unknown.contains("/version") && unknown.contains("trickle"),
            "{unknown}"
        );
        assert!(problem("kind = \"status\"").contains("`status` is missing"));
        assert!(problem("kind = \"status\"\nstatus = 99").contains("not the status"));
        assert!(problem("kind = \"reset\"\nbody = \"x\"").contains("no use for `body`"));
        assert!(problem("kind = \"reset\"\nwhen = 1").contains("when"));
    }
}
