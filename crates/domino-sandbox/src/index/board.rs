//! The board: what waits for a person, and then a column for each data plane, with a card for each thing that runs
//! there.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::{models, requests, schedules};
use crate::apps;
use crate::domino::Domino;
use crate::html::card::{Card, Health};
use crate::html::{commit, escaped, moment};
use crate::jobs::Job;
use crate::run_status::RunStatus;

/// At most this many ended jobs are in a column; the page of the project has all.
const ENDED_JOBS: usize = 3;

/// The whole board.
pub(super) fn board(domino: &Domino, jobs: &[Arc<Job>], headers: &HeaderMap) -> String {
    let mut cards = apps::cards(&domino.apps);
    cards.extend(models::cards(&domino.model_apis));
    cards.extend(schedules::cards(&domino.scheduled_jobs, &domino.catalog));
    let waiting = requests::section(&domino.decisions, headers);
    let mut columns =
        format!("<section class=\"column\"><h2>Waiting for approval</h2>{waiting}</section>\n");
    for plane in domino.catalog.data_planes.names() {
        let of_jobs = newest(jobs, plane);
        let here = cards.iter().filter(|card| card.plane == plane);
        let here: String = here.chain(&of_jobs).map(Card::html).collect();
        if !here.is_empty() {
            let plane = escaped(plane);
            columns += &format!("<section class=\"column\"><h2>{plane}</h2>{here}</section>\n");
        }
    }
    format!("<div class=\"board\">{columns}</div>\n")
}

/// The jobs on a data plane that have not ended, and the newest that have.
fn newest(jobs: &[Arc<Job>], plane: &str) -> Vec<Card> {
    let mut ended = 0;
    let here = jobs.iter().rev();
    here.filter(|job| job.hardware_tier.data_plane.name == plane)
        .filter(|job| {
            let is_over = job.status().is_terminal();
            ended += usize::from(is_over);
            !is_over || ended <= ENDED_JOBS
        })
        .map(|job| card(job))
        .collect()
}

fn card(job: &Job) -> Card {
    let status = job.status();
    let title = job.title().unwrap_or_else(|| job.spec.command.clone());
    Card {
        plane: job.hardware_tier.data_plane.name.clone(),
        title: format!(
            "<a href=\"{}\">#{} {}</a>",
            escaped(&job.page()),
            job.number,
            escaped(&title)
        ),
        kind: "job",
        health: match status {
            RunStatus::Succeeded => Health::Well,
            RunStatus::Failed | RunStatus::Error => Health::Wrong,
            RunStatus::Stopped => Health::Quiet,
            _ => Health::UnderWay,
        },
        word: status.word().to_owned(),
        rows: vec![
            ("commit", commit(job.commit().as_deref())),
            ("since", moment(job.submitted())),
            ("tier", escaped(&job.hardware_tier.name)),
            ("by", escaped(&job.started_by.name)),
        ],
    }
}
