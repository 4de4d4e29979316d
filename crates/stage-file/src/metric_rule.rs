//! Rules on the metrics of a model version, written as sentences: `rmse must not rise by more than 2 %`.
//!
//! It reads a rule and judges two numbers by it. Where the numbers come from is not known here.

use std::fmt;
use std::str::FromStr;

/// A rule on one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRule {
    /// The metric's name in the experiment manager.
    pub metric: String,
    /// What it must keep to.
    pub bound: Bound,
}

/// What a metric must keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// It may be higher than that of the version before by so much.
    Rise(Change),
    /// It may be lower than that of the version before by so much.
    Fall(Change),
    /// It may be as high as this.
    AtMost(f64),
    /// It may be as low as this.
    AtLeast(f64),
}

/// How far a metric may move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// By this part of the value before, in percent.
    Percent(f64),
    /// By this much.
    Amount(f64),
}

impl Change {
    fn of(self, before: f64) -> f64 {
        match self {
            Self::Percent(percent) => before.abs() * percent / 100.0,
            Self::Amount(amount) => amount,
        }
    }
}

impl MetricRule {
    /// Whether the rule compares with the version that is replaced.
    pub fn compares(&self) -> bool {
        matches!(self.bound, Bound::Rise(_) | Bound::Fall(_))
    }

    /// Whether a version with this value may replace one with the value `before`. A rule that compares
    /// holds when there is nothing to compare with; no rule holds for a value that is not a number.
    pub fn holds(&self, value: f64, before: Option<f64>) -> bool {
        match (self.bound, before) {
            (Bound::AtMost(most), _) => value <= most,
            (Bound::AtLeast(least), _) => value >= least,
            (Bound::Rise(change), Some(before)) => value <= before + change.of(before),
            (Bound::Fall(change), Some(before)) => value >= before - change.of(before),
            (Bound::Rise(_) | Bound::Fall(_), None) => !value.is_nan(),
        }
    }
}

impl fmt::Display for MetricRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, bound } = self;
        match bound {
            Bound::Rise(change) => write!(f, "{metric} must not rise by more than {change}"),
            Bound::Fall(change) => write!(f, "{metric} must not fall by more than {change}"),
            Bound::AtMost(most) => write!(f, "{metric} must be at most {most}"),
            Bound::AtLeast(least) => write!(f, "{metric} must be at least {least}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent} %"),
            Self::Amount(amount) => write!(f, "{amount}"),
        }
    }
}

/// Why a text is not a metric rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedMetricRule {
    /// Not one of the sentences.
    #[error(
        "must read like `rmse must not rise by more than 2 %`, `r2 must not fall by more than 0.1`, \
         `rmse must be at most 1.5` or `r2 must be at least 0.8`"
    )]
    Sentence,
    /// What stands where the number belongs is none, or is not a sensible one.
    #[error(
        "must end in a number, for a change one that is not negative, with ` %` for a part of the value before"
    )]
    Number,
}

impl FromStr for MetricRule {
    type Err = MalformedMetricRule;

    fn from_str(text: &str) -> Result<Self, MalformedMetricRule> {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (metric, rule) = words
            .split_once(" must ")
            .ok_or(MalformedMetricRule::Sentence)?;
        let bound = if let Some(most) = rule.strip_prefix("be at most ") {
            Bound::AtMost(number(most)?)
        } else if let Some(least) = rule.strip_prefix("be at least ") {
            Bound::AtLeast(number(least)?)
        } else if let Some(by) = rule.strip_prefix("not rise by more than ") {
            Bound::Rise(change(by)?)
        } else if let Some(by) = rule.strip_prefix("not fall by more than ") {
            Bound::Fall(change(by)?)
        } else {
            return Err(MalformedMetricRule::Sentence);
        };
        Ok(Self {
            metric: metric.to_owned(),
            bound,
        })
    }
}

fn change(text: &str) -> Result<Change, MalformedMetricRule> {
    let (text, percent) = match text.strip_suffix('%') {
        Some(text) => (text.trim_end(), true),
        None => (text, false),
    };
    let by = number(text)?;
    match percent {
        _ if by < 0.0 => Err(MalformedMetricRule::Number),
        true => Ok(Change::Percent(by)),
        false => Ok(Change::Amount(by)),
    }
}

fn number(text: &str) -> Result<f64, MalformedMetricRule> {
    let number: f64 = text.parse().map_err(|_| MalformedMetricRule::Number)?;
    // `inf` and `nan` parse, and a rule with them never says no or never says yes.
    if number.is_finite() {
        Ok(number)
    } else {
        Err(MalformedMetricRule::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> MetricRule {
        text.parse().unwrap()
    }

    #[test]
    fn a_metric_rule_reads_back_as_it_is_written() {
        for text in [
            "rmse must not rise by more than 2 %",
            "val/r2 must not fall by more than 0.1",
            "test rmse must be at most 1.5",
            "log loss must be at least -3",
        ] {
            assert_eq!(rule(text).to_string(), text);
        }
        assert_eq!(
            rule("rmse  must not rise by more than 2%"),
            rule("rmse must not rise by more than 2 %")
        );
    }

    #[test]
    fn a_rule_judges_the_new_value_against_the_one_before() {
        let rise = rule("rmse must not rise by more than 2 %");
        assert!(rise.holds(1.02, Some(1.0)) && !rise.holds(1.03, Some(1.0)));
        assert!(rise.holds(-0.99, Some(-1.0)) && !rise.holds(-0.97, Some(-1.0)));
        let fall = rule("r2 must not fall by more than 0.1");
        assert!(fall.holds(0.75, Some(0.8)) && !fall.holds(0.6, Some(0.8)));
        assert!(
            fall.holds(0.1, None),
            "the first version has nothing to fall from"
        );
        assert!(rule("r2 must be at least 0.8").holds(0.8, None));
        assert!(!rule("rmse must be at most 1.5").holds(1.6, Some(9.0)));
    }

    #[test]
    fn no_rule_holds_for_a_value_that_is_not_a_number() {
        for text in [
            "a must not rise by more than 2 %",
            "a must not fall by more than 2",
            "a must be at most 1",
            "a must be at least 1",
        ] {
            for before in [None, Some(1.0)] {
                assert!(!rule(text).holds(f64::NAN, before), "{text}");
            }
        }
    }

    #[test]
    fn a_sentence_that_is_no_rule_is_refused() {
        use MalformedMetricRule::*;
        for (text, error) in [
            ("", Sentence),
            ("rmse", Sentence),
            ("must be at most 1", Sentence),
            ("rmse must not raise by more than 2 %", Sentence),
            ("rmse must be at most high", Number),
            ("rmse must be at most 2 %", Number),
            ("rmse must not rise by more than -2 %", Number),
            ("rmse must not rise by more than inf", Number),
            ("rmse must be at least NaN", Number),
        ] {
            assert_eq!(text.parse::<MetricRule>(), Err(error), "{text}");
        }
    }
}
