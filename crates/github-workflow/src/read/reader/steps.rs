//! The steps of a job: scripts and actions, those that run side by side, and those that wait for others or stop them.
//!
//! What GitHub's own reader refuses about their ids and references is refused here.

use super::{Map, Reader};
use crate::limits::id_objection;
use crate::read::{Step, What};
use crate::yaml::{Kind, Node};

/// The ids of the steps so far: of all of them, and of those that another step may wait for or stop.
#[derive(Default)]
struct Known {
    taken: Vec<String>,
    targets: Vec<String>,
}

/// Whether steps are in a list of their own or in a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Job,
    Group,
}

impl Reader<'_> {
    /// The steps of a job.
    pub(super) fn steps(&mut self, job: &str, items: &[Node]) -> Vec<Step> {
        let mut known = Known::default();
        let steps = items.iter();
        steps
            .filter_map(|item| self.step(job, item, Within::Job, &mut known))
            .collect()
    }

    fn step(&mut self, job: &str, node: &Node, within: Within, known: &mut Known) -> Option<Step> {
        let mut map = self.map(node, &format!("a step of job `{job}`"))?;
        let id = map.take("id").and_then(|node| self.plain(node, "id"));
        let what = self.what(job, node, &mut map, within, known)?;
        let is_plain = matches!(what, What::Run { .. } | What::Uses { .. });
        let is_group = matches!(what, What::Parallel(_));
        if let Some(id) = &id {
            self.id(job, node.line, id, within, known);
        }
        let mut step = Step {
            line: node.line,
            id,
            name: map.take("name").and_then(|node| self.field(node, "name")),
            what,
            env: Vec::new(),
            condition: None,
            continue_on_error: map
                .take("continue-on-error")
                .and_then(|node| self.switch(node, "continue-on-error")),
            timeout_minutes: None,
            background: false,
        };
        if is_plain {
            step.env = self.env(map.take("env"), "env");
            step.condition = map.take("if").and_then(|node| self.condition(node));
            step.timeout_minutes = map
                .take("timeout-minutes")
                .and_then(|node| self.number(node, "timeout-minutes"));
            step.background = self.background(job, &mut map, within);
        }
        if is_group
            && (step.id.is_some() || step.name.is_some() || step.continue_on_error.is_some())
        {
            self.problem(
                node.line,
                format!("`parallel` of job `{job}` has no `id`, `name` or `continue-on-error`"),
            );
        }
        map.finish(self);
        Some(step)
    }

    fn what(
        &mut self,
        job: &str,
        node: &Node,
        map: &mut Map<'_>,
        within: Within,
        known: &mut Known,
    ) -> Option<What> {
        let kinds = ["run", "uses", "wait", "wait-all", "cancel", "parallel"];
        let given: Vec<(&str, &Node)> = kinds
            .into_iter()
            .filter_map(|kind| Some((kind, map.take(kind)?)))
            .collect();
        let [(kind, value)] = given.as_slice() else {
            self.problem(
                node.line,
                format!("a step of job `{job}` needs one of `run`, `uses`, `wait`, `wait-all`, `cancel` and `parallel`"),
            );
            return None;
        };
        if within == Within::Group && !matches!(*kind, "run" | "uses") {
            self.problem(
                node.line,
                format!("`{kind}` cannot stand in a `parallel` of job `{job}`"),
            );
            return None;
        }
        Some(match *kind {
            "run" => What::Run {
                script: self.field(value, "run")?,
                shell: map
                    .take("shell")
                    .and_then(|node| self.plain_field(node, "shell")),
                working_directory: map
                    .take("working-directory")
                    .and_then(|node| self.field(node, "working-directory")),
            },
            "uses" => What::Uses {
                action: self.plain(value, "uses")?,
                with: self.env(map.take("with"), "with"),
            },
            "wait" => {
                let targets = self.texts(value, "wait");
                for target in &targets {
                    self.target(value.line, target, known);
                }
                What::Wait(targets)
            }
            "wait-all" => {
                if !matches!(value.kind, Kind::Null | Kind::Bool(true)) {
                    self.problem(value.line, "`wait-all` must be true or empty");
                }
                What::WaitAll
            }
            "cancel" => {
                let target = value.text()?;
                self.target(value.line, &target, known);
                What::Cancel(target)
            }
            _ => What::Parallel(self.group(job, value, known)?),
        })
    }

    fn group(&mut self, job: &str, node: &Node, known: &mut Known) -> Option<Vec<Step>> {
        let Kind::List(items) = &node.kind else {
            self.problem(
                node.line,
                format!("`parallel` of job `{job}` must be a list of steps"),
            );
            return None;
        };
        let steps = items.iter();
        Some(
            steps
                .filter_map(|item| self.step(job, item, Within::Group, known))
                .collect(),
        )
    }

    fn background(&mut self, job: &str, map: &mut Map<'_>, within: Within) -> bool {
        let Some(node) = map.take("background") else {
            return false;
        };
        if within == Within::Group {
            self.problem(
                node.line,
                format!("`background` cannot stand in a `parallel` of job `{job}`: its steps run so anyway"),
            );
        }
        match node.kind {
            Kind::Bool(background) => background,
            _ => {
                self.problem(node.line, "`background` must be true or false");
                false
            }
        }
    }

    fn id(&mut self, job: &str, line: u64, id: &str, within: Within, known: &mut Known) {
        if let Some(why) = id_objection(id) {
            self.problem(line, format!("`{id}` cannot be the id of a step: {why}"));
        } else if known
            .taken
            .iter()
            .any(|taken| taken.eq_ignore_ascii_case(id))
        {
            self.problem(line, format!("two steps of job `{job}` have the id `{id}`"));
        }
        known.taken.push(id.to_owned());
        // Only the group waits for the steps in it.
        if within == Within::Job {
            known.targets.push(id.to_owned());
        }
    }

    fn target(&mut self, line: u64, target: &str, known: &Known) {
        if !known.targets.iter().any(|known| known == target) {
            self.problem(
                line,
                format!("no step before this one has the id `{target}`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::problem::Problem;
    use crate::read::{What, Workflow};

    fn read(steps: &str) -> (Workflow, Vec<String>) {
        let mut problems: Vec<Problem> = Vec::new();
        let text = format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}");
        let workflow = Workflow::read("w.yml", &text, &mut problems).unwrap();
        (
            workflow,
            problems.into_iter().map(|problem| problem.what).collect(),
        )
    }

    #[test]
    fn steps_side_by_side_are_read_with_what_waits_for_them() {
        let (workflow, problems) = read(
            "      - { id: s, background: true, run: serve }\n      - parallel:\n          - { id: x, if: always(), timeout-minutes: 3, run: echo }\n          - { uses: actions/checkout@v7 }\n      - { wait: [s], continue-on-error: true }\n      - wait-all:\n      - { name: Stop, cancel: s }\n",
        );
        assert_eq!(problems, [""; 0]);
        let job = &workflow.jobs[0];
        assert!(job.steps[0].background);
        assert!(matches!(&job.steps[1].what, What::Parallel(group) if group.len() == 2));
        assert!(matches!(&job.steps[2].what, What::Wait(ids) if ids == &["s"]));
        assert!(matches!(&job.steps[3].what, What::WaitAll));
        assert!(matches!(&job.steps[4].what, What::Cancel(id) if id == "s"));
        assert_eq!(job.every_step().count(), 6);
    }

    #[test]
    fn what_githubs_reader_refuses_of_them_is_refused() {
        for (steps, why) in [
            (
                "      - { wait: s, if: always() }\n",
                "`if` of a step of job `a` is not rehearsed",
            ),
            (
                "      - { wait: gone }\n",
                "no step before this one has the id `gone`",
            ),
            (
                "      - { wait-all: false }\n",
                "`wait-all` must be true or empty",
            ),
            (
                "      - { cancel: s }\n      - { id: s, background: true, run: x }\n",
                "no step before this one has the id `s`",
            ),
            (
                "      - parallel: [{ parallel: [{ run: x }] }]\n",
                "`parallel` cannot stand in a `parallel`",
            ),
            (
                "      - parallel: [{ run: x, background: true }]\n",
                "`background` cannot stand in a `parallel`",
            ),
            (
                "      - { parallel: [{ run: x }], if: always() }\n",
                "`if` of a step of job `a` is not rehearsed",
            ),
            (
                "      - parallel: [{ id: x, run: x }]\n      - { wait: x }\n",
                "no step before this one has the id `x`",
            ),
            (
                "      - parallel: [{ id: x, run: x }, { id: X, run: x }]\n",
                "two steps of job `a` have the id `X`",
            ),
            ("      - { run: x, uses: y }\n", "needs one of `run`"),
            (
                "      - { id: 1x, run: x }\n",
                "`1x` cannot be the id of a step",
            ),
            ("      - { id: __x, run: x }\n", "are GitHub's own"),
            (
                &format!("      - {{ id: {}, run: x }}\n", "x".repeat(100)),
                "more than 99 characters",
            ),
        ] {
            let (_, problems) = read(steps);
            assert!(
                problems.iter().any(|problem| problem.contains(why)),
                "{steps}: {problems:?}"
            );
        }
    }
}
