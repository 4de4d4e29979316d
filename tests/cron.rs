//! `domino-pipeline cron`: expressions explained, and their times compared with the real Quartz.
//!
//! The answers of Quartz 2.3.2 to some three hundred lines are stored. With `QUARTZ_CLASSPATH` naming the jars of
//! Quartz and slf4j-api, and `java` on the path, twenty thousand generated lines are compared with Quartz itself.

#[path = "cron/made_up.rs"]
mod made_up;

use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const PROGRAM: &str = env!("CARGO_BIN_EXE_domino-pipeline");
const SEED: u64 = 20_261_130;
const MADE_UP: usize = 20_000;

/// Exit code, stdout and stderr.
fn cron(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(PROGRAM);
    let output = command.arg("cron").args(arguments).output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// What a program says to lines on its stdin, line by line.
fn answers(command: &mut Command, lines: &str) -> Vec<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn ours(lines: &str) -> Vec<String> {
    answers(Command::new(PROGRAM).args(["cron", "-"]), lines)
}

/// Refusals are equal whatever their words are.
fn is_same(ours: &str, theirs: &str) -> bool {
    ours == theirs || (ours.starts_with("no ") && theirs.starts_with("no"))
}

#[test]
fn an_expression_is_explained_with_its_next_times() {
    let after = "2027-03-26T12:00:00Z";
    let zone = [
        "--timezone",
        "Europe/Berlin",
        "--after",
        after,
        "--count",
        "3",
    ];
    let (code, out, err) = cron(&[&["0 30 2 * * ?"], &zone[..]].concat());
    assert_eq!(code, Some(0));
    assert_eq!(
        out,
        "0 30 2 * * ? (Europe/Berlin)\nat 02:30, every day\n\n\
         Sat 2027-03-27 02:30:00 +01:00   2027-03-27T01:30:00Z\n\
         Mon 2027-03-29 02:30:00 +02:00   2027-03-29T00:30:00Z\n\
         Tue 2027-03-30 02:30:00 +02:00   2027-03-30T00:30:00Z\n"
    );
    assert_eq!(
        err,
        "warning: the expression does not fire at 02:30 on Sunday 2027-03-28: the clock of `Europe/Berlin` goes from \
         02:00 to 03:00\n"
    );
}

#[test]
fn json_is_one_document_with_the_warnings_in_it() {
    let arguments = [
        "0 0 6 ? * 1-5 2027",
        "--timezone",
        "US/Eastern",
        "--format",
        "json",
    ];
    let after = ["--after", "2027-12-30T07:00:00", "--count", "3"];
    let (code, out, err) = cron(&[&arguments[..], &after[..]].concat());
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let explained: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        explained["meaning"],
        "at 06:00, on Sunday to Thursday, in 2027"
    );
    assert_eq!(
        explained["after"], "2027-12-30T12:00:00Z",
        "a time in the zone"
    );
    assert_eq!(explained["fires"], serde_json::json!([]));
    let warnings = explained["warnings"].to_string();
    for told in [
        "`America/New_York`",
        "write `SUN-THU` if that is meant, or `MON-FRI` if 1 is Monday",
    ] {
        assert!(warnings.contains(told), "{warnings}");
    }
}

#[test]
fn what_is_refused_is_told_with_what_to_write() {
    for (arguments, told) in [
        (
            &["0 0 6 ? * MON-FRI/2"][..],
            "has `MON-FRI/2` as day of week; Quartz reads `MON-FRI`; write `MON,WED,FRI`",
        ),
        (&["0 6 * * 1-5"], "write `0 0 6 ? * MON-FRI`"),
        (
            &["0 0 6 * * ?", "--timezone", "europe/berlin"],
            "did you mean `Europe/Berlin`?",
        ),
        (
            &["0 0 6 * * ?", "--after", "tomorrow"],
            "`tomorrow` is no time",
        ),
        (&["-", "--timezone", "UTC"], "`-` takes `--count` only"),
    ] {
        let (code, out, err) = cron(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.contains(told), "{err}");
    }
}

