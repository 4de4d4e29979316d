// Reads a question as JSON and writes the library's answers: one text an expression, in the words of `expressions.rs`;
// one reason a workflow file, null where it is right.
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } from "@actions/workflow-parser";
import { readFileSync } from "node:fs";

const { contexts, expressions, files } = JSON.parse(readFileSync(0, "utf8"));
const seen = contexts && JSON.parse(contexts, data.reviver);

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

async function refusal(content) {
  const { context, value } = parseWorkflow({ name: "a.yml", content }, new NoOperationTraceWriter());
  let errors = context.errors.getErrors();
  if (value && errors.length === 0) {
    const template = await convertWorkflowTemplate(context, value);
    errors = [...context.errors.getErrors(), ...(template.errors ?? [])];
  }
  if (!value && errors.length === 0) {
    return "nothing in it";
  }
  return errors.length === 0 ? null : (errors[0].message ?? errors[0].Message);
}

const answers = expressions ? expressions.map(answer) : [];
for (const file of files ?? []) {
  answers.push(await refusal(file));
}
process.stdout.write(JSON.stringify(answers));
