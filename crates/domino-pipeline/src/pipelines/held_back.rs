//! The last step of a stage's job: it says what was not deployed to the stage and why. It also collects the summaries
//! of the steps if there are more than GitHub shows.
//!
//! It decides nothing: a condition of each entity's first step decides what is let into a stage.

use super::chain::{Chain, Entity};
use github_workflow::limits::{LONGEST_EXPRESSION, MOST_SUMMARIES, expression_length};
use github_workflow::write::{Expression, Step, literal};

/// Where a step writes its summary instead of showing it.
const SUMMARY: &str = "DEPLOY_SUMMARY";

/// Well below GitHub's limit, so that nothing depends on how exactly it counts.
const LONGEST_TEXT: usize = LONGEST_EXPRESSION / 4;

/// GitHub takes a summary of 1 MiB.
const COLLECT: &str = r#"cat "$RUNNER_TEMP"/summary-*.md 2> /dev/null | head --bytes=1000000 >> "$GITHUB_STEP_SUMMARY" || true
"#;

/// Where entities that passed go next.
pub(super) enum Onward {
    /// To the next stage, each by itself.
    Each,
    /// To the next stage, if everything passed.
    Together,
    /// Nowhere: it is the last stage.
    Nowhere,
}

/// The result of the stage before for an entity, and the name of that stage.
pub(super) type Gate<'a> = (&'a dyn Fn(&Entity) -> Option<Expression>, &'a str);

/// The step for these chains. Its text is safe: names are letters, digits, `-` and `_`.
pub(super) fn step(chains: &[Chain], gate: Option<Gate<'_>>, onward: &Onward) -> Step {
    let title = match onward {
        Onward::Each => "Not deployed here, and to no later stage",
        Onward::Together => "Not deployed here: nothing goes to the next stage",
        Onward::Nowhere => "Not deployed here",
    };
    let texts = texts(chains.iter().map(|chain| line(chain, chains, gate)));
    let names: Vec<String> = (1..=texts.len())
        .map(|at| match at {
            1 => "HELD_BACK".to_owned(),
            at => format!("HELD_BACK_{at}"),
        })
        .collect();
    let given: String = names.iter().map(|name| format!(" \"${name}\"")).collect();
    let mut command = String::new();
    if is_crowded(chains) {
        command += COLLECT;
    }
    command += &format!(
        r#"held_back=$(printf '%s\n'{given} | sed '/^$/d')
[ -n "$held_back" ] || exit 0
printf '### %s\n\n%s\n' '{title}' "$(printf '%s\n' "$held_back" | sed 's/^/- /')" >> "$GITHUB_STEP_SUMMARY"
printf '%s\n' "$held_back" | sed 's/^/::warning title={title}::/'
"#
    );
    let mut step = Step::run("Say what was not deployed", command);
    step.r#if = Some("!cancelled()".to_owned());
    let given = names.into_iter().zip(texts);
    given.fold(step, |step, (name, text)| step.env(name, text))
}

/// Whether the steps, including the last one, would show more summaries than GitHub does.
fn is_crowded(chains: &[Chain]) -> bool {
    let steps = chains.iter();
    let steps = steps.map(|chain| chain.steps.len() + usize::from(chain.request.is_some()));
    steps.sum::<usize>() >= MOST_SUMMARIES
}

/// If there are too many summaries, each step writes its own where the last one collects it.
pub(super) fn collect_summaries(chains: &mut [Chain]) {
    if !is_crowded(chains) {
        return;
    }
    let steps = chains
        .iter_mut()
        .flat_map(|chain| chain.steps.iter_mut().chain(&mut chain.request));
    for (at, step) in steps.enumerate() {
        let file = format!("${{{{ runner.temp }}}}/summary-{:04}.md", at + 1);
        *step = std::mem::take(step).env(SUMMARY, file);
    }
}