#[test]
fn lines_are_answered_in_their_order_and_none_stops_the_others() {
    let lines = "Europe/Berlin|2026-10-24T12:00:00Z|0 30 2 25 10 ? 2026\n\
                 Nowhere|2026-10-24T12:00:00Z|0 30 2 * * ?\nUTC|soon|0 30 2 * * ?\nUTC\n\
                 UTC|2026-10-24T12:00:00Z|0 0 6 ? * MON-FRI/2 2026\n";
    let answers = ours(lines);
    assert_eq!(answers[0], "ok 2026-10-25T01:30:00Z end");
    assert!(
        answers[1..4].iter().all(|answer| answer.starts_with("no ")),
        "{answers:?}"
    );
    assert!(
        answers[4].starts_with("ok 2026-10-26T06:00:00Z 2026-10-27T06:00:00Z"),
        "as Quartz reads it, which is every working day: {}",
        answers[4]
    );
}

#[test]
fn the_times_are_those_that_quartz_gave() {
    let table = include_str!("cron/answers.txt");
    let rows: Vec<(&str, &str)> = table
        .lines()
        .filter(|row| !row.starts_with('#'))
        .filter_map(|row| row.rsplit_once('|'))
        .collect();
    assert!(rows.len() >= 300);
    let lines: String = rows.iter().map(|(line, _)| format!("{line}\n")).collect();
    let different: Vec<String> = rows
        .iter()
        .zip(ours(&lines))
        .filter(|((_, theirs), ours)| !is_same(ours, theirs))
        .map(|((line, theirs), ours)| format!("{line}\n  Quartz: {theirs}\n  ours:   {ours}"))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The same sum as `Fires.java` makes of a zone.
fn sum(zone: &TimeZone) -> i64 {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let (mut moment, end) = (at("2000-01-01T00:00:00Z"), at("2110-01-01T00:00:00Z"));
    let mut sum = 0;
    while moment < end {
        // As Java's, the remainder has the sign of the sum.
        sum = (sum * 31 + i64::from(zone.to_offset(moment).seconds())) % 1_000_000_007;
        moment += SignedDuration::from_secs(302_400);
    }
    sum
}

#[test]
fn made_up_expressions_have_the_times_of_the_real_quartz() {
    let Ok(classpath) = std::env::var("QUARTZ_CLASSPATH") else {
        return;
    };
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cron/Fires.java");
    let quartz = |lines: &str| {
        let mut java = Command::new("java");
        answers(
            java.args(["-cp", &classpath, source, "5"])
                .stderr(Stdio::null()),
            lines,
        )
    };
    let all: Vec<String> = jiff::tz::TimeZoneDatabase::bundled()
        .available()
        .map(|zone| zone.to_string())
        .collect();
    // Where a zone has other rules in Java's database than in ours, the times differ rightly.
    let sums = quartz(
        &all.iter()
            .map(|zone| format!("{zone}\n"))
            .collect::<String>(),
    );
    let known = |(zone, sums): &(&String, String)| {
        let known = stage_file::time_zone::time_zone(zone);
        known.is_some_and(|zone| sum(&zone).to_string() == *sums)
    };
    let zones: Vec<&str> = all
        .iter()
        .zip(sums)
        .filter(known)
        .map(|(zone, _)| zone.as_str())
        .collect();
    assert!(zones.len() > 400, "only {} zones agree", zones.len());

    let mut choices = made_up::Choices(SEED);
    let lines: Vec<String> = (0..MADE_UP).map(|_| choices.line(&zones)).collect();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (theirs, ours) = (quartz(&text), ours(&text));
    assert_eq!((theirs.len(), ours.len()), (MADE_UP, MADE_UP));
    let both = theirs.iter().zip(&ours);
    let different: Vec<String> = lines
        .iter()
        .zip(both)
        .filter(|(_, (theirs, ours))| !is_same(ours, theirs))
        .map(|(line, (theirs, ours))| format!("{line}\n  Quartz: {theirs}\n  ours:   {ours}"))
        .collect();
    let taken = theirs
        .iter()
        .filter(|answer| answer.starts_with("ok"))
        .count();
    println!(
        "{} different of {MADE_UP} made-up expressions in {} zones; Quartz takes {taken}",
        different.len(),
        zones.len()
    );
    assert!(taken > MADE_UP / 3);
    assert!(different.is_empty(), "{}", different.join("\n"));
}
