//! An instance of an app: its status, what it reports when a fault makes it misreport, and where its process listens.
//! `run` moves it through its statuses.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use crate::clock::Moment;
use crate::faults::AppFault;
use crate::hardware_tiers::HardwareTier;
use crate::id;
use crate::locked::Locked;
use crate::log::{LineFilter, Log, LogPage};
use crate::run_status::{RunHistory, RunStatus};
use crate::users::User;

pub(super) struct Instance {
    pub(super) id: String,
    /// Its number among all instances of the app, from 1.
    pub(super) number: usize,
    pub(super) created: Moment,
    pub(super) started_by: Arc<User>,
    pub(super) hardware_tier: Arc<HardwareTier>,
    pub(super) log: Arc<Log>,
    pub(super) fault: AppFault,
    /// Notified once, when the instance is to stop.
    pub(super) stopping: Notify,
    /// Notified when a stop that hangs is forced.
    pub(super) forced: Notify,
    progress: Locked<InstanceProgress>,
    ended: watch::Sender<bool>,
}

/// The part of an instance that changes while it runs.
struct InstanceProgress {
    history: RunHistory,
    completed: Option<Moment>,
    /// The commit of the code, once it is known.
    commit: Option<String>,
    failure: Option<String>,
    /// The port that the process was told to listen on.
    port: Option<u16>,
    is_process_alive: bool,
    is_stopping: bool,
    /// How often the status was read, for faults that last a number of reads.
    looks: usize,
}

impl Instance {
    pub(super) fn new(
        number: usize,
        user: &Arc<User>,
        hardware_tier: &Arc<HardwareTier>,
        fault: AppFault,
        now: Moment,
    ) -> Self {
        Instance {
            id: id::object_id(),
            number,
            created: now,
            started_by: user.clone(),
            hardware_tier: hardware_tier.clone(),
            log: Arc::default(),
            fault,
            stopping: Notify::new(),
            forced: Notify::new(),
            progress: Locked::new(InstanceProgress {
                history: RunHistory::queued(),
                completed: None,
                commit: None,
                failure: None,
                port: None,
                is_process_alive: false,
                is_stopping: false,
                looks: 0,
            }),
            ended: watch::Sender::new(false),
        }
    }

    /// The true status, whatever replies report.
    pub(super) fn status(&self) -> RunStatus {
        self.progress.lock().history.current()
    }

    /// The status that a reply shows. Each call counts as one read, for faults that last a number of reads.
    pub(super) fn reported_status(&self) -> String {
        let mut progress = self.progress.lock();
        let look = progress.looks;
        progress.looks += 1;
        let stuck = self
            .fault
            .stuck_at
            .as_deref()
            .filter(|stuck| progress.history.has_reached(stuck));
        let faulty = self.fault.statuses.get(look).map(String::as_str);
        let reported = faulty
            .or(stuck)
            .unwrap_or(progress.history.current().word());
        reported.to_owned()
    }

    /// The commit of the code, once it is known.
    pub(super) fn commit(&self) -> Option<String> {
        self.progress.lock().commit.clone()
    }

    pub(super) fn completed(&self) -> Option<Moment> {
        self.progress.lock().completed
    }

    /// The address of the app, while it runs.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        let progress = self.progress.lock();
        let is_up = progress.history.current() == RunStatus::Running && progress.is_process_alive;
        let port = progress.port.filter(|_| is_up)?;
        Some((Ipv4Addr::LOCALHOST, port).into())
    }

    /// One page of the log, and whether it is the last one for good.
    pub(super) fn log_page(
        &self,
        wanted: LineFilter,
        after: u64,
        offset: usize,
        limit: usize,
    ) -> (LogPage, bool) {
        let has_ended = self.status().is_terminal();
        let page = self.log.page(wanted, after, offset, limit, 0);
        let is_complete = has_ended && page.is_last;
        (page, is_complete)
    }

    /// Asks the instance to stop; one that has ended or is already stopping stays unchanged.
    pub(super) fn stop(&self) {
        let mut progress = self.progress.lock();
        if !progress.history.current().is_terminal() && !progress.is_stopping {
            progress.is_stopping = true;
            progress.history.enter(RunStatus::StopRequested);
            self.stopping.notify_one();
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.progress.lock().is_stopping
    }

    /// Waits until the instance has ended.
    pub(super) async fn ended(&self) {
        // The sender is a part of the instance, so it outlives every wait.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Enters `status`, unless the instance is being stopped and `status` is not part of that.
    pub(super) fn enter(&self, status: RunStatus) {
        let mut progress = self.progress.lock();
        if !progress.is_stopping || status == RunStatus::Stopping {
            progress.history.enter(status);
        }
    }

    pub(super) fn has_commit(&self, commit: &str) {
        self.progress.lock().commit = Some(commit.to_owned());
    }

    pub(super) fn has_port(&self, port: u16) {
        self.progress.lock().port = Some(port);
    }

    pub(super) fn has_process(&self, is_alive: bool) {
        self.progress.lock().is_process_alive = is_alive;
    }

    /// Ends the instance in `status`, with the reason when it failed.
    pub(super) fn end(&self, status: RunStatus, failure: Option<String>, now: Moment) {
        let mut progress = self.progress.lock();
        progress.completed = Some(now);
        progress.failure = failure;
        progress.is_process_alive = false;
        progress.history.enter(status);
        drop(progress);
        self.ended.send_replace(true);
    }

    pub(super) fn state(&self) -> Value {
        let progress = self.progress.lock();
        json!({
            "id": self.id,
            "number": self.number,
            "startedBy": self.started_by.name,
            "hardwareTierId": self.hardware_tier.id,
            "hardwareTierName": self.hardware_tier.name,
            "dataPlane": self.hardware_tier.data_plane.name,
            "status": progress.history.current().word(),
            "statuses": progress.history.words(),
            "commit": progress.commit,
            "failure": progress.failure,
            "port": progress.port,
            "isProcessAlive": progress.is_process_alive,
            "logLines": self.log.len(),
        })
    }
}
