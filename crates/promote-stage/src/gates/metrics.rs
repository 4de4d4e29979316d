//! The metric rules of a model, evaluated with the metrics of the version's run and those of the version it replaces.

use std::cmp::Ordering;

use domino_core::api::registered_models::VersionNumber;
use stage_file::{Baseline, MetricRule};

use super::result::GateResult;
use crate::candidate::Candidate;
use crate::measurements::Measurements;

/// The name of this gate.
pub(crate) const GATE: &str = "metric rule";
/// A change beyond this many percent is not shown in percent.
const MOST_PERCENT: f64 = 1.0e6;

/// One verdict for each rule.
pub(crate) fn evaluate(candidate: &Candidate<'_>) -> Vec<GateResult> {
    let baseline = candidate.target.model.baseline;
    let replaced = candidate.replaced.as_ref();
    let rules = candidate.target.metric_rules.iter();
    rules
        .filter_map(|text| text.parse::<MetricRule>().ok())
        .map(|rule| {
            let before = replaced.map(|replaced| (replaced.version.version, &replaced.measured));
            evaluate_rule(&rule, &candidate.measured, before, baseline)
        })
        .collect()
}

/// What a reader of the verdicts must not miss.
pub(crate) fn remarks(candidate: &Candidate<'_>) -> Vec<String> {
    match candidate.target.metric_rules.is_empty() {
        true => Vec::new(),
        false => candidate.measured.remark.iter().cloned().collect(),
    }
}

/// `before` is the version that is replaced.
fn evaluate_rule(
    rule: &MetricRule,
    measured: &Measurements,
    before: Option<(VersionNumber, &Measurements)>,
    baseline: Baseline,
) -> GateResult {
    let metric = &rule.metric;
    let picked = match measured.pick(rule) {
        Ok(picked) => picked,
        Err(why) => {
            return GateResult::never(GATE, format!("{why}; {rule}"))
                .hint("let the training job log the metric, or change the rule");
        }
    };
    let value = picked.value;
    let shown = format!("{metric} is {}{}", number(value), measured.whence(picked));
    if !value.is_finite() {
        return GateResult::never(GATE, format!("{shown}, which is no value; {rule}"))
            .hint("let the training job log a number, or change the rule");
    }
    if let Some(why) = &picked.unproven {
        return GateResult::never(
            GATE,
            format!("{shown}, which proves nothing: {why}; {rule}"),
        )
        .hint("take a version whose run has finished, or measure this one in another run");
    }
    let compared = before.filter(|_| rule.compares());
    let compared = compared.map(|(version, measured)| (version, value_before(rule, measured)));
    let against = match &compared {
        None if rule.compares() => ", with nothing in the stage to compare with".into(),
        None => String::new(),
        Some((version, Err(why))) => {
            format!(", with none of version {version} to compare with{why}")
        }
        Some((version, Ok(before))) => format!(
            " against {} of version {version}{}",
            number(*before),
            change(*before, value)
        ),
    };
    let reason = format!("{shown}{against}; {rule}");
    if matches!(compared, Some((_, Err(_)))) && baseline == Baseline::Required {
        return GateResult::never(GATE, reason)
            .hint("write `baseline = \"optional\"` at the model to let it in without one");
    }
    let before = compared.and_then(|(_, before)| before.ok());
    match rule.holds(value, before) {
        true => GateResult::holds(GATE, reason),
        false => GateResult::never(GATE, reason).hint("train a better version, or change the rule"),
    }
}

/// The value of the version that is replaced, or why it has none.
fn value_before(rule: &MetricRule, measured: &Measurements) -> Result<f64, String> {
    let Ok(picked) = measured.pick(rule) else {
        return Err(String::new());
    };
    if !picked.value.is_finite() {
        return Err(format!(
            ": it has {}, which is no value",
            number(picked.value)
        ));
    }
    match &picked.unproven {
        Some(why) => Err(format!(": {why}")),
        None => Ok(picked.value),
    }
}

/// How far a value changed, in percent if that is meaningful: ` (+2.1 %)`.
pub(crate) fn change(before: f64, now: f64) -> String {
    let part = (now - before) / before.abs() * 100.0;
    match before.partial_cmp(&now) {
        Some(Ordering::Equal) => " (the same)".into(),
        _ if part.abs() < MOST_PERCENT => format!(" ({part:+.1} %)"),
        _ => String::new(),
    }
}

/// A number as people read it: at most six digits after the point, without trailing zeros.
pub(crate) fn number(value: f64) -> String {
    let plain = format!("{value:.6}");
    match plain.contains('.') {
        _ if value != 0.0 && !(0.001..1.0e15).contains(&value.abs()) && value.is_finite() => {
            format!("{value:e}")
        }
        true => plain.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::result::Verdict;
    use crate::measurements::tests::one;

    fn result(
        rule: &str,
        value: Option<f64>,
        before: Option<(u64, Option<f64>)>,
    ) -> (bool, String) {
        result_with(Baseline::Required, rule, value, before)
    }

    fn result_with(
        baseline: Baseline,
        rule: &str,
        value: Option<f64>,
        before: Option<(u64, Option<f64>)>,
    ) -> (bool, String) {
        let measured = |value: Option<f64>| match value {
            Some(value) => one("rmse", value),
            None => Measurements::default(),
        };
        let before = before.map(|(version, value)| (VersionNumber::new(version), measured(value)));
        let before = before.as_ref().map(|(version, value)| (*version, value));
        let rule = rule.parse().unwrap();
        let result = evaluate_rule(&rule, &measured(value), before, baseline);
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
        for none in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            assert!(!result(RULE, Some(0.6), Some((6, none))).0);
            assert!(result_with(Baseline::Optional, RULE, Some(0.6), Some((6, none))).0);
        }
        let bound = "rmse must be at most 0.5";
        let reason = format!("rmse is 0.6; {bound}");
        assert_eq!(result(bound, Some(0.6), None), (false, reason));
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
        for none in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(!result(RULE, Some(none), Some((6, Some(0.6)))).0);
            assert!(!result("rmse must be at least 0", Some(none), None).0);
        }
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
            (f64::NEG_INFINITY, "-inf"),
            (1.0e300, "1e300"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(change(1.0, 9_999.0), " (+999800.0 %)");
        assert_eq!(change(1.0, 10_001.0), "");
        for (before, now) in [(0.0, 1.0), (1.0e-300, 1.0), (1.0, 1.0e300)] {
            assert_eq!(change(before, now), "");
        }
    }
}
