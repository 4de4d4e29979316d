//! What can be said about workflow files before anything runs: everything in them that cannot run here as on GitHub.
//!
//! One run reports all problems of all files. What shows only while running is reported then, and fails the rehearsal
//! all the same.

mod reference;

use crate::action;
use crate::github::Event;
use crate::order;
use crate::settings::RepositorySettings;
use crate::shell;
use github_workflow::context::ExpressionSite;
use github_workflow::expression::Expression;
use github_workflow::problem::Problem;
use github_workflow::read::{Concurrency, Condition, Field, Input, Job, Step, What, Workflow};
use github_workflow::value::{Value, same_ignoring_case};

/// What a file is checked against.
pub struct Known<'a> {
    /// What GitHub keeps in the repository's settings.
    pub settings: &'a dyn RepositorySettings,
    /// The branch that is pushed.
    pub branch: &'a str,
    /// What starts the workflows.
    pub event: &'a Event,
    /// The `github` context; a property that it lacks does not exist.
    pub github: &'a Value,
}

/// What the checks found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Problems that prevent the rehearsal.
    pub problems: Vec<Problem>,
    /// Things that a person should know and that prevent nothing.
    pub notes: Vec<String>,
}

/// Checks one workflow.
pub fn check(workflow: &Workflow, known: &Known<'_>, findings: &mut Findings) {
    Checks {
        workflow,
        known,
        findings,
        job: None,
    }
    .workflow();
}

struct Checks<'a, 'k> {
    workflow: &'a Workflow,
    known: &'a Known<'k>,
    findings: &'a mut Findings,
    job: Option<&'a Job>,
}

