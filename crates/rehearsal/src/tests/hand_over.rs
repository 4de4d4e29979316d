//! What steps and jobs hand on: outputs, variables, the path, artifacts.

use super::rehearse;
use crate::report::Outcome;

#[test]
fn values_are_handed_from_step_to_step_and_from_job_to_job() {
    let rehearsed = rehearse(
        r#"
  build:
    name: Build ${{ github.ref_name }}
    runs-on: ubuntu-24.04
    env: { GREETING: hello }
    outputs:
      text: ${{ steps.make.outputs.text }}
      url: ${{ steps.make.outputs.url || 'none' }}
    steps:
      - id: make
        run: |
          echo "text<<END" >> "$GITHUB_OUTPUT"
          printf 'one\ntwo = 2\n' >> "$GITHUB_OUTPUT"
          echo END >> "$GITHUB_OUTPUT"
          echo "url=http://example.com/x" >> "$GITHUB_OUTPUT"
          echo "LATER=$GREETING there" >> "$GITHUB_ENV"
          mkdir -p "$RUNNER_TEMP/bin"
          printf '#!/bin/sh\necho found on the path\n' > "$RUNNER_TEMP/bin/my-tool"
          chmod +x "$RUNNER_TEMP/bin/my-tool"
          echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
      - name: See ${{ env.LATER }}
        env: { OWN: "${{ env.GREETING }}-${{ steps.make.conclusion }}" }
        run: |
          my-tool
          echo "$LATER $OWN"
  use:
    needs: build
    runs-on: ubuntu-24.04
    steps:
      - name: use
        env: { TEXT: "${{ needs.build.outputs.text }}", RESULT: "${{ needs.build.result }}" }
        run: |
          test "$TEXT" = "$(printf 'one\ntwo = 2')"
          echo "$RESULT at ${{ needs.build.outputs.url }} ${LATER:-nothing later}"
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert_eq!(rehearsed.output("build", "text"), Some("one\ntwo = 2"));
    for line in [
        "── Build main",
        "▸ See hello there",
        "found on the path",
        "hello there hello-success",
        "success at http://example.com/x nothing later",
    ] {
        assert!(rehearsed.text.contains(line), "{line}: {}", rehearsed.text);
    }
    assert_eq!(
        rehearsed.rows[0].link.as_deref(),
        Some("http://example.com/x")
    );
}

#[test]
fn artifacts_reach_later_jobs_without_their_executable_bit() {
    let rehearsed = rehearse(
        r#"
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v7
      - run: chmod +x tool && tar -cf tools.tar tool
      - uses: actions/upload-artifact@v7
        with: { name: tools, path: "tool\ntools.tar\n", if-no-files-found: error }
  use:
    needs: build
    runs-on: ubuntu-24.04
    steps:
      - name: empty
        run: test -z "$(ls -A)"
      - uses: actions/download-artifact@v8
        with: { name: tools, path: "${{ runner.temp }}/tools" }
      - name: use
        run: |
          cd "$RUNNER_TEMP/tools"
          test ! -x tool
          tar -xf tools.tar
          ./tool
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert!(rehearsed.text.contains("tool runs"));
    assert_eq!(
        rehearsed
            .rows
            .iter()
            .filter(|row| row.outcome == Outcome::Emulated)
            .count(),
        3
    );
}

#[test]
fn a_command_that_would_leave_this_machine_is_substituted_and_the_person_told() {
    let rehearsed = rehearse(
        r#"
  build:
    runs-on: ubuntu-24.04
    outputs: { how: "${{ steps.fetch.outputs.how }}" }
    steps:
      - id: fetch
        run: fetch --from elsewhere
        env: { TOKEN: "${{ secrets.NOBODY_SET_IT }}" }
      - name: see
        run: test "${{ steps.fetch.outputs.how }}" = substituted
"#,
    );
    assert_eq!(rehearsed.exit_code, 0, "{}", rehearsed.text);
    assert_eq!(rehearsed.output("build", "how"), Some("substituted"));
    assert!(
        rehearsed.text.contains("nothing is fetched"),
        "{}",
        rehearsed.text
    );
    assert_eq!(rehearsed.rows[0].outcome, Outcome::Emulated);
}
