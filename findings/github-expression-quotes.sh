#!/usr/bin/env bash
# GitHub Actions: what GitHub's own library makes of an expression, where its documentation says otherwise.
#
# Expected: in a string two single quotes are one, wherever they stand, as GitHub's documentation says.
# Seen: `'a ''b'' c'` is read as `a 'b'' c`: the first pair becomes one quote and the others stay two. Elsewhere
# `format('x',)`, with a comma after the last argument, is taken, and a number from 1E+21 on is written `1e+21`.
# It matters here: editors and checkers built on this library show and compare other texts than the workflow's author
# wrote. The source of GitHub's runner (actions/runner, ExpressionUtility.cs) has rules of its own for numbers. Keep
# quotes out of expressions: hand the text on by `env:`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund --ignore-scripts @actions/expressions@0.3.61
cat >try.mjs <<'JS'
import {Evaluator, Lexer, Parser, data} from '@actions/expressions';
for (const text of ["'it''s'", "'a ''b'' c'", "'a ''b'' c' == format('a {0}b{0} c', '''')", "format('x',)", "format('{0}', 1e21)"]) {
  const tree = new Parser(new Lexer(text).lex().tokens, [], []).parse();
  console.log(`${text} -> ${new Evaluator(tree, new data.Dictionary()).evaluate().coerceString()}`);
}
JS
seen=$(node try.mjs)
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
'it''s' -> it's
'a ''b'' c' -> a 'b'' c
'a ''b'' c' == format('a {0}b{0} c', '''') -> false
format('x',) -> x
format('{0}', 1e21) -> 1e+21
EXPECTED
