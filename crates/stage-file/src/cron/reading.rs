//! What Quartz makes of the text of a cron expression, even if that is not what it seems to mean.
//!
//! This is Quartz 2.3.2 as it behaves, including its oversights: text after a value is often dropped without an
//! error. `meaning.rs` says whether an expression means what it seems to. It finds no times.

use std::collections::BTreeSet;

use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, DAYS, FIELDS, HOURS, MONTH, MONTHS, YEAR};

/// The number with which Quartz represents `*`; the number itself counts as a star as well.
const EVERY: i32 = 99;
/// The number with which Quartz represents `?`.
const OPEN: i32 = 98;
/// More values than any field needs.
const TOO_MANY: i64 = 20_000;

/// An expression as Quartz holds it: the values of each field, and the special values of the day fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reading {
    /// In the order of the fields: seconds, minutes, hours, days of the month, months, days of the week, years.
    pub values: [BTreeSet<i32>; 7],
    /// Whether the day of the month is `?`.
    pub open_day: bool,
    /// Whether the day of the week is `?`.
    pub open_weekday: bool,
    /// `L` as day of the month, with the number of days before it.
    pub last_day: Option<i32>,
    /// `W`.
    pub nearest_working_day: bool,
    /// `L` after a day of the week.
    pub last_weekday: bool,
    /// The number after `#`.
    pub nth_weekday: Option<i32>,
}

impl Reading {
    /// Reads an expression in a year: Quartz looks a hundred years ahead.
    ///
    /// # Errors
    /// Why Quartz refuses it, or cannot find any time by it.
    pub fn read(text: &str, this_year: i32) -> Result<Self, String> {
        let text = text.to_uppercase();
        // Only blanks and tabs separate tokens; other white space is removed at their ends.
        let fields: Vec<&str> = text
            .split([' ', '\t'])
            .filter(|token| !token.is_empty())
            .map(|token| token.trim_matches(|c: char| c <= ' '))
            .collect();
        if fields.len() <= DAY_OF_WEEK {
            return Err("the expression ends before the day of the week".into());
        }
        let mut reader = Reader {
            reading: Self::default(),
            last_year: this_year + 100,
        };
        // A field after the year is ignored.
        for (index, field) in fields.iter().take(7).enumerate() {
            reader.field(index, field)?;
        }
        if fields.len() <= YEAR {
            reader.field(YEAR, "*")?;
        }
        reader.finish()
    }
}

struct Reader {
    reading: Reading,
    last_year: i32,
}

impl Reader {
    fn field(&mut self, index: usize, field: &str) -> Result<(), String> {
        let day = index == DAY_OF_MONTH || index == DAY_OF_WEEK;
        if day && field.contains('L') && field.contains(',') {
            return Err("`L` is taken alone, not in a list".into());
        }
        if index == DAY_OF_WEEK && field.matches('#').count() > 1 {
            return Err("`#` is taken once".into());
        }
        for item in field.split(',').filter(|item| !item.is_empty()) {
            let characters: Vec<char> = item.chars().collect();
            self.item(index, &characters)
                .ok_or_else(|| format!("`{item}` is not understood as {}", FIELDS[index].name))?;
        }
        Ok(())
    }

    /// One item of a list. `None` when Quartz refuses it.
    fn item(&mut self, index: usize, item: &[char]) -> Option<()> {
        match item[0] {
            'A'..='Z' if !is_last_day(item) => self.named(index, item),
            '?' => self.open(index, item),
            '*' | '/' => self.every(index, item),
            'L' => self.last(index, item),
            '0'..='9' => self.numbered(index, item),
            _ => None,
        }
    }

    /// An item that begins with a name, of which only the first three letters count.
    fn named(&mut self, index: usize, item: &[char]) -> Option<()> {
        let first = name(index, item.get(..3)?)?;
        let mut last = None;
        match item.get(3) {
            Some('-') => last = Some(name(index, item.get(4..7)?)?),
            Some('#') if index == DAY_OF_WEEK => self.reading.nth_weekday = Some(nth(&item[4..])?),
            Some('L') if index == DAY_OF_WEEK => self.reading.last_weekday = true,
            // Anything else that follows is dropped, even a step.
            _ => {}
        }
        let step = last.map_or(0, |_| 1);
        self.add(index, first, last, step)
    }

