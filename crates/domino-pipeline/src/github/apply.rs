//! Carries out plans, one write after the other. If it stops in between, it says what was done and what was not.

use domino_core::error::{CommandError, Context, Result};
use domino_core::github::EnvironmentWriter;
use domino_core::step::{Interrupts, Step, Through};

use super::difference::{EnvironmentPlan, Write};
use super::sealed::seal;
use super::secret::Values;
use super::wanted::VARIABLE;

/// Carries out the writes of all plans.
pub(crate) async fn apply(
    plans: &[EnvironmentPlan<'_>],
    values: &Values,
    step: &mut Step,
) -> Result<()> {
    let mut interrupts = Interrupts::listen()?;
    let all: Vec<(&EnvironmentPlan<'_>, &Write)> = plans
        .iter()
        .flat_map(|plan| plan.writes.iter().map(move |write| (plan, write)))
        .collect();
    for (at, (plan, write)) in all.iter().enumerate() {
        let stopped = match interrupts.finish(perform(plan, write, values)).await {
            Through::Completed(Ok(())) => None,
            Through::Completed(Err(error)) => Some((at, error)),
            Through::Interrupted(signal, done) => {
                let error = CommandError::new(signal.exit(), "interrupted");
                Some(match done {
                    Some(Ok(())) => (at + 1, error),
                    Some(Err(cause)) => (at, cause.context(error)),
                    None => (at, error),
                })
            }
        };
        if let Some((done, error)) = stopped {
            step.report.fact("done", named(&all[..done]));
            step.report.fact("not done", named(&all[done..]));
            let (done, count) = (done, all.len());
            let exit = error.exit();
            let told = format!("the set-up is not whole: {done} of {count} writes were made");
            return Err(error.context(CommandError::new(exit, told)));
        }
        step.say(&format!(
            "{} {}: {write} written",
            plan.repository.name, plan.environment
        ));
    }
    Ok(())
}

/// `example-org/wine DEV: rules, branches; …`.
fn named(writes: &[(&EnvironmentPlan<'_>, &Write)]) -> String {
    let mut text = String::new();
    let mut last = None;
    for (plan, write) in writes {
        let place = (&plan.repository.name, plan.environment);
        match last {
            None => text += &format!("{} {}: {write}", place.0, place.1),
            Some(before) if before == place => text += &format!(", {write}"),
            Some(_) => text += &format!("; {} {}: {write}", place.0, place.1),
        }
        last = Some(place);
    }
    if text.is_empty() {
        text += "nothing";
    }
    text
}

/// Makes one write.
pub(crate) async fn perform(
    plan: &EnvironmentPlan<'_>,
    write: &Write,
    values: &Values,
) -> Result<()> {
    let environments = &plan.repository.environments;
    let writer = EnvironmentWriter::of(environments);
    let name = plan.environment;
    match write {
        Write::Rules { rules, before } => writer.set_rules(name, rules, before.as_ref()).await,
        Write::Branches { branch } => only(plan, &writer, branch).await,
        Write::Variable { value, is_there } => {
            writer.set_variable(name, VARIABLE, value, *is_there).await
        }
        Write::Secret {
            name: secret,
            before,
            ..
        } => {
            let value = values.of(&plan.stage.name, secret).ok_or_else(|| {
                CommandError::message(format!("the value of secret `{secret}` was not read"))
            })?;
            let key = environments.public_key(name).await?;
            let sealed = seal(value, &key).context(CommandError::message(format!(
                "cannot seal secret `{secret}`"
            )))?;
            writer
                .set_secret(name, secret, &key, &sealed, before.as_ref())
                .await
        }
    }
}

/// Closes all other branches, and opens the one. The present policies are read again: earlier policies become
/// effective again once an environment names branches.
async fn only(
    plan: &EnvironmentPlan<'_>,
    writer: &EnvironmentWriter<'_>,
    branch: &str,
) -> Result<()> {
    let name = plan.environment;
    let policies = plan.repository.environments.branch_policies(name).await?;
    for policy in policies.iter().filter(|one| !one.is_branch(branch)) {
        writer.close_branch(name, policy).await?;
    }
    if !policies.iter().any(|one| one.is_branch(branch)) {
        writer.open_branch(name, branch).await?;
    }
    Ok(())
}
