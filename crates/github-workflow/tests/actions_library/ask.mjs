// Reads a question as JSON and writes the library's answers: one text an expression, in the words of `expressions.rs`.
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import { readFileSync } from "node:fs";

const { contexts, expressions } = JSON.parse(readFileSync(0, "utf8"));
const seen = JSON.parse(contexts, data.reviver);

function answer(text) {
  let tree;
  try {
    tree = new Parser(new Lexer(text.trim()).lex().tokens, Object.keys(JSON.parse(contexts)), []).parse();
  } catch {
    return "refused";
  }
  let value;
  try {
    value = new Evaluator(tree, seen).evaluate();
  } catch {
    return "error";
  }
  switch (value.kind) {
    case data.Kind.Null:
      return "null";
    case data.Kind.Boolean:
      return `boolean ${value.coerceString()}`;
    case data.Kind.Number:
      return `number ${value.coerceString()}`;
    case data.Kind.String:
      return `string ${value.coerceString()}`;
    default:
      return JSON.stringify(value, data.replacer, "  ");
  }
}

process.stdout.write(JSON.stringify(expressions.map(answer)));
