//! Expressions held against what Quartz makes of them: its times, its refusals, its oversights.

use super::*;
use crate::time_zone::time_zone;

fn fires(cron: &str, number: usize) -> Vec<String> {
    let after = "2026-11-23T12:00:00[UTC]".parse().unwrap();
    let quartz = Quartz::read(cron, 2026).unwrap();
    quartz
        .fires(after)
        .take(number)
        .map(|fire| fire.strftime("%a %F %R").to_string())
        .collect()
}

fn rhythm(cron: &str) -> Rhythm {
    Quartz::read(cron, 2026)
        .unwrap()
        .rhythm("2026-11-23T12:00:00[UTC]".parse().unwrap())
}

#[test]
fn ranges_that_run_over_the_end_go_on_from_the_start() {
    assert_eq!(
        fires("0 0 12 ? * FRI-MON", 4),
        [
            "Fri 2026-11-27 12:00",
            "Sat 2026-11-28 12:00",
            "Sun 2026-11-29 12:00",
            "Mon 2026-11-30 12:00"
        ]
    );
    assert_eq!(
        fires("0 0 22-1 * * ?", 4),
        [
            "Mon 2026-11-23 22:00",
            "Mon 2026-11-23 23:00",
            "Tue 2026-11-24 00:00",
            "Tue 2026-11-24 01:00"
        ]
    );
}

#[test]
fn last_days_nearest_weekdays_and_counted_weekdays_are_those_of_quartz() {
    assert_eq!(
        fires("0 0 12 L * ?", 2),
        ["Mon 2026-11-30 12:00", "Thu 2026-12-31 12:00"]
    );
    assert_eq!(fires("0 0 12 LW * ?", 3)[2], "Fri 2027-01-29 12:00");
    assert_eq!(fires("0 0 12 28W * ?", 1), ["Fri 2026-11-27 12:00"]);
    assert_eq!(fires("0 0 12 ? * L", 1), ["Sat 2026-11-28 12:00"]);
    assert_eq!(
        fires("0 0 12 ? * 6L", 2),
        ["Fri 2026-11-27 12:00", "Fri 2026-12-25 12:00"]
    );
    assert_eq!(fires("0 0 12 ? * mon#2", 1), ["Mon 2026-12-14 12:00"]);
}

#[test]
fn steps_start_where_they_are_told_to() {
    assert_eq!(
        fires("0 10/25 13 * * ?", 3),
        [
            "Mon 2026-11-23 13:10",
            "Mon 2026-11-23 13:35",
            "Tue 2026-11-24 13:10"
        ]
    );
    assert_eq!(
        fires("0 0 12 ? 1/6 2/3", 2),
        ["Mon 2027-01-04 12:00", "Thu 2027-01-07 12:00"]
    );
}

#[test]
fn where_quartz_looks_for_ever_it_is_said() {
    // A zone that is nowhere, so that no scheduler can be given it.
    let zone = TimeZone::posix("AAA-5BBB,M6.3.3/1,M9.3.3/1").unwrap();
    let after: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
    let after = after.to_zoned(zone);
    let endless = |cron: &str| Quartz::read(cron, 2026).unwrap().endless(&after);
    let told = endless("0 30 1 16W * ?").unwrap();
    assert!(
        told.contains("look for ever for the time after 2"),
        "{told}"
    );
    assert_eq!(endless("0 30 2 16W * ?"), None);
    assert_eq!(endless("0 30 1 16 * ?"), None);
}

#[test]
fn how_often_it_fires_is_counted_in_days() {
    assert_eq!(rhythm("0 0 12 30 2 ?"), Rhythm::Never);
    assert_eq!(rhythm("0 0 12 1 1 ? 2020"), Rhythm::Never);
    assert_eq!(rhythm("0 0 12 1 1 ? 2028"), Rhythm::Once);
    assert_eq!(rhythm("0 0 12 1 1 ?"), Rhythm::Yearly);
    assert_eq!(
        rhythm("0 0/5 12 1 1 ?"),
        Rhythm::Yearly,
        "many times, and all on one day a year"
    );
    assert_eq!(rhythm("0 0 12 29 2 ?"), Rhythm::Yearly);
    assert_eq!(rhythm("0 0 12 1 1,7 ?"), Rhythm::Often);
    assert_eq!(rhythm("0 0 6 ? * MON-FRI"), Rhythm::Often);
}

/// The next five times after a start, as `tests/cron/answers.txt` has those of Quartz: `end` after the last.
fn answered(zone: &str, start: &str, cron: &str) -> String {
    let Ok(quartz) = Quartz::read_as_quartz(cron, 2026) else {
        return "no".into();
    };
    let start: Timestamp = start.parse().unwrap();
    let start = start.to_zoned(time_zone(zone).unwrap());
    let fires: Vec<Zoned> = quartz.fires(start).take(5).collect();
    let mut answer = "ok".to_owned();
    for fire in &fires {
        answer += &format!(" {}", fire.timestamp());
    }
    if fires.len() < 5 {
        answer += " end";
    }
    answer
}

#[test]
fn the_times_of_an_expression_are_those_that_quartz_gave() {
    let table = include_str!("../../../../tests/cron/answers.txt");
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let mut parts = row.splitn(4, '|');
        let mut part = || parts.next().unwrap();
        let (zone, start, cron, answer) = (part(), part(), part(), part());
        assert_eq!(answered(zone, start, cron), answer, "{row}");
    }
}
