//! The status as a single HTML page: the stages as columns in pipeline order, a card for each entity.
//!
//! It contains no script and loads nothing, so that it can be stored anywhere. Text from Domino is escaped in it.

use jiff::Timestamp;

use super::answer::{StageStatus, Status, Waiting};
use super::deployed::{Deployed, Health, LeftOver, ago};

/// The style of the page, for a light and a dark screen.
const STYLE: &str = include_str!("page.css");

/// The whole page. `file` is the name of the stage file.
pub(super) fn page(status: &Status, file: &str) -> String {
    let title = match &status.repository {
        Some(repository) => format!("What runs of {repository}"),
        None => "What runs where".to_owned(),
    };
    let title = escaped(&title);
    let stages = status.stages.iter();
    let links: String = stages
        .clone()
        .map(|stage| {
            let name = escaped(&stage.stage);
            format!("<a href=\"#{name}\">{name}</a>\n")
        })
        .collect();
    let columns: String = stages
        .enumerate()
        .map(|(at, stage)| column(status, file, at, stage))
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n<p>{}</p>\n<nav aria-label=\"Stages\">\n{links}</nav>\n</header>\n{}\
         <main>\n{columns}</main>\n</body>\n</html>\n",
        asked(status),
        differences(status, file),
    )
}

fn asked(status: &Status) -> String {
    let at = status.at.strftime("%Y-%m-%d %H:%M UTC");
    let why = status.waiting_not_seen.as_ref();
    let why = why.map(|why| format!("; what waits on GitHub is not known: {}", prose(why)));
    format!(
        "as of <time datetime=\"{}\">{at}</time>{}",
        status.at,
        why.unwrap_or_default()
    )
}

/// What differs, each with a link to its card.
fn differences(status: &Status, file: &str) -> String {
    let file = escaped(file);
    let entities = status.stages.iter().flat_map(|stage| &stage.entities);
    let lines: String = entities
        .filter(|entity| entity.differs())
        .map(|entity| {
            format!(
                "<li><a href=\"#{}\">{} {} in {}</a></li>\n",
                anchor(entity),
                entity.kind.word(),
                escaped(&entity.entity),
                escaped(&entity.stage)
            )
        })
        .collect();
    let seen = status.stages.iter().all(|stage| stage.not_seen.is_none());
    let left = status
        .stages
        .iter()
        .any(|stage| !stage.left_over.is_empty());
    match (lines.is_empty(), seen) {
        (true, true) if !left => {
            format!("<p class=\"banner well\">Everything is as {file} says.</p>\n")
        }
        (true, _) => String::new(),
        (false, _) => format!(
            "<section class=\"banner differs\" aria-label=\"What differs\">\n<p>Not as {file} says:</p>\n<ul>\n{lines}</ul>\n\
             </section>\n"
        ),
    }
}

fn column(status: &Status, file: &str, at: usize, stage: &StageStatus) -> String {
    let name = escaped(&stage.stage);
    let mut facts = vec![format!(
        "GitHub environment {}",
        escaped(&stage.github_environment)
    )];
    facts.extend(
        stage
            .data_plane
            .iter()
            .map(|plane| format!("data plane {}", escaped(plane))),
    );
    facts.push(format!(
        "{} on {}",
        escaped(&stage.project),
        escaped(&stage.host)
    ));
    if !stage.approvers.is_empty() {
        facts.push(format!(
            "approved by {}",
            escaped(&stage.approvers.join(", "))
        ));
    }
    let facts: String = facts
        .iter()
        .map(|fact| format!("<li>{fact}</li>\n"))
        .collect();
    let warnings: String = stage
        .warnings
        .iter()
        .map(|warning| format!("<p class=\"note\">{}</p>\n", prose(warning)))
        .collect();
    let before = at
        .checked_sub(1)
        .and_then(|before| status.stages.get(before));
    let cards: String = stage
        .entities
        .iter()
        .map(|entity| {
            let of = (entity.kind, entity.entity.as_str());
            let earlier = before.and_then(|before| before.entity(of));
            card(status, file, stage, entity, earlier)
        })
        .collect();
    let waiting = stage.waiting.iter().map(|one| waits(status, one));
    let waiting: String = waiting.collect();
    let left: String = stage
        .left_over
        .iter()
        .map(|left| left_over(file, left))
        .collect();
    format!(
        "<section class=\"stage\" id=\"{name}\" aria-labelledby=\"{name}-title\">\n<h2 id=\"{name}-title\">{name}</h2>\n\
         <ul class=\"facts\">\n{facts}</ul>\n{warnings}{}{waiting}{cards}{left}</section>\n",
        not_seen(stage)
    )
}

