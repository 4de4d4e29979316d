//! Whatever a workflow file contains, it is read, or refused with one of its lines; nothing panics.

use proptest::prelude::*;
use proptest::sample::select;

use crate::read::Workflow;

/// Lines that have a meaning in a workflow, or nearly do.
const LINES: &[&str] = &[
    "name: Deploy",
    "on: push",
    "on:",
    "push:",
    "branches: [main, 'release/**']",
    "workflow_dispatch:",
    "inputs:",
    "stop-after: {type: choice, options: [dev, ''], default: ''}",
    "permissions: {}",
    "env: {A: 1, B: '${{ github.sha }}'}",
    "concurrency: {group: a, cancel-in-progress: false}",
    "defaults: {run: {shell: bash, working-directory: x}}",
    "jobs:",
    "dev:",
    "runs-on: ubuntu-24.04",
    "needs: [dev, 5]",
    "if: inputs.stop-after != 'dev'",
    "if: ${{ always() && ( }}",
    "environment: {name: DEV, url: '${{ steps.a.outputs.url }}'}",
    "timeout-minutes: 1e99",
    "outputs: {version: '${{ steps.a.outputs.version }}'}",
    "steps:",
    "- uses: actions/checkout@v4",
    "- run: echo '${{'",
    "- run: |",
    "id: a",
    "with: {path: [a]}",
    "strategy: {matrix: {a: [1, 2]}}",
    "&a",
    "*a",
    "<<: *a",
    "? [a]",
    "!!binary x",
    "--- ",
    "%YAML 1.2",
    "\t",
    "- - -",
    "{",
    "]",
    "'",
    "\"\\x",
    "null:",
    "~: ~",
];

fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        9 => select(LINES).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let indented = (0..5_usize, line).prop_map(|(depth, line)| "  ".repeat(depth) + &line);
    prop::collection::vec(indented, 0..20).prop_map(|lines| lines.join("\n"))
}

/// A valid workflow with one of its lines removed or another added.
fn bent() -> impl Strategy<Value = String> {
    let right = include_str!("../../../../../.github/workflows/deploy-models.yml");
    let count = right.lines().count();
    let change = (0..count, 0..8_usize, prop::option::of(select(LINES)));
    prop::collection::vec(change, 1..4).prop_map(move |changes| {
        let mut lines: Vec<String> = right.lines().map(str::to_owned).collect();
        for (at, depth, line) in changes {
            lines[at] = line.map_or(String::new(), |line| "  ".repeat(depth) + line);
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_a_line_of_it(text in prop_oneof![text(), bent()]) {
        let mut problems = Vec::new();
        let read = Workflow::read("any.yml", &text, &mut problems);
        prop_assert!(read.is_some() || !problems.is_empty(), "{}", text);
        let lines = text.split('\n').count() as u64;
        for problem in problems {
            prop_assert_eq!(&problem.file, "any.yml");
            // Line 0 means the file as a whole.
            prop_assert!(problem.line <= lines + 1, "{} of {}: {}", problem.line, lines, problem.what);
            prop_assert!(!problem.what.is_empty());
        }
    }
}