/// Why an entity was not deployed, as an expression that is empty if it was.
fn line(chain: &Chain, chains: &[Chain], gate: Option<Gate<'_>>) -> String {
    let Entity { kind, name } = &chain.entity;
    let what = format!("{} {name}", kind.word());
    let mut reasons: Vec<(String, String)> = Vec::new();
    if let Some((gate, stage)) = gate
        && let Some(passed) = gate(&chain.entity)
    {
        reasons.push((differs(&passed), format!("{what} did not pass {stage}")));
    }
    for step in chain.steps.iter().chain(&chain.request) {
        let failed = format!("{} == {}", step.outcome().text(), literal("failure"));
        reasons.push((failed, format!("{what}: the step \"{}\" failed", step.name)));
    }
    let comes_after = |other: &&Chain| chain.after.contains(&other.entity);
    let earlier = (!chain.after.is_empty()).then_some(chains);
    for other in earlier.into_iter().flatten().filter(comes_after) {
        let Entity { kind, name } = &other.entity;
        reasons.push((
            differs(&other.deployed().outcome()),
            format!(
                "{what} comes after {} {name}, which was not deployed",
                kind.word()
            ),
        ));
    }
    let not_deployed = differs(&chain.deployed().outcome());
    reasons.push((not_deployed, format!("{what} was not deployed")));
    let mut text = String::new();
    for (condition, reason) in reasons {
        text += &format!("{condition} && {} || ", literal(&reason));
    }
    format!("${{{{ {text}'' }}}}")
}

fn differs(outcome: &Expression) -> String {
    format!("{} != {}", outcome.text(), literal("success"))
}

/// The lines in as few texts as possible, none longer than GitHub accepts.
fn texts(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<(String, usize)> = Vec::new();
    for line in lines {
        // The line itself, its place in the `format` and its comma, and the additional length of a reference into a
        // group.
        let references = line.matches("steps.").count();
        let length = expression_length(&line) + 16 + 20 * references;
        match texts.last_mut() {
            Some((text, so_far)) if *so_far + length < LONGEST_TEXT => {
                *text += "\n";
                *text += &line;
                *so_far += length;
            }
            _ => texts.push((line, length)),
        }
    }
    texts.into_iter().map(|(text, _)| text).collect()
}

#[cfg(test)]
mod tests {
    use stage_file::Kind;

    use super::*;

    fn chain(name: &str, after: &[&str]) -> Chain {
        let after: Vec<String> = after.iter().map(|name| (*name).to_owned()).collect();
        let id = format!("start-{name}");
        let step = Step::run(format!("Start job {name}"), "x").id(id);
        Chain::new(Kind::Job, name, &after, vec![step])
    }

    #[test]
    fn each_line_says_because_of_what_in_the_order_in_which_it_matters() {
        let chains = [chain("train", &[]), chain("score", &["train"])];
        let step = step(&chains, None, &Onward::Each);
        let text = format!("{:?}", step.env["HELD_BACK"]);
        for part in [
            "steps.start-score.outcome == 'failure' && 'job score: the step \\\"Start job score\\\" failed'",
            "steps.start-train.outcome != 'success' && 'job score comes after job train, which was not deployed'",
            "steps.start-score.outcome != 'success' && 'job score was not deployed' || '' }}",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn many_entities_fit_into_several_texts_and_one_summary() {
        let mut chains: Vec<Chain> = (0..300)
            .map(|at| chain(&format!("job-{at}"), &[]))
            .collect();
        collect_summaries(&mut chains);
        let step = step(&chains, None, &Onward::Each);
        assert!(step.env.len() > 1);
        for value in step.env.values() {
            let github_workflow::write::Variable::Plain(text) = value else {
                panic!()
            };
            assert!(expression_length(text) <= LONGEST_EXPRESSION);
        }
        assert!(step.run.as_ref().unwrap().starts_with("cat "));
        assert!(chains[299].steps[0].env.contains_key(SUMMARY));
    }
}