/// What waits for somebody, in the place where it waits.
fn waits(status: &Status, one: &Waiting) -> String {
    let what = match &one.link {
        Some(link) => format!("<a href=\"{}\">{}</a>", escaped(link), escaped(&one.what)),
        None => escaped(&one.what),
    };
    let commit = one
        .commit
        .as_deref()
        .map(|commit| commit_link(status, commit));
    let what: Vec<String> = [Some(what), commit].into_iter().flatten().collect();
    let mut rows = Vec::new();
    if let Some(since) = one.since {
        rows.push(("since", since_text(since, status.at)));
    }
    if let Some(by) = &one.started_by {
        rows.push(("by", escaped(by)));
    }
    format!(
        "<article class=\"card waits\">\n<h3>{} <small>on {}</small></h3>\n<p class=\"badge\">waits</p>\n<p>{}</p>\n\
         <dl>\n{}</dl>\n</article>\n",
        escaped(&one.whom()),
        one.place,
        what.join(" · "),
        listed(&rows),
    )
}

fn commit_link(status: &Status, commit: &str) -> String {
    let short = escaped(commit.get(..7).unwrap_or(commit));
    match status.url_of(commit) {
        Some(url) => format!("<a href=\"{}\"><code>{short}</code></a>", escaped(&url)),
        None => format!("<code>{short}</code>"),
    }
}

fn listed(rows: &[(&str, String)]) -> String {
    rows.iter()
        .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"))
        .collect()
}

fn not_seen(stage: &StageStatus) -> String {
    let Some(why) = &stage.not_seen else {
        return String::new();
    };
    let title = if why.without_token {
        "No token"
    } else {
        "Not seen"
    };
    let hint = why
        .hint
        .as_ref()
        .map(|hint| format!("<p>{}</p>\n", prose(hint)));
    format!(
        "<article class=\"card unknown\">\n<h3>{title}</h3>\n<p>{}</p>\n{}</article>\n",
        prose(&why.reasons.join(": ")),
        hint.unwrap_or_default()
    )
}

fn card(
    status: &Status,
    file: &str,
    stage: &StageStatus,
    entity: &Deployed,
    before: Option<&Deployed>,
) -> String {
    let (class, word) = match entity.health {
        Health::Well if entity.differences.is_empty() => ("well", "well"),
        Health::Well => ("differs", "differs"),
        Health::Paused if entity.differences.is_empty() => ("paused", "paused"),
        Health::Paused => ("differs", "differs"),
        Health::UnderWay => ("under-way", "under way"),
        Health::Wrong => ("wrong", "wrong"),
        Health::Nothing => ("nothing", "not there"),
    };
    let what = match entity.health {
        Health::Nothing => String::new(),
        _ => format!("<p class=\"what\">{}</p>\n", what(status, entity)),
    };
    let differences: String = entity
        .differences
        .iter()
        .map(|one| format!("<li>{}</li>\n", prose(&one.in_words(file))))
        .collect();
    let differences = match differences.is_empty() {
        true => String::new(),
        false => format!("<ul class=\"differences\">\n{differences}</ul>\n"),
    };
    format!(
        "<article class=\"card {class}\" id=\"{}\">\n<h3>{} <small>{}</small></h3>\n<p class=\"badge\">{word}</p>\n\
         {what}<dl>\n{}</dl>\n{differences}{}</article>\n",
        anchor(entity),
        escaped(&entity.entity),
        entity.kind.word(),
        details(status, entity),
        still_to_come(stage, entity, before)
    )
}

