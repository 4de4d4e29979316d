//! What a step sees and what nobody may see: variables, secrets, masks.

use super::rehearse;

#[test]
fn a_step_sees_github_s_variables_and_nothing_of_the_person_s() {
    // cargo gives every test variables of its own, which stand for whatever a person may have set.
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok());
    let rehearsed = rehearse(
        r#"
  look:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
      - run: env | sort
      - run: test "$(cat a.txt)" = committed && test -s "$GITHUB_EVENT_PATH" && test "$PWD" = "$GITHUB_WORKSPACE"
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    let names: Vec<&str> = rehearsed
        .lines()
        .filter_map(|line| line.trim_start().split_once('=').map(|(name, _)| name))
        .collect();
    for name in [
        "CI",
        "GITHUB_ACTIONS",
        "GITHUB_ACTOR",
        "GITHUB_API_URL",
        "GITHUB_ENV",
        "GITHUB_EVENT_NAME",
        "GITHUB_JOB",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "GITHUB_REF",
        "GITHUB_REPOSITORY",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_RUN_ID",
        "GITHUB_SERVER_URL",
        "GITHUB_SHA",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_WORKFLOW",
        "GITHUB_WORKSPACE",
        "PATH",
        "RUNNER_OS",
        "RUNNER_TEMP",
    ] {
        assert!(names.contains(&name), "{name} is missing: {names:?}");
    }
    let known = [
        "PATH",
        "HOME",
        "LANG",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "TERM",
        "CI",
        "GIT_CEILING_DIRECTORIES",
    ];
    let bash = ["PWD", "SHLVL", "OLDPWD", "_"];
    for name in names
        .iter()
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    {
        let expected = known.contains(name)
            || bash.contains(name)
            || name.starts_with("GITHUB_")
            || name.starts_with("RUNNER_");
        assert!(expected, "{name} leaked into the step");
    }
}

#[test]
fn secrets_and_the_sandbox_reach_only_jobs_with_an_environment() {
    let rehearsed = rehearse(
        r#"
  free:
    runs-on: ubuntu-24.04
    steps:
      - name: free
        env: { KEY: "${{ secrets.KEY }}", STAGE: "${{ vars.STAGE }}" }
        run: echo "free [$KEY] [$STAGE] [${SERVER-unset}]"
  bound:
    runs-on: ubuntu-24.04
    environment: { name: DEV, url: "${{ steps.deploy.outputs.url }}" }
    steps:
      - id: deploy
        env:
          KEY: ${{ secrets.KEY }}
          STAGE: ${{ vars.STAGE }}
          SERVER: https://domino.example.com
        run: |
          echo "bound [$KEY] [$STAGE] [$SERVER] ${#KEY}"
          echo "url=http://example.com/app" >> "$GITHUB_OUTPUT"
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert!(
        rehearsed.text.contains("free [] [] [unset]"),
        "{}",
        rehearsed.text
    );
    assert!(
        rehearsed
            .text
            .contains("bound [***] [DEV] [http://127.0.0.1:2] 10"),
        "{}",
        rehearsed.text
    );
    assert!(
        rehearsed.text.contains("deployed: http://example.com/app"),
        "{}",
        rehearsed.text
    );
}

#[test]
fn what_is_masked_shows_nowhere() {
    let rehearsed = rehearse(
        r#"
  dev:
    runs-on: ubuntu-24.04
    environment: DEV
    outputs: { leak: "${{ steps.s.outputs.leak }}", fine: "${{ steps.s.outputs.fine }}" }
    steps:
      - id: s
        env: { KEY: "${{ secrets.KEY }}" }
        run: |
          echo "::add-mask::step-canary"
          echo "I know $KEY and step-canary"
          echo "::error file=stages.toml,line=3::with $KEY"
          echo "summary with $KEY and step-canary" >> "$GITHUB_STEP_SUMMARY"
          echo "leak=$KEY" >> "$GITHUB_OUTPUT"
          echo "fine=yes" >> "$GITHUB_OUTPUT"
      - run: echo ${{ secrets.KEY }} step-canary
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    for canary in ["key-canary", "step-canary"] {
        // The script contains the mask before it is asked for, as it would in GitHub's log.
        let after = rehearsed.text.split("I know").nth(2).unwrap();
        assert!(!after.contains(canary), "{}", rehearsed.text);
        assert!(!rehearsed.summary.contains(canary), "{}", rehearsed.summary);
    }
    assert!(!rehearsed.text.contains("key-canary"));
    assert!(
        rehearsed.text.contains("error at stages.toml:3: with ***"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.summary.trim(), "summary with *** and ***");
    assert_eq!(rehearsed.output("dev", "leak"), None);
    assert_eq!(rehearsed.output("dev", "fine"), Some("yes"));
    assert!(
        rehearsed.text.contains("output `leak` is left out"),
        "{}",
        rehearsed.text
    );
}