    fn open(&mut self, index: usize, item: &[char]) -> Option<()> {
        if item.len() > 2 || !(index == DAY_OF_MONTH || index == DAY_OF_WEEK) {
            return None;
        }
        let days = &self.reading.values[DAY_OF_MONTH];
        if index == DAY_OF_WEEK && self.reading.last_day.is_none() && *days.last()? == OPEN {
            return None;
        }
        self.add(index, OPEN, None, 0)
    }

    /// `*`, `*/5` and `/5`.
    fn every(&mut self, index: usize, item: &[char]) -> Option<()> {
        let rest = if item[0] == '*' { &item[1..] } else { item };
        let step = match rest.first() {
            None => 0,
            Some('/') => {
                let step = whole_number(&rest[1..])?;
                is_step(index, step).then_some(step)?
            }
            // Anything else after the star is dropped.
            Some(_) => 1,
        };
        self.add(index, EVERY, None, step)
    }

    /// `L` and `L-3`, each perhaps with `W`. Outside of the day fields it is accepted and means nothing.
    fn last(&mut self, index: usize, item: &[char]) -> Option<()> {
        match index {
            DAY_OF_WEEK => self.add(index, 7, None, 0),
            DAY_OF_MONTH => {
                let mut before = 0;
                let mut rest = &item[1..];
                if let Some('-') = rest.first() {
                    // At least one character must follow, even if it is not a digit.
                    rest.get(1)?;
                    let (number, after) = digits(&rest[1..])?;
                    before = number;
                    rest = after;
                }
                self.reading.last_day = Some(before);
                self.reading.nearest_working_day |= rest.first() == Some(&'W');
                (before <= 30).then_some(())
            }
            _ => Some(()),
        }
    }

    /// An item that begins with a number.
    fn numbered(&mut self, index: usize, item: &[char]) -> Option<()> {
        let (value, rest) = digits(item)?;
        match rest.first() {
            Some('L') => {
                ((1..=7).contains(&value) && index == DAY_OF_WEEK).then_some(())?;
                self.reading.last_weekday = true;
            }
            Some('W') => {
                (value <= 31 && index == DAY_OF_MONTH).then_some(())?;
                self.reading.nearest_working_day = true;
            }
            Some('#') => {
                (index == DAY_OF_WEEK).then_some(())?;
                self.reading.nth_weekday = Some(nth(&rest[1..])?);
            }
            Some('-') => {
                let (last, rest) = some_digits(&rest[1..])?;
                let step = match rest.first() {
                    // A step in a range may be of any size, and what follows it is dropped.
                    Some('/') => some_digits(&rest[1..])?.0,
                    _ => 1,
                };
                return self.add(index, value, Some(last), step);
            }
            Some('/') => {
                let (step, after) = some_digits(&rest[1..])?;
                // What follows a step is dropped when the step has more than one digit.
                let dropped = rest.len() - 1 - after.len() > 1;
                ((after.is_empty() || dropped) && is_step(index, step)).then_some(())?;
                return self.add(index, value, None, step);
            }
            // Whatever else follows a number is dropped.
            _ => return self.add(index, value, None, 0),
        }
        // The number beside `L`, `W` and `#` is held against no range.
        self.reading.values[index].insert(value);
        Some(())
    }

