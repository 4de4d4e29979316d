//! The order expressions of MLflow's searches: `order_by`, and the order of two results by it.

use std::cmp::Ordering;

use super::filter::{Actual, Key, key};
use super::refusal::Refusal;

/// One thing to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) key: Key,
    pub(super) descending: bool,
}

/// What a search may be ordered by.
pub(super) struct Sortable<'a> {
    pub(super) attributes: &'a [&'a str],
    /// What may stand before an attribute, with a point.
    pub(super) prefixes: &'a [&'a str],
    /// Whether there are tags, parameters and metrics, too.
    pub(super) has_measurements: bool,
    /// Whether a thing may be named twice; where not, MLflow fails.
    pub(super) repeats: bool,
}

/// Reads `order_by`, a text for each thing to order by.
pub(super) fn parse_order(
    order_by: &[String],
    sortable: &Sortable<'_>,
) -> Result<Vec<Order>, Refusal> {
    let orders: Vec<Order> = order_by
        .iter()
        .map(|part| {
            let part = part.trim();
            let invalid = || Refusal::invalid(format!("Invalid order_by clause '{part}'"));
            let (word, direction) = part.rsplit_once(' ').unwrap_or((part, "ASC"));
            let descending = match direction.to_ascii_uppercase().as_str() {
                "ASC" => false,
                "DESC" => true,
                _ => return Err(invalid()),
            };
            let word = word.trim();
            if word.contains(char::is_whitespace) && !word.contains(['`', '"']) {
                return Err(invalid());
            }
            let key = key(word, sortable.attributes, sortable.prefixes)?;
            match &key {
                Key::Attribute(_) => {}
                Key::DataSet(_) => return Err(invalid()),
                _ if !sortable.has_measurements => return Err(invalid()),
                _ => {}
            }
            Ok(Order { key, descending })
        })
        .collect::<Result<_, _>>()?;
    let is_repeated = |(at, order): (usize, &Order)| {
        let before = orders.iter().take(at);
        before.into_iter().any(|other| other.key == order.key)
    };
    match !sortable.repeats && orders.iter().enumerate().any(is_repeated) {
        true => Err(Refusal::internal("`order_by` contains duplicate fields")),
        false => Ok(orders),
    }
}

/// The order of two results by what `orders` name. What one of them lacks comes last, and before that what is no number.
pub(super) fn ordering(
    orders: &[Order],
    actual: impl Fn(&Key) -> (Option<Actual>, Option<Actual>),
) -> Ordering {
    let rank = |value: &Option<Actual>| match value {
        Some(Actual::Number(number)) if number.is_nan() => 1,
        Some(_) => 0,
        None => 2,
    };
    let each = orders.iter().map(|order| {
        let (one, other) = actual(&order.key);
        let by_value = match (&one, &other) {
            (Some(one), Some(other)) if order.descending => other.compare(one),
            (Some(one), Some(other)) => one.compare(other),
            _ => Ordering::Equal,
        };
        rank(&one).cmp(&rank(&other)).then(by_value)
    });
    each.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_ascending_unless_it_says_otherwise() {
        let sortable = Sortable {
            attributes: &["name"],
            prefixes: &[],
            has_measurements: true,
            repeats: false,
        };
        let order = parse_order(&["name".into(), "metrics.rmse DESC".into()], &sortable).unwrap();
        assert_eq!(
            order.iter().map(|one| one.descending).collect::<Vec<_>>(),
            [false, true]
        );
        assert!(parse_order(&["wobble".into()], &sortable).is_err());
    }
}
