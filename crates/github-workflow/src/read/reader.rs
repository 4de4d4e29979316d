//! From YAML to the types of `read.rs`. Every key that is not read is named as a problem.
//!
//! Keys that make no difference here (permissions, other events that start the workflow) are checked and dropped,
//! each in the one place that says so.

#[cfg(test)]
mod any_text;
mod concurrency;
mod permissions;
mod scalar;
mod steps;
mod triggers;

use super::{Condition, Defaults, Environment, Field, Job, Triggers, Workflow};
use crate::expression::Expression;
use crate::limits::id_objection;
use crate::problem::Problem;
use crate::template::{Part, Template};
use crate::yaml::{Kind, Node};

impl Workflow {
    /// Reads a file's text. What cannot be understood is added to `problems`; the rest is still read.
    ///
    /// Returns nothing if the file contains no workflow at all.
    pub fn read(file: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        workflow(file, text, problems)
    }
}

fn workflow(file: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Workflow> {
    let mut reader = Reader { file, problems };
    let root = match Node::parse(text) {
        Ok(root) => root,
        Err(error) => {
            reader.problem(
                0,
                format!("this is not YAML that GitHub would read: {error}"),
            );
            return None;
        }
    };
    let mut map = reader.map(&root, "the workflow")?;
    let name = map
        .take("name")
        .and_then(|node| reader.plain(node, "name"))
        .unwrap_or_else(|| format!(".github/workflows/{file}"));
    let triggers = match map.take("on") {
        Some(node) => reader.triggers(node),
        None => {
            reader.problem(0, "`on` is missing");
            Triggers::default()
        }
    };
    reader.permissions(map.take("permissions"));
    let env = reader.env(map.take("env"), "env");
    let concurrency = reader.concurrency(map.take("concurrency"));
    let run_name = map
        .take("run-name")
        .and_then(|node| reader.field(node, "run-name"));
    let defaults = reader.defaults(map.take("defaults"), Reader::plain_field);
    let mut jobs = Vec::new();
    match map.take("jobs").and_then(|node| reader.map(node, "`jobs`")) {
        Some(entries) => {
            if entries.entries.is_empty() {
                reader.problem(root.line, "`jobs` is empty");
            }
            reader.distinct(&entries);
            for (id, node) in entries.entries {
                if let Some(why) = id_objection(id) {
                    reader.problem(
                        node.line,
                        format!("`{id}` cannot be the id of a job: {why}"),
                    );
                }
                jobs.extend(reader.job(id, node));
            }
        }
        None => reader.problem(root.line, "`jobs` is missing"),
    }
    map.finish(&mut reader);
    Some(Workflow {
        file: file.to_owned(),
        name,
        triggers,
        env,
        concurrency,
        run_name,
        defaults,
        jobs,
    })
}

struct Reader<'a> {
    file: &'a str,
    problems: &'a mut Vec<Problem>,
}

/// The keys of one map, and which of them have been read.
struct Map<'n> {
    what: String,
    entries: &'n [(String, Node)],
    taken: Vec<&'n str>,
}

impl<'n> Map<'n> {
    fn take(&mut self, key: &str) -> Option<&'n Node> {
        let (key, node) = self.entries.iter().find(|(name, _)| name == key)?;
        self.taken.push(key);
        Some(node)
    }

    fn finish(self, reader: &mut Reader) {
        for (key, node) in self.entries {
            if !self.taken.contains(&key.as_str()) {
                reader.problem(
                    node.line,
                    format!("`{key}` of {} is not rehearsed", self.what),
                );
            }
        }
    }
}

