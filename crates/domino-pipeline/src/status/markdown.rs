//! The status as Markdown: one table, and below it what differs. Text from Domino is shown literally.

use domino_core::step::markdown;

use super::answer::Status;
use super::deployed::{Deployed, Health, ago};

/// The whole page. `file` is the name of the stage file.
pub(super) fn page(status: &Status, file: &str) -> String {
    let names = status
        .stages
        .iter()
        .map(|stage| format!(" {} |", stage.stage));
    let mut page = format!("| |{}\n", names.collect::<String>());
    page.push_str(&format!(
        "| --- |{}\n",
        " --- |".repeat(status.stages.len())
    ));
    for (kind, name) in status.entities() {
        page.push_str(&format!("| {} `{name}` |", kind.word()));
        for stage in &status.stages {
            let cell = match (stage.entity((kind, name)), &stage.not_seen) {
                (Some(entity), _) => cell(entity, status),
                (None, Some(why)) if why.without_token => "no token".into(),
                (None, Some(_)) => "not seen".into(),
                (None, None) => String::new(),
            };
            page.push_str(&format!(" {cell} |"));
        }
        page.push('\n');
    }
    let differs = status.differences(file);
    list(&mut page, &format!("Not as `{file}` says"), &differs);
    let left: Vec<String> = status
        .stages
        .iter()
        .flat_map(|stage| &stage.left_over)
        .map(|left| {
            format!(
                "{} {} {} ({}): {}",
                left.marker,
                left.kind.word(),
                left.name,
                left.id,
                left.hint
            )
        })
        .collect();
    list(
        &mut page,
        &format!("In Domino, and no longer in `{file}`"),
        &left,
    );
    list(&mut page, "Held", &status.held());
    list(&mut page, "Waiting", &status.waiting());
    let not_seen: Vec<String> = status
        .stages
        .iter()
        .filter_map(|stage| {
            let why = stage.not_seen.as_ref()?;
            Some(format!("{}: {}", stage.stage, why.reasons.join(": ")))
        })
        .collect();
    list(&mut page, "Not seen", &not_seen);
    let warnings: Vec<String> = status
        .stages
        .iter()
        .flat_map(|s| s.warnings.clone())
        .collect();
    list(&mut page, "Soon", &warnings);
    page
}

fn cell(entity: &Deployed, status: &Status) -> String {
    let sign = match entity.health {
        Health::Nothing | Health::Wrong => "❌",
        _ if entity.differs() => "⚠️",
        Health::Well => "✅",
        Health::Paused => "⏸️",
        Health::UnderWay => "⏳",
    };
    if entity.health == Health::Nothing {
        return format!("{sign} {}", markdown(&entity.status));
    }
    let commit = match (entity.short_commit(), status.commit_url(entity)) {
        (Some(short), Some(url)) => format!("[`{short}`]({url})"),
        (Some(short), None) => markdown(short),
        (None, _) => String::new(),
    };
    let version = entity
        .version
        .as_ref()
        .map(|version| format!("v{} ", markdown(version)));
    let since = entity
        .since
        .map(|since| format!(", {}", ago(since, status.at)));
    let next = entity
        .next_run
        .as_ref()
        .map(|next| format!(", next {}", markdown(next)));
    let by = entity.by.as_ref().map(|by| format!(", {}", markdown(by)));
    format!(
        "{sign} {}{commit} {}{}{}{}",
        version.unwrap_or_default(),
        markdown(&entity.status),
        since.unwrap_or_default(),
        next.unwrap_or_default(),
        by.unwrap_or_default()
    )
}

fn list(page: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    page.push_str(&format!("\n**{title}**\n\n"));
    page.extend(
        lines
            .iter()
            .map(|line| format!("- {}\n", markdown(line).replace('`', "'"))),
    );
}
