//! Rules on the schedules of jobs. Only a file with a schedule pays for time zones and calendars.

use jiff::tz::TimeZone;

use super::rule::{Book, Cron, Report};
use crate::cron::{Quartz, Rhythm};
use crate::text::displayed;
use crate::time_zone::{nearest_time_zone, time_zone as known_time_zone, todays_name};

pub(super) fn cron(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for cron in book.crons() {
        let quartz = match &cron.quartz {
            Ok(quartz) => quartz,
            Err(error) => {
                report.at(&cron.path, error);
                continue;
            }
        };
        if let Some((_, zone)) = zone(book, cron)
            && let Some(message) = quartz.endless(&book.now.to_zoned(zone))
        {
            report.at(&cron.path, message);
        }
    }
}

/// The time zone of an expression with its name, when there is such a zone.
fn zone<'b>(book: &'b Book<'_>, cron: &Cron) -> Option<(&'b str, TimeZone)> {
    let mut jobs = book.file.jobs.iter();
    let job = jobs.find(|job| cron.path.get(1) == Some(&job.name))?;
    let name = &job.schedule.as_ref()?.timezone;
    Some((name, known_time_zone(name)?))
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
    let now = book.now.to_zoned(TimeZone::UTC);
    book.crons().iter().filter_map(move |cron| {
        let rhythm = cron.quartz.as_ref().ok()?.rhythm(now.clone());
        Some((&cron.path[..], rhythm))
    })
}

pub(super) fn numbered_weekday(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for cron in book.crons() {
        let quartz = cron.quartz.as_ref().ok();
        if let Some(message) = quartz.and_then(Quartz::numbered_weekday) {
            report.at(&cron.path, message);
        }
    }
}

pub(super) fn clock_change(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for cron in book.crons() {
        if let (Ok(quartz), Some((name, zone))) = (&cron.quartz, zone(book, cron)) {
            for left_out in quartz.left_out(&zone, book.now) {
                report.at(&cron.path, left_out.message(name));
            }
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
                    displayed(leaf.text)
                ),
            );
        }
    }
}

pub(super) fn time_zone_alias(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["job", _, "schedule", "timezone"])) {
        if let Some(today) = todays_name(leaf.text)
            && known_time_zone(leaf.text).is_some()
        {
            report.leaf(
                leaf,
                format!("is an old or ambiguous name of `{today}`; write that"),
            );
        }
    }
}

pub(super) fn email(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["job", _, "schedule", "notify"])) {
        if !is_email(leaf.text) {
            report.leaf(
                leaf,
                format!("names {}, which is no e-mail address", displayed(leaf.text)),
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

#[cfg(test)]
mod tests {
    use super::super::tests::with_schedule;

    fn cron(cron: &str) -> Vec<String> {
        with_schedule(&format!("cron = \"{cron}\""))
    }

    #[test]
    fn a_unix_expression_is_refused_with_its_quartz_form() {
        assert_eq!(cron("0 0 6 ? * MON-FRI"), [""; 0]);
        assert_eq!(
            cron("0 6 * * 1-5"),
            [
                "`schedule.cron` in `[job.score]` has five fields as Unix cron has; Domino's cron is Quartz, with seconds \
              first; write `0 0 6 ? * MON-FRI`"
            ]
        );
    }

    #[test]
    fn a_schedule_that_never_fires_is_a_warning() {
        assert_eq!(
            cron("0 0 12 30 2 ?"),
            [
                "`schedule.cron` in `[job.score]` never fires: no such day comes (accept with `accept = \
              [\"never-fires\"]` under `[pipeline]`)"
            ]
        );
    }

    #[test]
    fn a_schedule_that_fires_once_a_year_is_a_warning() {
        let accept = "(accept with `accept = [\"rare-schedule\"]` under `[pipeline]`)";
        assert_eq!(
            cron("0 0 12 1 1 ?"),
            [format!(
                "`schedule.cron` in `[job.score]` fires on one day a year or less {accept}"
            )]
        );
        assert_eq!(
            cron("0 0 12 1 1 ? 2028"),
            [format!(
                "`schedule.cron` in `[job.score]` fires on one more day and then never again {accept}"
            )]
        );
    }

    #[test]
    fn a_weekday_by_number_is_a_warning() {
        assert_eq!(
            cron("0 0 6 ? * 2-6"),
            [
                "`schedule.cron` in `[job.score]` counts the days of the week, and Quartz does so from 1 for Sunday; \
              write `MON-FRI` if that is meant, or `TUE-SAT` if 1 is Monday (accept with `accept = [\"numbered-weekday\"]` under `[pipeline]`)"
            ]
        );
    }

    #[test]
    fn a_time_zone_is_one_that_exists() {
        let zone =
            |zone: &str| with_schedule(&format!("cron = \"0 0 6 * * ?\", timezone = \"{zone}\""));
        assert_eq!(zone("America/New_York"), [""; 0]);
        assert_eq!(
            zone("Europe/Berlinn"),
            [
                "`schedule.timezone` in `[job.score]` must be a time zone by its IANA name, not `Europe/Berlinn`; did you \
              mean `Europe/Berlin`?"
            ]
        );
        assert_eq!(
            zone("!"),
            [
                "`schedule.timezone` in `[job.score]` must be a time zone by its IANA name, not `!`; use a name such as \
              `Europe/Berlin`"
            ]
        );
    }

    #[test]
    fn another_name_of_a_time_zone_is_a_warning_with_todays_name() {
        assert_eq!(
            with_schedule("cron = \"0 0 6 * * ?\", timezone = \"US/Eastern\""),
            [
                "`schedule.timezone` in `[job.score]` is an old or ambiguous name of `America/New_York`; write that \
                 (accept with `accept = [\"time-zone-alias\"]` under `[pipeline]`)"
            ]
        );
    }

    #[test]
    fn a_fixed_time_that_the_clock_leaves_out_is_a_warning_with_the_date() {
        let berlin =
            |cron: &str| with_schedule(&format!("cron = \"{cron}\", timezone = \"Europe/Berlin\""));
        assert_eq!(
            berlin("0 30 2 * * ?"),
            [
                "`schedule.cron` in `[job.score]` does not fire at 02:30 on Sunday 2027-03-28: the clock of \
                 `Europe/Berlin` goes from 02:00 to 03:00 (accept with `accept = [\"clock-change\"]` under \
                 `[pipeline]`)"
            ]
        );
        assert_eq!(berlin("0 30 3 * * ?"), [""; 0]);
        assert_eq!(berlin("0 0/15 * * * ?"), [""; 0], "no hour is missed");
        assert_eq!(berlin("0 30 2 ? * MON-FRI"), [""; 0], "not on a Sunday");
        assert_eq!(cron("0 30 2 * * ?"), [""; 0], "UTC has no summer");
    }

    #[test]
    fn who_is_notified_is_an_email_address() {
        let notify = |address: &str| {
            with_schedule(&format!("cron = \"0 0 6 * * ?\", notify = [\"{address}\"]"))
        };
        for right in [
            "ml@example.com",
            "ann.b+ml@mail.example.com",
            "o'neil@example.com",
        ] {
            assert_eq!(notify(right), [""; 0]);
        }
        for wrong in [
            "ml",
            "ml@",
            "@example.com",
            "ml@localhost",
            "a b@example.com",
            "ml@example..com",
            "ann@b@example.com",
            "Ann ann@example.com",
        ] {
            assert_eq!(
                notify(wrong),
                [format!(
                    "`schedule.notify` in `[job.score]` names `{wrong}`, which is no e-mail address"
                )]
            );
        }
    }
}