impl<'a> Checks<'a, '_> {
    fn problem(&mut self, line: u64, what: impl Into<String>) {
        self.findings.problems.push(Problem {
            file: self.workflow.file.clone(),
            line,
            what: what.into(),
        });
    }

    fn note(&mut self, what: String) {
        if !self.findings.notes.contains(&what) {
            self.findings.notes.push(what);
        }
    }

    fn workflow(&mut self) {
        self.trigger();
        let workflow = self.workflow;
        let group = workflow.concurrency.iter();
        for field in group
            .flat_map(Concurrency::fields)
            .chain(&workflow.run_name)
        {
            self.field(ExpressionSite::Workflow, field);
        }
        for (_, field) in &workflow.env {
            self.field(ExpressionSite::WorkflowEnv, field);
        }
        if let Err(error) = order::of(&workflow.jobs) {
            self.problem(0, error);
        }
        for job in &workflow.jobs {
            self.job = Some(job);
            self.one_job(job);
        }
    }

    fn trigger(&mut self) {
        match (self.known.event, &self.workflow.triggers) {
            (Event::Push, triggers) => match &triggers.push {
                None => self.problem(0, "no push starts this workflow"),
                Some(branches) if branches.is_empty() => {}
                Some(branches) => {
                    let branch = self.known.branch;
                    let named = |pattern: &String| {
                        let plain = pattern.replace('\\', "");
                        plain == branch
                            || pattern == "**"
                            || (pattern == "*" && !branch.contains('/'))
                    };
                    if !branches.iter().any(named) {
                        self.problem(
                            0,
                            format!("a push to `{branch}` does not start this workflow: its branches are {}", branches.join(", ")),
                        );
                    }
                }
            },
            (Event::Dispatch { stop_after, inputs }, triggers) => {
                let Some(offered) = &triggers.dispatch else {
                    return self.problem(0, "this workflow cannot be started by hand");
                };
                if let Some(stop_after) = stop_after {
                    self.stop_after(stop_after, offered);
                }
                for (name, value) in inputs {
                    let input = offered.iter().find(|input| input.name == *name);
                    if let Some(why) = input.and_then(|input| input.objection(value)) {
                        self.problem(0, format!("input `{name}` cannot be `{value}`: {why}"));
                    }
                }
            }
        }
    }

    fn stop_after(&mut self, stage: &String, offered: &[Input]) {
        let offers = offered
            .iter()
            .filter(|input| input.options.contains(stage))
            .count();
        let text = match offers {
            1 => return,
            0 => format!("no input of this workflow offers to stop after `{stage}`"),
            _ => format!("more than one input of this workflow offers `{stage}`"),
        };
        self.problem(0, text);
    }

    fn one_job(&mut self, job: &'a Job) {
        for field in job
            .name
            .iter()
            .chain(&job.timeout_minutes)
            .chain(&job.runs_on)
            .chain(job.concurrency.iter().flat_map(Concurrency::fields))
        {
            self.field(ExpressionSite::Job, field);
        }
        self.condition(ExpressionSite::JobCondition, job.condition.as_ref());
        self.runner(job);
        if let Some(environment) = &job.environment {
            self.field(ExpressionSite::Job, &environment.name);
            if let Some(url) = &environment.url {
                self.field(ExpressionSite::EnvironmentUrl, url);
            }
            let name = &environment.name.template;
            if name.expressions().next().is_none()
                && let Err(error) = self.known.settings.environment(&name.source)
            {
                self.problem(environment.name.line, error);
            }
        }
        for (place, fields) in [
            (ExpressionSite::JobEnv, &job.env),
            (ExpressionSite::JobOutputs, &job.outputs),
        ] {
            for (_, field) in fields {
                self.field(place, field);
            }
        }
        for field in job
            .defaults
            .shell
            .iter()
            .chain(&job.defaults.working_directory)
        {
            self.field(ExpressionSite::JobDefaults, field);
        }
        for step in job.every_step() {
            self.step(job, step);
        }
    }

    fn runner(&mut self, job: &Job) {
        let labels: Vec<&str> = job
            .runs_on
            .iter()
            .map(|field| field.template.source.as_str())
            .collect();
        match labels.as_slice() {
            [] => self.problem(job.line, format!("job `{}` has no `runs-on`", job.id)),
            labels if labels.iter().any(|label| is_another_system(label)) => self.problem(
                job.line,
                format!(
                    "job `{}` runs on {}, which this machine is not",
                    job.id,
                    labels.join(", ")
                ),
            ),
            labels if labels.iter().any(|label| label.contains("${{")) => {
                self.note("jobs run on this machine, whatever `runs-on` says".to_owned());
            }
            // A team may give its own runners any label.
            labels => self.note(format!(
                "jobs run on this machine and not on {}",
                labels.join(", ")
            )),
        }
    }

    fn step(&mut self, job: &'a Job, step: &'a Step) {
        let tolerant = step.continue_on_error.iter();
        for field in step
            .name
            .iter()
            .chain(tolerant)
            .chain(&step.timeout_minutes)
        {
            self.field(ExpressionSite::Step, field);
        }
        // A substituted command reads nothing of what the workflow gives it.
        let substituted = match &step.what {
            What::Run { script, .. } => self.known.settings.substitute(&script.template.source),
            _ => None,
        };
        for (name, field) in step.env.iter().filter(|_| substituted.is_none()) {
            self.field(ExpressionSite::Step, field);
            let imposed = self.known.settings.imposed_variables();
            let imposed = imposed.iter().find(|imposed| imposed.name == name);
            if let Some(imposed) = imposed.filter(|_| job.environment.is_some()) {
                self.note(format!(
                    "{}:{}: `{name}` is {} here, whatever the workflow says",
                    self.workflow.file, field.line, imposed.what
                ));
            }
        }
        self.condition(ExpressionSite::StepCondition, step.condition.as_ref());
        match &step.what {
            What::Run {
                script,
                shell: own,
                working_directory,
            } => {
                for field in std::iter::once(script).chain(own).chain(working_directory) {
                    self.field(ExpressionSite::Step, field);
                }
                let defaults = [&job.defaults.shell, &self.workflow.defaults.shell];
                let shell = own
                    .as_ref()
                    .or_else(|| defaults.into_iter().find_map(Option::as_ref));
                let plain = shell.filter(|shell| shell.template.expressions().next().is_none());
                if let Err(error) =
                    shell::template(plain.map(|shell| shell.template.source.as_str()))
                {
                    self.problem(step.line, error);
                }
            }
            What::Uses { action, with } => {
                for (_, field) in with {
                    self.field(ExpressionSite::Step, field);
                }
                let Some(known) = action::known(action) else {
                    self.problem(step.line, format!("action `{action}` is not rehearsed"));
                    return;
                };
                for (name, field) in with {
                    if !known
                        .inputs
                        .iter()
                        .any(|input| same_ignoring_case(input, name))
                    {
                        self.problem(
                            field.line,
                            format!("input `{name}` of {} is not rehearsed", known.name),
                        );
                    }
                }
            }
            // Reading the file has already checked that the steps they name exist.
            What::Wait(_) | What::WaitAll | What::Cancel(_) | What::Parallel(_) => {}
        }
    }

    fn condition(&mut self, place: ExpressionSite, condition: Option<&'a Condition>) {
        if let Some(condition) = condition {
            self.expression(place, condition.line, &condition.expression);
        }
    }

    fn field(&mut self, place: ExpressionSite, field: &'a Field) {
        for expression in field.template.expressions() {
            self.expression(place, field.line, expression);
        }
    }

    fn expression(&mut self, place: ExpressionSite, line: u64, expression: &'a Expression) {
        for refused in place.refuses(expression) {
            self.problem(line, refused);
        }
        let mut chains: Vec<Vec<&str>> = Vec::new();
        expression.walk(&mut |part| chains.extend(part.chain()));
        for chain in &chains {
            // `a.b.c` contains `a.b` and `a` as well; only the whole chain counts.
            if chains
                .iter()
                .any(|other| other.len() > chain.len() && other.starts_with(chain))
            {
                continue;
            }
            self.chain(line, chain);
        }
    }
}