/// The version and the commit, which is a link if the repository is known.
fn what(status: &Status, entity: &Deployed) -> String {
    let version = entity.version.as_ref();
    let version = version.map(|version| format!("version {}", escaped(version)));
    let commit = entity.commit.as_deref();
    let commit = commit.map(|commit| commit_link(status, commit));
    let parts: Vec<String> = version.into_iter().chain(commit).collect();
    match parts.is_empty() {
        true => "commit not told".into(),
        false => parts.join(" · "),
    }
}

fn details(status: &Status, entity: &Deployed) -> String {
    let mut rows = vec![("status", escaped(&entity.status))];
    if let Some(next) = &entity.next_run {
        rows.push(("next run", escaped(next)));
    }
    if let Some(since) = entity.since {
        rows.push(("since", since_text(since, status.at)));
    }
    if let Some(by) = &entity.by {
        rows.push(("by", escaped(by)));
    }
    if let Some(run) = &entity.workflow_run {
        let is_id = run.bytes().all(|b| b.is_ascii_digit());
        let link = status
            .repository
            .as_ref()
            .filter(|_| is_id)
            .map(|repository| {
                let url = format!("https://github.com/{repository}/actions/runs/{run}");
                format!("<a href=\"{}\">{}</a>", escaped(&url), escaped(run))
            });
        rows.push(("workflow run", link.unwrap_or_else(|| escaped(run))));
    }
    if let Some(held) = &entity.held {
        rows.push(("held", escaped(&held.in_words())));
    }
    if !entity.facts.is_empty() {
        rows.push(("also", escaped(&entity.facts.join(", "))));
    }
    if let Some(name) = &entity.name {
        rows.push(("in Domino", escaped(name)));
    }
    listed(&rows)
}

fn since_text(since: Timestamp, now: Timestamp) -> String {
    let day = since.strftime("%Y-%m-%d %H:%M UTC");
    format!(
        "<time datetime=\"{since}\">{day}</time> ({})",
        ago(since, now)
    )
}

/// What the stage before has and this one does not, and who may let it in.
fn still_to_come(stage: &StageStatus, entity: &Deployed, before: Option<&Deployed>) -> String {
    let is_ahead = |before: &&Deployed| {
        matches!(before.health, Health::Well | Health::Paused)
            && (&before.version, &before.commit) != (&entity.version, &entity.commit)
    };
    let Some(before) = before.filter(is_ahead) else {
        return String::new();
    };
    let whom = match stage.approvers.is_empty() {
        true => "nobody has to approve it".to_owned(),
        false => format!("waits for {}", stage.approvers.join(", ")),
    };
    format!(
        "<p class=\"note\">{} has {}; here {}</p>\n",
        escaped(&before.stage),
        escaped(&before.what()),
        escaped(&whom)
    )
}

fn left_over(file: &str, left: &LeftOver) -> String {
    format!(
        "<article class=\"card differs\">\n<h3>{} <small>{}</small></h3>\n<p class=\"badge\">left over</p>\n\
         <p>In Domino as {}, and no longer in {}: <code>{}</code></p>\n</article>\n",
        escaped(&left.marker),
        left.kind.word(),
        escaped(&left.name),
        escaped(file),
        escaped(&left.hint)
    )
}

fn anchor(entity: &Deployed) -> String {
    escaped(&format!(
        "{}-{}-{}",
        entity.stage,
        entity.kind.word(),
        entity.entity
    ))
}

/// A sentence of ours; text between backticks is shown as code.
fn prose(text: &str) -> String {
    let escaped = escaped(text);
    let parts: Vec<&str> = escaped.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    let mut prose = String::new();
    for (at, part) in parts.iter().enumerate() {
        match at % 2 {
            1 => prose.push_str(&format!("<code>{part}</code>")),
            _ => prose.push_str(part),
        }
    }
    prose
}

/// Text escaped for an element or for an attribute in quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
