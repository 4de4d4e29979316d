//! What a filter may say, and what holds for it. What whole searches answer is in `search_tests`.

use super::*;

const RUNS: Grammar = Grammar {
    prefixes: &["attributes"],
    texts: &["name", "run_id"],
    numbers: &["start_time"],
    listed: &["run_id"],
    has_measurements: true,
    tests_tags: true,
    lists_tags: false,
    quotes_numbers: false,
};

const VERSIONS: Grammar = Grammar {
    prefixes: &["attribute"],
    texts: &["name"],
    numbers: &["version_number"],
    listed: &["name"],
    has_measurements: false,
    tests_tags: false,
    lists_tags: false,
    quotes_numbers: true,
};

fn holds(filter: &str, actual: Actual) -> bool {
    let comparisons = parse(filter, &VERSIONS).unwrap();
    comparisons.iter().all(|one| one.holds(Some(&actual)))
}

#[test]
fn texts_compare_by_equality_pattern_and_list() {
    let wine = || Actual::Text("wine quality".into());
    assert!(holds("name = 'wine quality'", wine()));
    assert!(holds("name=\"wine quality\" and name != 'x'", wine()));
    assert!(holds("name LIKE 'wine%'", wine()));
    assert!(holds("name like '%qual_ty'", wine()));
    assert!(!holds("name LIKE 'Wine%'", wine()));
    assert!(holds("name ILIKE 'Wine%'", wine()));
    assert!(holds("name IN ('a', 'wine quality')", wine()));
    assert!(!holds("name not in ('wine quality')", wine()));
}

#[test]
fn numbers_compare_also_when_quoted() {
    assert!(holds("version_number >= 3", Actual::Number(3.0)));
    assert!(holds("version_number = '3'", Actual::Number(3.0)));
    assert!(!holds("version_number < 3", Actual::Number(3.0)));
}

#[test]
fn keys_may_stand_in_backticks_and_quotes() {
    let key = |filter: &str| parse(filter, &RUNS).unwrap()[0].key.clone();
    let tag = Key::Tag("mlflow.source.git.commit".into());
    assert_eq!(key("tags.`mlflow.source.git.commit` = 'x'"), tag);
    assert_eq!(key("tags.\"mlflow.source.git.commit\"='x'"), tag);
    assert_eq!(key("tag.mlflow.source.git.commit = 'x'"), tag);
    assert_eq!(key("metrics.rmse < 1"), Key::Metric("rmse".into()));
}

/// As servers of 2.22.5 and 3.17.2 answer; tests for nothing as the latter does.
#[test]
fn what_mlflow_compares_is_compared_and_nothing_else() {
    for filter in [
        "",
        "metrics.m > 0.1",
        "params.p = '1'",
        "params.p LIKE '1%'",
        "params.q IS NULL",
        "tags.a IS NOT NULL",
        "tags.a != 'x'",
        "run_id IN ('a')",
        "start_time > 5",
        "metrics.m = 0.5 AND",
        "AND metrics.m = 0.5",
    ] {
        assert!(parse(filter, &RUNS).is_ok(), "{filter}");
    }
    for filter in [
        "metrics.m = 'a'",
        "metrics.m = '0.5'",
        "metrics.m LIKE '0%'",
        "params.p IN ('1')",
        "params.p = 1",
        "params.p > '0'",
        "tags.a > '1'",
        "tags.a = 2",
        "tags.a IN ('2')",
        "name > 'A'",
        "name IN ('x')",
        "start_time LIKE '1%'",
        "start_time = '5'",
        "metrics.m = 0.5 OR metrics.m = 1",
    ] {
        assert!(parse(filter, &RUNS).is_err(), "{filter}");
    }
    for filter in ["version_number = '1'", "name IN ('a')", "tags.a LIKE '2%'"] {
        assert!(parse(filter, &VERSIONS).is_ok(), "{filter}");
    }
    for filter in [
        "version_number LIKE '1'",
        "version_number IN ('1')",
        "params.p = '1'",
        "metrics.m > 1",
        "tags.a IS NULL",
    ] {
        assert!(parse(filter, &VERSIONS).is_err(), "{filter}");
    }
}

#[test]
fn what_is_no_filter_is_refused() {
    for filter in [
        "garbage",
        "name",
        "name =",
        "name = x",
        "name = 'x' or name = 'y'",
        "name = 'x",
        "current_stage = 'Production'",
        "NAME = 'x'",
    ] {
        assert!(parse(filter, &VERSIONS).is_err(), "{filter}");
    }
}