/// Whether the label asks for another system than the one whose shells are rehearsed.
fn is_another_system(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    ["windows", "macos"]
        .iter()
        .any(|system| label.starts_with(system))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::SampleSettings;

    fn found(text: &str, event: &Event) -> (Vec<String>, Vec<String>) {
        let settings = SampleSettings::with(&["DEV"]);
        let mut found = Findings::default();
        let workflow = Workflow::read("w.yml", text, &mut found.problems).unwrap();
        let github = Value::strings([("sha", "abc")]);
        let known = Known {
            settings: &settings,
            branch: "main",
            event,
            github: &github,
        };
        check(&workflow, &known, &mut found);
        (
            found.problems.iter().map(ToString::to_string).collect(),
            found.notes,
        )
    }

    #[test]
    fn everything_that_would_run_differently_is_named_before_anything_runs() {
        let (problems, notes) = found(
            "on: { push: { branches: [other] } }\njobs:\n  a:\n    runs-on: windows-latest\n    needs: gone\n    environment: PROD\n    steps:\n      - id: s\n        uses: actions/setup-python@v5\n      - id: s\n        uses: actions/cache@v4\n        with: { path: x, key: k, odd: 1 }\n      - run: echo ${{ steps.s.outputs.cache-primary-key }}\n        shell: pwsh\n      - run: echo ${{ matrix.os }} ${{ github.event.commits }}\n      - run: echo ${{ secrets.OTHER }} ${{ vars.STAGE }}\n      - run: echo\n        if: secrets.KEY != ''\n",
            &Event::Push,
        );
        let named = |what: &str| {
            assert!(
                problems.iter().any(|problem| problem.contains(what)),
                "{what}: {problems:#?}"
            )
        };
        named("a push to `main` does not start this workflow");
        named("w.yml: job `a` needs `gone`");
        named("job `a` runs on windows-latest");
        named("w.yml:6: no environment is called `PROD`");
        named("action `actions/setup-python@v5` is not rehearsed");
        named("two steps of job `a` have the id `s`");
        named("w.yml:12: input `odd` of actions/cache is not rehearsed");
        named("shell `pwsh` is not rehearsed");
        named("`matrix` is not offered here");
        named("`github.event.commits` is not rehearsed");
        named("w.yml:18: `secrets` is not offered here");
        assert_eq!(problems.len(), 11, "{problems:#?}");
        assert_eq!(
            notes,
            ["w.yml: secret OTHER is not set here, so it is empty, as on GitHub"]
        );
    }

    #[test]
    fn outputs_that_an_action_does_not_give_here_are_named() {
        let (problems, _) = found(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    outputs: { d: \"${{ steps.up.outputs.artifact-digest }}\", i: \"${{ steps.up.outputs.artifact-id }}\" }\n    steps:\n      - id: up\n        uses: actions/upload-artifact@v7\n        with: { path: x }\n",
            &Event::Push,
        );
        assert_eq!(
            problems,
            ["w.yml:5: output `artifact-digest` of actions/upload-artifact is not rehearsed"]
        );
    }

    #[test]
    fn a_secret_outside_an_environment_is_noted() {
        let (problems, notes) = found(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo\n        env: { K: \"${{ secrets.KEY }}\", T: \"${{ secrets.GITHUB_TOKEN }}\" }\n",
            &Event::Push,
        );
        assert_eq!(problems, [""; 0]);
        assert!(
            notes.contains(&"w.yml: secret KEY is empty in a, which has no environment".to_owned()),
            "{notes:?}"
        );
    }

    #[test]
    fn stopping_early_needs_an_input_that_offers_the_stage() {
        const JOBS: &str = "jobs: { a: { runs-on: ubuntu-24.04, steps: [{ run: echo }] } }\n";
        let event = Event::Dispatch {
            stop_after: Some("dev".into()),
            inputs: vec![("back".into(), "yes".into())],
        };
        let with = |inputs: &str| {
            let text = format!("on: {{ workflow_dispatch: {{ inputs: {{ {inputs} }} }} }}\n{JOBS}");
            found(&text, &event).0.join("; ")
        };
        assert_eq!(
            with("stop-after: { type: choice, options: [dev, prod] }"),
            ""
        );
        assert!(
            with("stop-after: { type: choice, options: [prod] }")
                .contains("no input of this workflow offers")
        );
        assert!(
            with("a: { type: choice, options: [dev] }, b: { type: choice, options: [dev] }")
                .contains("more than one input")
        );
        let of_back = with("back: { type: boolean }, stop-after: { type: choice, options: [dev] }");
        assert!(
            of_back.ends_with("input `back` cannot be `yes`: it is `true` or `false`"),
            "{of_back}"
        );
        assert!(
            found(&format!("on: push\n{JOBS}"), &event).0[0].contains("cannot be started by hand")
        );
        assert!(
            found(&format!("on: workflow_dispatch\n{JOBS}"), &Event::Push).0[0]
                .contains("no push starts")
        );
    }
}
