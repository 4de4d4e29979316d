//! `deploy-model invoke`: one request to the endpoint, its answer on stdout.

use std::io::Read;
use std::path::{Path, PathBuf};

use domino_core::api::model_apis::ModelApi;
use domino_core::api::model_endpoints::Route;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::{Format, Step, StepContext, StepFlags, StepResult};
use serde_json::Value;

use crate::calls::CallError;
use crate::endpoint::{Endpoint, EndpointAddress, callers_route, endpoint_client};
use crate::token::{Token, VARIABLE};

/// `deploy-model invoke`.
#[derive(Debug, clap::Args)]
pub(crate) struct InvokeArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    /// The request as a file of JSON, `{"data": {…}}` or `{"parameters": […]}`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// One version of the endpoint by its number, in place of the one that serves
    #[arg(long, value_name = "NUMBER")]
    pub(crate) id: Option<u64>,
    #[command(flatten)]
    pub(crate) address: EndpointAddress,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Sends the request and prints what comes back.
pub(crate) async fn invoke(
    step: &mut Step,
    context: &StepContext,
    args: &InvokeArgs,
) -> Result<StepResult> {
    let model = context.file.model(&args.model)?;
    let token = Token::of(&model.name, step);
    let input = input(&args.input)?;
    let reader = context.connection.reader();
    let endpoint = Endpoint::find(&reader, &context.file, &context.stage, model).await?;
    let api = endpoint.existing(&model.name, &context.stage, &context.file)?;
    let route = args.id.map_or(callers_route(api), Route::Number);
    let client = endpoint_client(context, model, &args.address, api, &token)?;
    let prediction = client
        .call(route, &input)
        .await
        .map_err(|error| explained(error, api, &token))?;
    step.report.output("id", api.id.as_str());
    step.report.output("url", client.url(route));
    let answer = prediction.answer.to_string();
    match args.flags.format {
        // The answer is what was asked for; stdout contains nothing else.
        Format::Text => step.log_to_stdout(&answer)?,
        Format::Json | Format::Markdown | Format::Html => {
            step.report.fact("answer", answer);
        }
    }
    Ok(StepResult::unchanged(format!(
        "endpoint `{}` answered after {} ms",
        endpoint.name,
        prediction.took.as_millis()
    )))
}

fn input(path: &Path) -> Result<Value, CommandError> {
    let named = path.display();
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|content| text = content)
    };
    read.map_err(|problem| {
        CommandError::usage(format!("cannot read the request `{named}`: {problem}"))
    })?;
    serde_json::from_str(&text).map_err(|problem| {
        CommandError::usage(format!("the request `{named}` is no JSON: {problem}"))
            .hint("it is `{\"data\": {…}}` with named arguments, or `{\"parameters\": […]}`")
    })
}

/// What an endpoint's refusal means, which differs from a refusal by Domino.
fn explained(error: CallError, api: &ModelApi, token: &Token) -> CommandError {
    let name = &api.name;
    let error = match error {
        CallError::Api(error) => error,
        CallError::Function(why) => {
            let failure = CommandError::failed(format!("the function of endpoint `{name}` failed"));
            return CommandError::message(why).context(failure);
        }
        CallError::NoAnswer(status) => {
            let text = format!("endpoint `{name}` has not answered yet: the request is `{status}`");
            return CommandError::new(Exit::Unsettled, text);
        }
    };
    let failure = match error.status().map(|status| status.as_u16()) {
        Some(401 | 403) if token.is_missing() => CommandError::refused(format!(
            "endpoint `{name}` asks for an access token"
        ))
        .hint(format!(
            "put a token of this very endpoint into `{VARIABLE}`; Domino shows it under the endpoint's settings, Invocation"
        )),
        Some(401 | 403) => CommandError::refused(format!(
            "endpoint `{name}` refused the token in `{VARIABLE}`"
        ))
        .hint("it takes tokens of its own only; Domino shows them under the endpoint's settings, Invocation"),
        Some(400) => CommandError::refused(format!("endpoint `{name}` refused the request"))
            .hint("the function does not take these arguments"),
        Some(404) => CommandError::failed(format!("nothing answers as endpoint `{name}` there")).hint(
            "does a version of it run? An endpoint on a remote data plane has a host of its own: `--endpoint-host`",
        ),
        Some(413) => CommandError::refused(format!("endpoint `{name}` takes no request of this size"))
            .hint("an asynchronous request has about 10 KB: leave the data where the function finds it"),
        Some(500..=599) => CommandError::failed(format!("endpoint `{name}` could not answer"))
            .hint("its log may say why: `deploy-model logs`"),
        _ => CommandError::new(
            match error.exit() {
                Exit::Refused => Exit::Refused,
                _ => Exit::Unreachable,
            },
            format!("endpoint `{name}` gave no usable answer"),
        ),
    };
    CommandError::from(error).context(failure)
}
