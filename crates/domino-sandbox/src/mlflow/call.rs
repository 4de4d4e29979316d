//! One call of MLflow's API, and the table of routes that each noun has.

use axum::http::Method;
use serde_json::Value;

use super::input::Input;
use super::refusal::Refusal;

/// One call of a route.
pub(super) struct Call<'a> {
    pub(super) input: Input,
    pub(super) user: &'a str,
    /// Epoch milliseconds.
    pub(super) now: i64,
}

/// A route of the things `T`: its path, its methods, its answer.
pub(super) type Route<T> = (
    &'static str,
    &'static [Method],
    fn(&mut T, &Call) -> Result<Value, Refusal>,
);

/// The answer to `call` of the first of `routes` that has this path and this method; none when no route has the path.
pub(super) fn answer<T>(
    routes: &[Route<T>],
    things: &mut T,
    (method, path): (&Method, &str),
    call: &Call,
) -> Option<Result<Value, Refusal>> {
    let mut known = routes.iter().filter(|known| known.0 == path).peekable();
    known.peek()?;
    let answer = known.find_map(|(_, methods, answer)| methods.contains(method).then_some(answer));
    Some(match answer {
        Some(answer) => answer(things, call),
        None => Err(Refusal::WrongMethod),
    })
}
