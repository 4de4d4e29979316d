//! Rules on the schedules of jobs. Only a file with a schedule pays for time zones and calendars.

use super::{Book, Report};
use crate::stages::cron::{Rhythm, has_numbered_weekday};
use crate::stages::text::shown;
use crate::stages::time_zone::{nearest_time_zone, time_zone as known_time_zone};

pub(super) fn cron(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for cron in book.crons() {
        if let Err(error) = &cron.quartz {
            report.at(&cron.path, error);
        }
    }
}

pub(super) fn never_fires(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for (path, rhythm) in rhythms(book) {
        if rhythm == Rhythm::Never {
            report.at(path, "never fires: no such day comes");
        }
    }
}

pub(super) fn rare(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for (path, rhythm) in rhythms(book) {
        match rhythm {
            Rhythm::Once => report.at(path, "fires on one more day and then never again"),
            Rhythm::Yearly => report.at(path, "fires on one day a year or less"),
            Rhythm::Never | Rhythm::Often => {}
        }
    }
}

/// How often each schedule fires. The time zone moves no day so far that the answer would change.
fn rhythms<'b>(book: &'b Book<'_>) -> impl Iterator<Item = (&'b [String], Rhythm)> {
    let now = book.now.to_zoned(jiff::tz::TimeZone::UTC);
    book.crons().iter().filter_map(move |cron| {
        let rhythm = cron.quartz.as_ref().ok()?.rhythm(now.clone());
        Some((&cron.path[..], rhythm))
    })
}

pub(super) fn numbered_weekday(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for cron in book.crons() {
        if cron.quartz.is_ok() && has_numbered_weekday(cron.text) {
            report.at(&cron.path, "counts the days of the week, and Quartz does so from 1 for Sunday; names such as `MON` leave no doubt");
        }
    }
}

pub(super) fn time_zone(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["job", _, "schedule", "timezone"])) {
        if known_time_zone(leaf.text).is_none() {
            let hint = match nearest_time_zone(leaf.text) {
                Some(zone) => format!("did you mean `{zone}`?"),
                None => "use a name such as `Europe/Berlin`".into(),
            };
            report.leaf(
                leaf,
                format!(
                    "must be a time zone by its IANA name, not {}; {hint}",
                    shown(leaf.text)
                ),
            );
        }
    }
}

pub(super) fn email(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["job", _, "schedule", "notify"])) {
        if !is_email(leaf.text) {
            report.leaf(
                leaf,
                format!("names {}, which is no e-mail address", shown(leaf.text)),
            );
        }
    }
}

/// The plain form only: no quotes, no comments, no display name.
fn is_email(text: &str) -> bool {
    let Some((user, domain)) = text.split_once('@') else {
        return false;
    };
    let in_user = |c: char| c.is_alphanumeric() || "._%+-'&=~!#$*/?^{|}".contains(c);
    let label = |label: &str| {
        let legal = |c: char| c.is_alphanumeric() || c == '-';
        !label.is_empty()
            && label.chars().all(legal)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let dots = !user.starts_with('.') && !user.ends_with('.') && !user.contains("..");
    let user = !user.is_empty() && user.len() <= 64 && user.chars().all(in_user) && dots;
    user && text.len() <= 254 && domain.contains('.') && domain.split('.').all(label)
}
