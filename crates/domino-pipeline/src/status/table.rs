//! The status as a table for a terminal: entities as rows, stages as columns, and below it what differs in words.

use jiff::Timestamp;

use super::answer::{StageStatus, Status};
use super::deployed::{Deployed, Health, LeftOver, ago};

/// The narrowest column of a stage: `v12 3f2a91c ≠`, `Succeeded 2 h`.
const NARROWEST: usize = 14;
/// From this width on a column has room for `Succeeded 2 h, ci-bot`.
const WIDE: usize = 24;
/// A column has no use for more than this.
const WIDEST: usize = 28;
/// Between two columns.
const GAP: usize = 2;

/// The whole text for a terminal of this width. `file` is the name of the stage file.
pub(super) fn text(status: &Status, file: &str, width: usize) -> String {
    let label = status
        .stages
        .iter()
        .flat_map(|stage| &stage.entities)
        .map(|entity| entity.entity.chars().count())
        .max()
        .unwrap_or(0)
        .clamp(8, 20);
    let fits = (width.saturating_sub(label) / (NARROWEST + GAP)).max(1);
    let mut text = String::new();
    for stages in status.stages.chunks(fits) {
        if !text.is_empty() {
            text.push('\n');
        }
        let column = (width.saturating_sub(label) / stages.len()).saturating_sub(GAP);
        let column = column.clamp(NARROWEST, WIDEST);
        text.push_str(&table(status, stages, label, column));
    }
    text.push_str(&words(status, file, width));
    text
}

fn table(status: &Status, stages: &[StageStatus], label: usize, column: usize) -> String {
    let names: Vec<String> = stages.iter().map(|stage| stage.stage.clone()).collect();
    let mut text = line("", &names, label, column);
    let known = status.entities();
    for (kind, name) in &known {
        let cells: Vec<[String; 3]> = stages
            .iter()
            .map(|stage| cell(stage, stage.entity((*kind, name)), status.at))
            .map(|cell| in_two_lines(cell, column))
            .collect();
        for (row, label_text) in [name, kind.word(), ""].into_iter().enumerate() {
            let row: Vec<String> = cells.iter().map(|cell| cell[row].clone()).collect();
            if label_text.is_empty() && row.iter().all(String::is_empty) {
                continue;
            }
            text.push_str(&line(label_text, &row, label, column));
        }
    }
    if known.is_empty() {
        let row: Vec<String> = stages.iter().map(|stage| not_seen(stage).into()).collect();
        text.push_str(&line("", &row, label, column));
    }
    text
}

fn not_seen(stage: &StageStatus) -> &'static str {
    match &stage.not_seen {
        Some(why) if why.without_token => "no token",
        Some(_) => "not seen",
        None => "",
    }
}

/// What is deployed; its status; who deployed it.
fn cell(stage: &StageStatus, entity: Option<&Deployed>, now: Timestamp) -> [String; 3] {
    let Some(entity) = entity else {
        return [not_seen(stage).into(), String::new(), String::new()];
    };
    let held = if entity.held.is_some() { " held" } else { "" };
    let sign = match (entity.health, entity.differences.is_empty()) {
        (Health::Nothing, _) => "",
        (Health::Wrong, _) => " ✗",
        (_, false) => " ≠",
        _ => "",
    };
    let since = entity.since.map(|since| format!(" {}", ago(since, now)));
    let stands = match &entity.next_run {
        Some(next) => format!("next {}", next_in_short(next, now)),
        None => format!("{}{}", entity.status, since.unwrap_or_default()),
    };
    let what = match entity.health {
        Health::Nothing => "–".to_owned(),
        _ => entity.what(),
    };
    [
        format!("{what}{held}{sign}"),
        stands,
        entity.by.clone().unwrap_or_default(),
    ]
}

/// If there is room, who deployed it follows its status.
fn in_two_lines([what, stands, by]: [String; 3], column: usize) -> [String; 3] {
    if column < WIDE || by.is_empty() {
        return [what, stands, by];
    }
    [what, format!("{stands}, {by}"), String::new()]
}

