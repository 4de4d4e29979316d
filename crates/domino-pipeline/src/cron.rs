//! `cron`: the meaning of a cron expression in a sentence, and the next times at which Domino's Quartz starts by it.
//!
//! It sends no request: the expressions and the time zones are the stage file's own. `-` answers many lines at once,
//! so that they can be compared with a real Quartz.

use std::io::{BufRead as _, BufWriter, Write as _};
use std::process::ExitCode;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;
use stage_file::cron::Quartz;
use stage_file::time_zone::{nearest_time_zone, time_zone, todays_name};

use crate::error::{Context as _, Result, VerbError};

/// The arguments of `domino-pipeline cron`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A Quartz expression, in quotes; `-` reads lines `ZONE|START|CRON` and answers `ok TIME…` or `no WHY` for each,
    /// as Quartz itself takes the expression
    #[arg(value_name = "EXPRESSION")]
    pub expression: String,
    /// The time zone [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// The moment from which on to look, such as 2027-03-28T01:00:00Z; without `Z` or offset a time in the zone
    /// [default: now]
    #[arg(long, value_name = "TIME")]
    pub after: Option<String>,
    /// How many times to show
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub count: u32,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text for people
    Text,
    /// Exactly one JSON document on stdout
    Json,
}

/// The answer about one expression.
#[derive(Debug, Serialize)]
struct Explained {
    cron: String,
    timezone: String,
    meaning: String,
    after: Timestamp,
    fires: Vec<Fire>,
    warnings: Vec<String>,
}

/// One time, as a moment and on the clock of the zone.
#[derive(Debug, Serialize)]
struct Fire {
    at: Timestamp,
    local: String,
}

/// Explains an expression; exit code 2 if a stage file may not contain it.
pub fn run(args: &Args) -> Result<ExitCode> {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
    if args.expression != "-" {
        let explained = explain(args, now)?;
        match args.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&explained)?),
            Format::Text => print!("{}", text(&explained)),
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.timezone.is_some() || args.after.is_some() || args.format == Format::Json {
        return Err(VerbError::usage("`-` takes `--count` only").hint(
            "each line has its own time zone and start: `Europe/Berlin|2027-03-27T12:00:00Z|0 30 2 * * ?`",
        ));
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line.context(|| "cannot read the lines".to_owned())?;
        let answer = match answer(&line, args.count as usize, year(now)) {
            Ok(times) => format!("ok{times}"),
            Err(why) => format!("no {why}"),
        };
        writeln!(out, "{answer}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn explain(args: &Args, now: Timestamp) -> Result<Explained> {
    let name = args.timezone.as_deref().unwrap_or("UTC");
    let zone = time_zone(name).ok_or_else(|| {
        let hint = nearest_time_zone(name).map_or_else(
            || "use a name such as `Europe/Berlin`".to_owned(),
            |zone| format!("did you mean `{zone}`?"),
        );
        VerbError::usage(format!("`{name}` is no time zone")).hint(hint)
    })?;
    let after = match &args.after {
        None => now,
        Some(text) => moment(text, &zone)?,
    };
    let quartz = Quartz::read(&args.expression, year(now)).map_err(|error| {
        VerbError::usage(format!("the expression `{}` {error}", args.expression))
    })?;
    let mut warnings: Vec<String> = Vec::new();
    if let Some(today) = todays_name(name) {
        warnings.push(format!(
            "the time zone `{name}` is an old or ambiguous name of `{today}`"
        ));
    }
    warnings.extend(
        quartz
            .numbered_weekday()
            .map(|told| format!("the expression {told}")),
    );
    let left_out = quartz.left_out(&zone, after).into_iter();
    warnings.extend(left_out.map(|left_out| format!("the expression {}", left_out.message(name))));
    let start = after.to_zoned(zone);
    if let Some(message) = quartz.endless(&start) {
        let message = format!("the expression `{}` {message}", args.expression);
        return Err(VerbError::usage(message));
    }
    let fires = quartz.fires(start).take(args.count as usize);
    Ok(Explained {
        cron: args.expression.clone(),
        timezone: name.to_owned(),
        meaning: quartz.to_string(),
        after,
        fires: fires.map(|fire| told(&fire)).collect(),
        warnings,
    })
}

fn told(fire: &Zoned) -> Fire {
    Fire {
        at: fire.timestamp(),
        local: fire.strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string(),
    }
}

fn text(explained: &Explained) -> String {
    let mut text = format!(
        "{} ({})\n{}\n\n",
        explained.cron, explained.timezone, explained.meaning
    );
    for fire in &explained.fires {
        text += &format!("{}   {}\n", fire.local, fire.at);
    }
    if explained.fires.is_empty() {
        text += "no time: it never fires after that\n";
    }
    for warning in &explained.warnings {
        eprintln!("warning: {warning}");
    }
    text
}

/// A moment, or a time on the clock of the zone.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp> {
    let local = || text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok();
    let moment = text.parse().ok().or_else(|| Some(local()?.timestamp()));
    moment.ok_or_else(|| {
        VerbError::usage(format!("`{text}` is no time"))
            .hint("write it as `2027-03-28T01:00:00Z`, or without `Z` as a time in the zone")
    })
}

/// The times after a line's start, or why there are none. `end` follows the last one, if there is a last one.
fn answer(line: &str, count: usize, this_year: i16) -> Result<String, String> {
    let mut parts = line.splitn(3, '|');
    let (Some(zone), Some(start), Some(cron)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("line is not `ZONE|START|CRON`".into());
    };
    let zone = time_zone(zone).ok_or_else(|| format!("time zone `{zone}`"))?;
    let start: Timestamp = start.parse().map_err(|_| format!("time `{start}`"))?;
    let quartz = Quartz::read_as_quartz(cron, this_year)?;
    let start = start.to_zoned(zone);
    let fires: Vec<Zoned> = quartz.fires(start.clone()).take(count).collect();
    let end = match fires.len() {
        number if number == count => "",
        _ if quartz.is_endless(fires.last().unwrap_or(&start)) => {
            return Err("end: Quartz looks for a time without end".into());
        }
        _ => " end",
    };
    let fires = fires.iter().map(|fire| format!(" {}", fire.timestamp()));
    Ok(fires.collect::<String>() + end)
}

fn year(now: Timestamp) -> i16 {
    now.to_zoned(TimeZone::UTC).year()
}
