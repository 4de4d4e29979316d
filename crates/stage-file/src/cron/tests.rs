//! Expressions compared with what Quartz makes of them: its times, its refusals, its oversights.

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
    // A zone that does not exist, so that no scheduler can have it.
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

#[test]
fn quartz_looks_a_century_ahead() {
    let fires_in = |year: i16| {
        let cron = format!("0 0 12 1 6 ? {year}");
        let quartz = Quartz::read_as_quartz(&cron, 2026).unwrap();
        let after = "2026-11-23T12:00:00[UTC]".parse().unwrap();
        quartz
            .fires(after)
            .map(|fire| fire.year())
            .collect::<Vec<_>>()
    };
    assert_eq!(fires_in(2126), [2126]);
    assert_eq!(fires_in(2127), [0_i16; 0]);
    assert_eq!(fires_in(3000), [0_i16; 0]);
}

#[test]
fn what_quartz_takes_of_a_step_a_sign_and_a_long_range() {
    let takes = |cron: &str| Quartz::read_as_quartz(cron, 2026).is_ok();
    for (taken, refused) in [
        ("0 0/59 6 * * ?", "0 0/60 6 * * ?"),
        ("0 0 0/23 * * ?", "0 0 0/24 * * ?"),
        ("0 0 6 1/31 * ?", "0 0 6 1/32 * ?"),
        ("0 0 6 1 1/12 ?", "0 0 6 1 1/13 ?"),
        ("0 0 6 ? * 1/7", "0 0 6 ? * 1/8"),
        ("0 0 6 1 1 ? 2026/60", "0 0 6 1 1 ? 2026/x"),
        ("0 0 6 ?x * MON", "0 0 6 ?xy * MON"),
        ("0 */5 6 * * ?", "0 / 6 * * ?"),
        ("0 0 6 ? * 7L", "0 0 6 ? * 8L"),
        ("0 5 6 * * ?", "0 5L 6 * * ?"),
        ("0 0 6 31W * ?", "0 0 6 32W * ?"),
        ("0 0 6 ? * 5", "0 0 6 ? * 5W"),
        ("0 0 6 1 1 ? 1970-21970", "0 0 6 1 1 ? 1970-21971"),
    ] {
        assert!(takes(taken), "{taken}");
        assert!(!takes(refused), "{refused}");
    }
}

#[test]
fn what_follows_the_name_of_a_month_is_dropped() {
    let reading = |month: &str| Reading::read(&format!("0 0 6 ? {month} MON"), 2026).unwrap();
    for month in ["JAN#2", "JANL", "JANUARY"] {
        assert_eq!(reading(month), reading("JAN"), "{month}");
    }
}

#[test]
fn only_what_the_clock_leaves_out_is_left_out() {
    let berlin = time_zone("Europe/Berlin").unwrap();
    let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
    let left_out = |cron: &str| Quartz::read(cron, 2026).unwrap().left_out(&berlin, now);
    let told = left_out("0 59 2 * * ?");
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].message("Europe/Berlin"),
        "does not fire at 02:59 on Sunday 2027-03-28: the clock of `Europe/Berlin` goes from 02:00 to 03:00"
    );
    assert_eq!(left_out("0 0 2 * * ?").len(), 1);
    for cron in [
        "0 0 3 * * ?",
        "59 59 1 * * ?",
        "0 30 * * * ?",
        "0 30 2 1 * ?",
    ] {
        assert!(left_out(cron).is_empty(), "{cron}");
    }
}

#[test]
fn where_the_clock_goes_forward_by_two_hours_the_third_is_passed_over() {
    // From 01:00 to 03:00.
    let told = answered("Antarctica/Troll", "2025-03-29T12:00:00Z", "0 0 1,3 * * ?");
    assert!(
        told.starts_with("ok 2025-03-30T23:00:00Z 2025-03-31T01:00:00Z"),
        "{told}"
    );
}
