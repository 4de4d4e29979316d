//! Ids, clocks and spans of time differ from run to run, and are masked in what is compared.

use std::sync::OnceLock;

use regex::Regex;

const MASKS: &[(&str, &str)] = &[
    (r"\b[0-9a-f]{24}\b", "[id]"),
    (r"\b[0-9a-f]{32}\b", "[id]"),
    (
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        "[uuid]",
    ),
    // Which statuses are seen depends on the moment of each look.
    (r"(?m)^ +\d+:\d\d  .*\n", ""),
    (r"(?m)^(  (?:waited|ran) +)\d.*$", "$1[time]"),
    (r"(?m)^\| (waited|ran) \| .* \|$", "| $1 | [time] |"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
    (r"\b\d+ ms\b", "[ms]"),
    (r"\bstate [0-9a-f]{12}\b", "state [state]"),
];

/// The text with all of that masked.
pub fn masked(text: &str) -> String {
    // Compiling these takes longer than anything else that a test does itself.
    static COMPILED: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let compiled = |(pattern, mask): &(&str, &'static str)| {
            let pattern = Regex::new(pattern).unwrap();
            (pattern, *mask)
        };
        MASKS.iter().map(compiled).collect()
    });
    compiled
        .iter()
        .fold(text.to_owned(), |text, (pattern, mask)| {
            pattern.replace_all(&text, *mask).into_owned()
        })
}

/// The path of a request with each id of it as `*`, which is a route.
pub fn without_ids(path: &str) -> String {
    static IDS: OnceLock<Regex> = OnceLock::new();
    let ids = IDS.get_or_init(|| {
        let id = r"\b([0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\b";
        Regex::new(id).unwrap()
    });
    ids.replace_all(path, "*").into_owned()
}
