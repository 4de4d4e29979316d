//! Generated cron expressions, valid and invalid, with zones and with moments near clock changes. The same seed gives
//! the same expressions.

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const ODD: [&str; 12] = [
    "0", "+5", "007", "8", "13", "24", "32", "60", "98", "99", "100", "Monday",
];
const ODD_DAYS: [&str; 12] = [
    "LW", "L-", "L-W", "WL", "L5", "L-3X", "1,L", "15W,1W", "1-5W", "28-2", "1W", "31W",
];
const ODD_WEEKDAYS: [&str; 12] = [
    "L",
    "LW",
    "L-3",
    "9#2",
    "MON,FRI#2",
    "2#1,4#3",
    "FRIL,1",
    "SUN-",
    "0L",
    "1-5",
    "MON-FRI/2",
    "FRI-MON",
];
const YEARS: [&str; 8] = [
    "2026-2030",
    "2027/3",
    "*",
    "*/2",
    "2099-2101",
    "2030-2027",
    "1980",
    "2200",
];

/// A source of choices; a small multiplicative generator is plenty for that.
pub struct Choices(pub u64);

impl Choices {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn number(&mut self, least: u64, most: u64) -> String {
        match self.chance(3) {
            true => self.of(&ODD).to_owned(),
            false => (least + self.below(most - least + 1)).to_string(),
        }
    }

    fn value(&mut self, least: u64, most: u64, names: &[&str]) -> String {
        match !names.is_empty() && self.chance(50) {
            true => self.of(names).to_owned(),
            false => self.number(least, most),
        }
    }

    fn item(&mut self, least: u64, most: u64, names: &[&str]) -> String {
        let first = self.value(least, most, names);
        let item = match self.below(10) {
            0..=3 => first,
            4 | 5 => format!("{first}-{}", self.value(least, most, names)),
            6 => format!("*/{}", self.number(1, most)),
            7 => format!("{first}/{}", self.number(1, most)),
            8 => format!(
                "{first}-{}/{}",
                self.value(least, most, names),
                self.number(1, most)
            ),
            _ => self.of(&["*", "/5", "*/0", "?"]).to_owned(),
        };
        match self.chance(1) {
            true => item + self.of(&["x", "L", "W", "#2", "/", "-", "day", "5"]),
            false => item,
        }
    }

    fn field(&mut self, least: u64, most: u64, names: &[&str]) -> String {
        let number = [1, 1, 1, 1, 2, 3][self.below(6) as usize];
        let items: Vec<String> = (0..number).map(|_| self.item(least, most, names)).collect();
        items.join(",")
    }

    fn day(&mut self) -> String {
        match self.below(10) {
            0..=4 => self.field(1, 31, &[]),
            5 => "L".into(),
            6 => format!("L-{}", self.number(1, 30)),
            // As far before the last day as a stage file may go.
            7 => format!("L-{}W", self.below(28)),
            8 => format!("{}W", self.number(1, 31)),
            _ => self.of(&ODD_DAYS).into(),
        }
    }

    fn weekday(&mut self) -> String {
        let day = self.value(1, 7, &DAYS);
        match self.below(10) {
            0..=4 => self.field(1, 7, &DAYS),
            5 | 6 => format!("{day}#{}", self.number(1, 5)),
            7 | 8 => format!("{day}L"),
            _ => self.of(&ODD_WEEKDAYS).into(),
        }
    }

    fn expression(&mut self) -> String {
        let second = if self.chance(80) {
            "0".into()
        } else {
            self.field(0, 59, &[])
        };
        let minute = if self.chance(50) {
            self.number(0, 59)
        } else {
            self.field(0, 59, &[])
        };
        let hour = match self.below(3) {
            0 => self.number(0, 4),
            1 => self.number(0, 23),
            _ => self.field(0, 23, &[]),
        };
        let month = if self.chance(60) {
            "*".into()
        } else {
            self.field(1, 12, &MONTHS)
        };
        let (day, weekday) = match self.below(50) {
            0 => (self.day(), self.weekday()),
            1 => ("?".into(), "?".into()),
            at if at % 2 == 0 => (self.day(), "?".into()),
            _ => ("?".into(), self.weekday()),
        };
        let mut fields = vec![second, minute, hour, day, month, weekday];
        if self.chance(10) {
            fields.push(self.of(&YEARS).into());
        }
        if self.chance(1) {
            fields.truncate(self.below(6) as usize);
        }
        let expression = fields.join(" ");
        match self.chance(10) {
            true => expression.to_lowercase(),
            false => expression,
        }
    }

    /// A moment; most are near to where clocks change.
    fn moment(&mut self) -> String {
        let year = 2005 + self.below(60);
        let (month, day) = match self.below(6) {
            0 => (3, 7 + self.below(25)),
            1 => (10, 1 + self.below(31)),
            2 => (4, 1 + self.below(10)),
            3 => (11, 1 + self.below(8)),
            4 => (12, 29 + self.below(3)),
            _ => (1 + self.below(12), 1 + self.below(28)),
        };
        let [hour, minute, second] = [self.below(24), self.below(60), self.below(60)];
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// A line `ZONE|START|CRON`.
    pub fn line(&mut self, zones: &[&str]) -> String {
        format!("{}|{}|{}", self.of(zones), self.moment(), self.expression())
    }
}
