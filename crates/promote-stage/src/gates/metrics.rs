//! The metric rules of a model, evaluated with the metrics of the version's run and those of the version it replaces.

use std::cmp::Ordering;

use stage_file::MetricRule;

use super::result::GateResult;
use crate::candidate::Candidate;

/// What this gate is called.
pub(crate) const GATE: &str = "metric rule";

/// One verdict a rule.
pub(crate) fn evaluate(candidate: &Candidate<'_>) -> Vec<GateResult> {
    let new = candidate.run.as_ref().map(|run| &run.metrics);
    let replaced = candidate.replaced.as_ref();
    let rules = candidate.target.metric_rules.iter();
    rules
        .filter_map(|text| text.parse::<MetricRule>().ok())
        .map(|rule| {
            let value = new.and_then(|metrics| metrics.get(&rule.metric)).copied();
            let before = replaced.map(|(version, run)| {
                let metrics = run.as_ref().map(|run| &run.metrics);
                let value = metrics.and_then(|metrics| metrics.get(&rule.metric));
                (version.version.get(), value.copied())
            });
            evaluate_rule(&rule, value, before)
        })
        .collect()
}

/// `before` is the version that is replaced, and its value if it has one.
fn evaluate_rule(
    rule: &MetricRule,
    value: Option<f64>,
    before: Option<(u64, Option<f64>)>,
) -> GateResult {
    let metric = &rule.metric;
    let Some(value) = value else {
        return GateResult::never(
            GATE,
            format!("the version's run has no metric `{metric}`; {rule}"),
        )
        .hint("let the training job log the metric, or change the rule");
    };
    let against = match before {
        _ if !rule.compares() => String::new(),
        None => ", with nothing in the stage to compare with".into(),
        Some((version, None)) => format!(", with none of version {version} to compare with"),
        Some((version, Some(before))) => format!(
            " against {} of version {version}{}",
            number(before),
            change(before, value)
        ),
    };
    let reason = format!("{metric} is {}{against}; {rule}", number(value));
    match rule.holds(value, before.and_then(|(_, value)| value)) {
        true => GateResult::holds(GATE, reason),
        false => GateResult::never(GATE, reason).hint("train a better version, or change the rule"),
    }
}

/// How far a value moved, in percent where that means something: ` (+2.1 %)`.
pub(crate) fn change(before: f64, now: f64) -> String {
    let part = (now - before) / before.abs() * 100.0;
    match before.partial_cmp(&now) {
        Some(Ordering::Equal) => " (the same)".into(),
        _ if part.is_finite() => format!(" ({part:+.1} %)"),
        _ => String::new(),
    }
}

/// A number as people read it: at most six digits after the point, and no zeros at the end.
pub(crate) fn number(value: f64) -> String {
    let plain = format!("{value:.6}");
    match plain.contains('.') {
        _ if value != 0.0 && value.abs() < 0.001 => format!("{value:e}"),
        true => plain.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::result::Verdict;

    fn result(
        rule: &str,
        value: Option<f64>,
        before: Option<(u64, Option<f64>)>,
    ) -> (bool, String) {
        let result = evaluate_rule(&rule.parse().unwrap(), value, before);
        (result.verdict == Verdict::Holds, result.reason)
    }

    const RULE: &str = "rmse must not rise by more than 2 %";

    #[test]
    fn a_rule_is_judged_against_the_version_that_is_replaced() {
        assert_eq!(
            result(RULE, Some(0.6), Some((6, Some(0.6)))),
            (
                true,
                format!("rmse is 0.6 against 0.6 of version 6 (the same); {RULE}")
            )
        );
        assert_eq!(
            result(RULE, Some(0.66), Some((6, Some(0.6)))),
            (
                false,
                format!("rmse is 0.66 against 0.6 of version 6 (+10.0 %); {RULE}")
            )
        );
    }

    #[test]
    fn without_anything_to_compare_with_only_the_value_counts() {
        assert_eq!(
            result(RULE, Some(0.6), None),
            (
                true,
                format!("rmse is 0.6, with nothing in the stage to compare with; {RULE}")
            )
        );
        assert!(result(RULE, Some(0.6), Some((6, None))).0);
        assert!(!result("rmse must be at most 0.5", Some(0.6), None).0);
    }

    #[test]
    fn a_version_without_the_metric_does_not_pass() {
        assert_eq!(
            result(RULE, None, Some((6, Some(0.6)))),
            (
                false,
                format!("the version's run has no metric `rmse`; {RULE}")
            )
        );
        assert!(!result(RULE, Some(f64::NAN), Some((6, Some(0.6)))).0);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.5, "0.5"),
            (12.0, "12"),
            (0.123_456_789, "0.123457"),
            (1.0e-7, "1e-7"),
            (0.0, "0"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(change(0.0, 1.0), "");
    }
}