    /// The values of a range with a step; without a step the first value alone.
    fn add(&mut self, index: usize, first: i32, last: Option<i32>, step: i32) -> Option<()> {
        let (least, most) = match index {
            DAY_OF_MONTH => (1, 31),
            MONTH => (1, 12),
            DAY_OF_WEEK => (1, 7),
            HOURS => (0, 23),
            YEAR => (1970, self.last_year),
            _ => (0, 59),
        };
        let day = index == DAY_OF_MONTH || index == DAY_OF_WEEK;
        let inside = (least..=most).contains(&first) && last.is_none_or(|last| last <= most);
        if !(inside || index == YEAR || first == EVERY || (day && first == OPEN)) {
            return None;
        }
        let set = &mut self.reading.values[index];
        if step == 0 && first != EVERY {
            set.insert(first);
            return Some(());
        }
        let step = step.max(1);
        let start = if first == EVERY { least } else { first };
        let mut stop = last.unwrap_or(most);
        let mut turn = i32::MAX;
        if stop < start {
            // It goes on from the start of the next minute, hour, week; there is no next of years.
            (index != YEAR).then_some(())?;
            turn = most - least + 1;
            stop += turn;
        }
        if i64::from(stop) - i64::from(start) > TOO_MANY {
            return None;
        }
        let wrapped = |value: i32| match value % turn {
            0 if least == 1 => turn,
            value => value,
        };
        set.extend(
            (start..=stop)
                .step_by(usize::try_from(step).ok()?)
                .map(wrapped),
        );
        Some(())
    }

    fn finish(mut self) -> Result<Reading, String> {
        let reading = &mut self.reading;
        reading.open_day = reading.values[DAY_OF_MONTH].remove(&OPEN);
        reading.open_weekday = reading.values[DAY_OF_WEEK].remove(&OPEN);
        if reading.open_day == reading.open_weekday {
            return Err("exactly one of day of month and day of week must be `?`".into());
        }
        let empty = |index: usize| match index {
            DAY_OF_MONTH => reading.open_weekday && reading.last_day.is_none(),
            DAY_OF_WEEK => reading.open_day,
            // Years that run out are an end; without any other value Quartz breaks down.
            index => index != YEAR,
        };
        let missing = (0..7).find(|index| reading.values[*index].is_empty() && empty(*index));
        match missing {
            Some(index) => Err(format!("no {} is named", FIELDS[index].name)),
            None => Ok(self.reading),
        }
    }
}

/// `L`, `LW`, `L-3` and `L-3W`: the words that are not read as a name.
fn is_last_day(item: &[char]) -> bool {
    match item {
        ['L'] | ['L', 'W'] => true,
        ['L', '-', rest @ ..] => {
            let days = rest.strip_suffix(&['W']).unwrap_or(rest);
            days.iter().all(char::is_ascii_digit)
        }
        _ => false,
    }
}

fn name(index: usize, letters: &[char]) -> Option<i32> {
    let names: &[&str] = match index {
        MONTH => &MONTHS,
        DAY_OF_WEEK => &DAYS,
        _ => return None,
    };
    let letters: String = letters.iter().collect();
    let position = names.iter().position(|name| *name == letters)?;
    i32::try_from(position + 1).ok()
}

/// The number after `#`.
fn nth(text: &[char]) -> Option<i32> {
    whole_number(text).filter(|nth| (1..=5).contains(nth))
}

/// A number that is all of the text. Java takes a sign before it.
fn whole_number(text: &[char]) -> Option<i32> {
    text.iter().collect::<String>().parse().ok()
}

/// The digits at the start as a number, and what follows them. Without digits it is 0.
fn digits(text: &[char]) -> Option<(i32, &[char])> {
    let end = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let (number, rest) = text.split_at(end);
    match number {
        [] => Some((0, rest)),
        number => Some((whole_number(number)?, rest)),
    }
}

fn some_digits(text: &[char]) -> Option<(i32, &[char])> {
    text.first().filter(|c| c.is_ascii_digit())?;
    digits(text)
}

/// Whether a step after `*` or a number is small enough. A negative one is accepted, and ignored.
fn is_step(index: usize, step: i32) -> bool {
    step <= match index {
        HOURS => 23,
        DAY_OF_MONTH => 31,
        MONTH => 12,
        DAY_OF_WEEK => 7,
        YEAR => i32::MAX,
        _ => 59,
    }
}
