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

/// Reads `order_by`, whose attributes are among `attributes`.
pub(super) fn parse_order(order_by: &[String], attributes: &[&str]) -> Result<Vec<Order>, Refusal> {
    let parts = order_by.iter().flat_map(|text| text.split(','));
    parts
        .map(|part| {
            let part = part.trim();
            let (word, direction) = part.rsplit_once(' ').unwrap_or((part, "ASC"));
            let descending = match direction.to_ascii_uppercase().as_str() {
                "ASC" => false,
                "DESC" => true,
                _ => {
                    return Err(Refusal::invalid(format!(
                        "Invalid order_by clause '{part}'"
                    )));
                }
            };
            Ok(Order {
                key: key(word.trim(), attributes)?,
                descending,
            })
        })
        .collect()
}

/// The order of two results by what `orders` name; what one of them lacks comes last.
pub(super) fn ordering(
    orders: &[Order],
    actual: impl Fn(&Key) -> (Option<Actual>, Option<Actual>),
) -> Ordering {
    let each = orders.iter().map(|order| match actual(&order.key) {
        (Some(one), Some(other)) if order.descending => other.compare(&one),
        (Some(one), Some(other)) => one.compare(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    each.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_ascending_unless_it_says_otherwise() {
        let order = parse_order(&["name".into(), "metrics.rmse DESC".into()], &["name"]).unwrap();
        assert_eq!(
            order.iter().map(|one| one.descending).collect::<Vec<_>>(),
            [false, true]
        );
        assert!(parse_order(&["wobble".into()], &["name"]).is_err());
    }
}