impl Reader<'_> {
    fn problem(&mut self, line: u64, what: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line,
            what: what.into(),
        });
    }

    fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<Map<'n>> {
        match &node.kind {
            Kind::Map(entries) => Some(Map {
                what: what.to_owned(),
                entries,
                taken: Vec::new(),
            }),
            _ => {
                self.problem(node.line, format!("{what} must be a map"));
                None
            }
        }
    }

    fn field(&mut self, node: &Node, what: &str) -> Option<Field> {
        let Some(text) = node.text() else {
            self.problem(node.line, format!("`{what}` must be a text"));
            return None;
        };
        match Template::parse(&text) {
            Ok(template) => Some(Field {
                line: node.line,
                template,
            }),
            Err(error) => {
                self.problem(node.line, format!("`{what}`: {error}"));
                None
            }
        }
    }

    /// A text, or a list of texts.
    fn fields(&mut self, node: &Node, what: &str) -> Vec<Field> {
        match &node.kind {
            Kind::List(items) => items
                .iter()
                .filter_map(|item| self.field(item, what))
                .collect(),
            _ => self.field(node, what).into_iter().collect(),
        }
    }

    fn texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        let fields = self.fields(node, what);
        fields
            .into_iter()
            .map(|field| field.template.source)
            .collect()
    }

    fn env(&mut self, node: Option<&Node>, what: &str) -> Vec<(String, Field)> {
        let Some(map) = node.and_then(|node| self.map(node, &format!("`{what}`"))) else {
            return Vec::new();
        };
        self.distinct(&map);
        map.entries
            .iter()
            .filter_map(|(key, node)| {
                Some((key.clone(), self.field(node, &format!("{what}.{key}"))?))
            })
            .collect()
    }

    fn condition(&mut self, node: &Node) -> Option<Condition> {
        let field = self.field(node, "if")?;
        let parsed = match field.template.parts.as_slice() {
            [] => return None,
            [Part::Expression(expression)] => Ok(expression.clone()),
            [Part::Text(text)] => Expression::parse(text),
            _ => Err(
                "text beside `${{ }}` makes a condition that is always true on GitHub".to_owned(),
            ),
        };
        match parsed {
            Ok(expression) => Some(Condition {
                line: node.line,
                expression,
            }),
            Err(error) => {
                self.problem(node.line, format!("`if`: {error}"));
                None
            }
        }
    }

    fn defaults(
        &mut self,
        node: Option<&Node>,
        field: fn(&mut Self, &Node, &str) -> Option<Field>,
    ) -> Defaults {
        let Some(mut map) = node.and_then(|node| self.map(node, "`defaults`")) else {
            return Defaults::default();
        };
        let run = map
            .take("run")
            .and_then(|node| self.map(node, "`defaults.run`"));
        map.finish(self);
        let Some(mut run) = run else {
            return Defaults::default();
        };
        let defaults = Defaults {
            shell: run
                .take("shell")
                .and_then(|node| field(self, node, "shell")),
            working_directory: run
                .take("working-directory")
                .and_then(|node| field(self, node, "working-directory")),
        };
        run.finish(self);
        defaults
    }

    fn job(&mut self, id: &str, node: &Node) -> Option<Job> {
        let mut map = self.map(node, &format!("job `{id}`"))?;
        let job = Job {
            id: id.to_owned(),
            line: node.line,
            name: map.take("name").and_then(|node| self.field(node, "name")),
            needs: map
                .take("needs")
                .map(|node| self.texts(node, "needs"))
                .unwrap_or_default(),
            condition: map.take("if").and_then(|node| self.condition(node)),
            runs_on: map
                .take("runs-on")
                .map(|node| self.runs_on(node))
                .unwrap_or_default(),
            environment: map
                .take("environment")
                .and_then(|node| self.environment(node)),
            env: self.env(map.take("env"), "env"),
            outputs: self.outputs(map.take("outputs")),
            timeout_minutes: map
                .take("timeout-minutes")
                .and_then(|node| self.number(node, "timeout-minutes")),
            concurrency: self.concurrency(map.take("concurrency")),
            defaults: self.defaults(map.take("defaults"), Self::filled),
            steps: match map.take("steps") {
                Some(Node {
                    kind: Kind::List(items),
                    ..
                }) => self.steps(id, items),
                _ => {
                    self.problem(node.line, format!("job `{id}` has no list of `steps`"));
                    Vec::new()
                }
            },
        };
        self.permissions(map.take("permissions"));
        map.finish(self);
        Some(job)
    }

    /// The labels, and the group if one is named.
    fn runs_on(&mut self, node: &Node) -> Vec<Field> {
        if !matches!(node.kind, Kind::Map(_)) {
            return self.labels(node);
        }
        let Some(mut map) = self.map(node, "`runs-on`") else {
            return Vec::new();
        };
        let group = map
            .take("group")
            .and_then(|node| self.filled(node, "group"));
        let labels = map.take("labels").map(|node| self.labels(node));
        map.finish(self);
        group
            .into_iter()
            .chain(labels.into_iter().flatten())
            .collect()
    }

    fn labels(&mut self, node: &Node) -> Vec<Field> {
        let labels = self.fields(node, "runs-on");
        if labels.iter().any(|label| label.template.source.is_empty()) {
            self.problem(node.line, "`runs-on` is empty");
        }
        labels
    }

    fn outputs(&mut self, node: Option<&Node>) -> Vec<(String, Field)> {
        let outputs = self.env(node, "outputs");
        for (name, field) in &outputs {
            if name.contains("${{") {
                self.problem(field.line, "the name of an output takes no `${{ }}`");
            }
        }
        outputs
    }

    fn environment(&mut self, node: &Node) -> Option<Environment> {
        if !matches!(node.kind, Kind::Map(_)) {
            return Some(Environment {
                name: self.field(node, "environment")?,
                url: None,
            });
        }
        let mut map = self.map(node, "`environment`")?;
        let name = map
            .take("name")
            .and_then(|node| self.field(node, "environment.name"));
        let url = map
            .take("url")
            .and_then(|node| self.field(node, "environment.url"));
        map.finish(self);
        if name.is_none() {
            self.problem(node.line, "`environment` has no `name`");
        }
        Some(Environment { name: name?, url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::What;

    fn read(text: &str) -> (Option<Workflow>, Vec<String>) {
        let mut problems = Vec::new();
        let workflow = workflow("deploy-jobs.yml", text, &mut problems);
        (workflow, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_workflow_is_read_in_the_order_of_its_file() {
        let (workflow, problems) = read(
            "name: Deploy jobs\n\"on\":\n  push:\n    branches: [main]\n    paths: ['src/**']\n  workflow_dispatch:\n    inputs:\n      stop-after:\n        type: choice\n        default: prod\n        options: [dev, prod]\npermissions: {}\nconcurrency:\n  group: deploy-${{ github.sha }}\n  cancel-in-progress: false\nenv: { A: 1 }\njobs:\n  z:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo\n        shell: bash\n  a:\n    needs: z\n    runs-on: ubuntu-24.04\n    environment: { name: DEV, url: \"${{ steps.s.outputs.url }}\" }\n    if: ${{ always() }}\n    outputs: { v: \"${{ steps.s.outputs.v }}\" }\n    timeout-minutes: 5\n    steps:\n      - id: s\n        uses: actions/checkout@abc # v7\n        with: { persist-credentials: false }\n",
        );
        assert_eq!(problems, [""; 0]);
        let workflow = workflow.unwrap();
        assert_eq!(workflow.name, "Deploy jobs");
        assert_eq!(workflow.stem(), "deploy-jobs");
        assert_eq!(
            workflow.triggers.push.as_deref(),
            Some(["main".to_owned()].as_slice())
        );
        assert_eq!(
            workflow.triggers.dispatch.as_ref().unwrap()[0].options,
            ["dev", "prod"]
        );
        assert_eq!(
            workflow
                .jobs
                .iter()
                .map(|job| job.id.as_str())
                .collect::<Vec<_>>(),
            ["z", "a"]
        );
        assert_eq!(workflow.jobs[1].needs, ["z"]);
        assert_eq!(
            workflow.jobs[1].steps[0].default_name(),
            "Run actions/checkout@abc"
        );
        let What::Uses { with, .. } = &workflow.jobs[1].steps[0].what else {
            panic!()
        };
        assert_eq!(with[0].1.template.source, "false");
    }

    #[test]
    fn everything_that_is_not_rehearsed_is_named_with_its_line() {
        let (_, problems) = read(
            "on: { push: { tags: [v1] } }\nconcurrency: { group: a, queue: max, cancel-in-progress: true }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    strategy: { matrix: { x: [1] } }\n    container: alpine\n    steps:\n      - run: echo ${{ x y }}\n      - run: a\n        uses: b\n      - run: echo\n        retries: 3\n      - run: echo\n        if: x ${{ true }}\n  b:\n    uses: ./.github/workflows/other.yml\n",
        );
        assert_eq!(
            problems,
            [
                "deploy-jobs.yml:1: `tags` of `on.push` is not rehearsed",
                "deploy-jobs.yml:2: `queue: max` and `cancel-in-progress: true` exclude each other",
                "deploy-jobs.yml:9: `run`: `y` is not expected in expression `x y`",
                "deploy-jobs.yml:10: a step of job `a` needs one of `run`, `uses`, `wait`, `wait-all`, `cancel` and `parallel`",
                "deploy-jobs.yml:13: `retries` of a step of job `a` is not rehearsed",
                "deploy-jobs.yml:15: `if`: text beside `${{ }}` makes a condition that is always true on GitHub",
                "deploy-jobs.yml:6: `strategy` of job `a` is not rehearsed",
                "deploy-jobs.yml:7: `container` of job `a` is not rehearsed",
                "deploy-jobs.yml:17: job `b` has no list of `steps`",
                "deploy-jobs.yml:17: `uses` of job `b` is not rehearsed",
            ]
        );
    }

    #[test]
    fn what_is_no_workflow_is_named() {
        assert!(read("a: [").1[0].contains("not YAML"));
        assert!(read("- a\n").1[0].contains("must be a map"));
        assert_eq!(read("name: x\n").1.len(), 2);
    }
}