/// `Tue 06:00` within a week, else the day: `12-24 06:00`. The text is `Tue 2026-12-01 06:00 CET`.
fn next_in_short(next: &str, now: Timestamp) -> String {
    let parts: Vec<&str> = next.split(' ').collect();
    let [weekday, day, time, ..] = parts[..] else {
        return next.to_owned();
    };
    let date: Option<jiff::civil::Date> = day.parse().ok();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let is_soon = date.is_some_and(|date| (date - today).get_days() < 7);
    match is_soon {
        true => format!("{weekday} {time}"),
        false => format!("{} {time}", day.get(5..).unwrap_or(day)),
    }
}

fn line(label_text: &str, cells: &[String], label: usize, column: usize) -> String {
    let mut text = fitted(label_text, label);
    for cell in cells {
        text.push_str(&" ".repeat(GAP));
        text.push_str(&fitted(cell, column));
    }
    format!("{}\n", text.trim_end())
}

/// Exactly this width; longer text is cut.
fn fitted(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:width$}");
    }
    let kept: String = text.chars().take(width - 1).collect();
    format!("{kept}…")
}

/// Below the table: what differs, what is left over, which stages were not read.
fn words(status: &Status, file: &str, width: usize) -> String {
    let mut text = String::new();
    let differs = status.differences(file);
    if !differs.is_empty() {
        text.push_str(&format!("\nNot as {file} says:\n"));
        text.extend(differs.iter().map(|line| wrapped(line, width)));
    }
    let left = status.stages.iter().flat_map(|stage| &stage.left_over);
    let left: Vec<&LeftOver> = left.collect();
    if !left.is_empty() {
        text.push_str(&format!("\nIn Domino, and no longer in {file}:\n"));
    }
    for left in &left {
        let (marker, kind) = (&left.marker, left.kind.word());
        let said = format!("{marker} {kind} `{}` ({})", left.name, left.id);
        text.push_str(&wrapped(&said, width));
        text.push_str(&wrapped(&format!("  → {}", left.hint), width));
    }
    for (title, lines) in [("Held", status.held()), ("Waiting", status.waiting())] {
        if !lines.is_empty() {
            text.push_str(&format!("\n{title}:\n"));
            text.extend(lines.iter().map(|line| wrapped(line, width)));
        }
    }
    for stage in &status.stages {
        if let Some(why) = &stage.not_seen {
            text.push('\n');
            let said = format!("{}: {}", stage.stage, why.reasons.join(": "));
            text.push_str(&wrapped(&said, width));
            if let Some(hint) = &why.hint {
                text.push_str(&wrapped(&format!("  → {hint}"), width));
            }
        }
    }
    if differs.is_empty() && left.is_empty() && status.stages.iter().all(|s| s.not_seen.is_none()) {
        text.push_str(&format!("\nEverything is as {file} says.\n"));
    }
    text
}

/// A line split into several, none wider than this; the continuation is indented.
fn wrapped(line: &str, width: usize) -> String {
    let width = width.max(20);
    let (mut text, mut current) = (String::new(), String::from("  "));
    let indent = line.chars().take_while(|c| *c == ' ').count();
    current.push_str(&" ".repeat(indent));
    let mut is_first = true;
    for word in line.split_whitespace() {
        if !is_first && current.chars().count() + 1 + word.chars().count() > width {
            text.push_str(&format!("{current}\n"));
            current = " ".repeat(indent + 4);
            is_first = true;
        }
        if !is_first {
            current.push(' ');
        }
        current.push_str(word);
        is_first = false;
    }
    format!("{text}{current}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_exactly_as_wide_as_its_column() {
        assert_eq!(fitted("ab", 4), "ab  ");
        assert_eq!(fitted("abcde", 4), "abc…");
    }

    #[test]
    fn a_long_line_goes_on_below_itself() {
        let text = wrapped("dev app dashboard: visibility is `PUBLIC`", 24);
        assert_eq!(
            text,
            "  dev app dashboard:\n    visibility is\n    `PUBLIC`\n"
        );
    }

    #[test]
    fn the_next_run_is_told_by_its_weekday_within_a_week() {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        assert_eq!(next_in_short("Tue 2026-12-01 06:00 CET", now), "Tue 06:00");
        assert_eq!(
            next_in_short("Thu 2026-12-24 06:00 CET", now),
            "12-24 06:00"
        );
    }
}
