//! Rules on the metrics of a model version, written as sentences: `rmse must not rise by more than 2 %`.
//!
//! It reads a rule and evaluates it for two numbers. It does not know where the numbers come from.

use std::fmt;
use std::str::FromStr;

/// A sentence about one metric, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRule {
    /// The metric's name in the experiment manager.
    pub metric: String,
    /// The data set that it was measured on; any if absent.
    pub data_set: Option<String>,
    /// What the rule requires.
    pub bound: Bound,
}

/// What a rule requires of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// It may be higher than that of the previous version by this much.
    Rise(Change),
    /// It may be lower than that of the previous version by this much.
    Fall(Change),
    /// It may be this high, and no higher.
    AtMost(f64),
    /// It may be this low, and no lower.
    AtLeast(f64),
}

/// How far a metric may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// By this part of the earlier value, in percent.
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

    /// Whether a version with this value may replace one with the value `before`. A rule that compares holds if there
    /// is nothing to compare with; no rule holds for a value that is not finite.
    pub fn holds(&self, value: f64, before: Option<f64>) -> bool {
        value.is_finite() && self.bound_holds(value, before.filter(|before| before.is_finite()))
    }

    fn bound_holds(&self, value: f64, before: Option<f64>) -> bool {
        // A bound that overflows is beyond every value, and would accept them all.
        let within = |bound: f64, holds: bool| bound.is_finite() && holds;
        match (self.bound, before) {
            (Bound::AtMost(most), _) => value <= most,
            (Bound::AtLeast(least), _) => value >= least,
            (Bound::Rise(change), Some(before)) => {
                let most = before + change.of(before);
                within(most, value <= most)
            }
            (Bound::Fall(change), Some(before)) => {
                let least = before - change.of(before);
                within(least, value >= least)
            }
            (Bound::Rise(_) | Bound::Fall(_), None) => true,
        }
    }
}

impl fmt::Display for MetricRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if let Some(data_set) = &self.data_set {
            write!(f, " on {data_set}")?;
        }
        match self.bound {
            Bound::Rise(change) => write!(f, " must not rise by more than {change}"),
            Bound::Fall(change) => write!(f, " must not fall by more than {change}"),
            Bound::AtMost(most) => write!(f, " must be at most {most}"),
            Bound::AtLeast(least) => write!(f, " must be at least {least}"),
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
    /// The number is missing, or is not a sensible one.
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
        let (metric, data_set) = match metric.rsplit_once(" on ") {
            Some((metric, data_set)) => (metric, Some(data_set.to_owned())),
            None => (metric, None),
        };
        Ok(Self {
            metric: metric.to_owned(),
            data_set,
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
    // `inf` and `nan` can be parsed, and a rule with them never refuses or never accepts.
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
            "rmse on wine-test must be at most 0.6",
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
    fn a_change_is_compared_with_the_version_before_and_may_be_none() {
        assert!(rule("rmse must not rise by more than 0").compares());
        assert!(rule("r2 must not fall by more than 0 %").compares());
        assert!(!rule("rmse must be at most 1").compares());
        assert!(!rule("r2 must be at least 0").compares());
        let none = rule("rmse must not rise by more than 0");
        assert!(none.holds(1.0, Some(1.0)) && !none.holds(1.1, Some(1.0)));
    }

    #[test]
    fn no_rule_holds_for_what_is_no_finite_number() {
        for text in [
            "a must not rise by more than 2 %",
            "a must not fall by more than 2",
            "a must be at most 1",
            "a must be at least 1",
        ] {
            for before in [None, Some(1.0)] {
                for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    assert!(!rule(text).holds(value, before), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_compared_with_is_nothing_to_compare_with() {
        let rise = rule("a must not rise by more than 200 %");
        for before in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(rise.holds(1.0, Some(before)));
        }
        assert!(
            !rise.holds(1.0e308, Some(1.0e308)),
            "the bound is beyond all numbers"
        );
    }

    #[test]
    fn a_rule_may_name_the_data_set() {
        let named = rule("val on fire on wine-test must be at most 1");
        assert_eq!(
            (named.metric.as_str(), named.data_set.as_deref()),
            ("val on fire", Some("wine-test"))
        );
        assert_eq!(rule("rmse must be at most 1").data_set, None);
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
