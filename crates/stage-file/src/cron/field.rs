//! The fields of a Quartz cron expression: their order, their ranges and their names. It reads none of them.

/// One field: its name, its range, and the names for its numbers.
pub(super) struct Field {
    pub name: &'static str,
    pub least: i32,
    pub most: i32,
    pub names: &'static [&'static str],
}

pub(super) const SECONDS: usize = 0;
pub(super) const MINUTES: usize = 1;
pub(super) const HOURS: usize = 2;
pub(super) const DAY_OF_MONTH: usize = 3;
pub(super) const MONTH: usize = 4;
pub(super) const DAY_OF_WEEK: usize = 5;
pub(super) const YEAR: usize = 6;

pub(super) const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
/// Quartz counts from Sunday as 1.
pub(super) const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const fn field(name: &'static str, least: i32, most: i32, names: &'static [&'static str]) -> Field {
    Field {
        name,
        least,
        most,
        names,
    }
}

pub(super) const FIELDS: [Field; 7] = [
    field("seconds", 0, 59, &[]),
    field("minutes", 0, 59, &[]),
    field("hours", 0, 23, &[]),
    field("day of month", 1, 31, &[]),
    field("month", 1, 12, &MONTHS),
    field("day of week", 1, 7, &DAYS),
    field("year", 1970, 2199, &[]),
];
