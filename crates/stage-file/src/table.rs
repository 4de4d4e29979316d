//! A table of a stage file over the table that answers where it is silent, and its values by their kinds.
//!
//! A value of another kind is left out here; `shape.rs` reports it.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as WordError;
use toml::de::{DeTable, DeValue};

use super::{ComputeEnvironment, Revision, Runner};

/// A table, and the table below it that answers where it is silent.
#[derive(Clone, Copy)]
pub(super) struct Table<'a, 't> {
    pub(super) own: Option<&'a DeTable<'t>>,
    pub(super) under: Option<&'a DeTable<'t>>,
}

impl<'a, 't> Table<'a, 't> {
    pub(super) fn get(self, key: &str) -> Option<&'a DeValue<'t>> {
        get(self.own, key).or_else(|| get(self.under, key))
    }

    pub(super) fn text(self, key: &str) -> Option<String> {
        Some(self.get(key)?.as_str()?.to_owned())
    }

    pub(super) fn parsed<T: FromStr>(self, key: &str) -> Option<T> {
        self.get(key)?.as_str()?.parse().ok()
    }

    /// A word as the type's own names for its values.
    pub(super) fn word<T: for<'de> Deserialize<'de>>(self, key: &str) -> Option<T> {
        let word: &str = self.get(key)?.as_str()?;
        T::deserialize(IntoDeserializer::<WordError>::into_deserializer(word)).ok()
    }

    pub(super) fn number<T: TryFrom<i64>>(self, key: &str) -> Option<T> {
        T::try_from(whole_number(self.get(key)?)?).ok()
    }

    pub(super) fn flag(self, key: &str) -> bool {
        self.flag_or(key, false)
    }

    pub(super) fn flag_or(self, key: &str, otherwise: bool) -> bool {
        self.bool(key).unwrap_or(otherwise)
    }

    pub(super) fn bool(self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    /// The list, where the key is there.
    pub(super) fn texts_if_any(self, key: &str) -> Option<Vec<String>> {
        self.get(key).map(|_| self.texts(key))
    }

    pub(super) fn texts(self, key: &str) -> Vec<String> {
        let items = self.get(key).and_then(|value| value.as_array());
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.get_ref().as_str())
            .map(str::to_owned)
            .collect()
    }

    /// The tables below a key; those of the stage go before those of the defaults, key by key.
    pub(super) fn table(self, key: &str) -> Table<'a, 't> {
        let below = |table| get(table, key).and_then(|value| value.as_table());
        Table {
            own: below(self.own),
            under: below(self.under),
        }
    }

    pub(super) fn named<T>(self, key: &str, read: impl Fn(&str, Table<'a, 't>) -> T) -> Vec<T> {
        let tables = self.table(key).own.into_iter().flatten();
        tables
            .filter_map(|(name, value)| Some((name, value.get_ref().as_table()?)))
            .map(|(name, table)| {
                read(
                    name.get_ref(),
                    Table {
                        own: Some(table),
                        under: None,
                    },
                )
            })
            .collect()
    }

    pub(super) fn variables(self) -> BTreeMap<String, String> {
        let variables = self
            .table("environment-variables")
            .own
            .into_iter()
            .flatten();
        variables
            .filter_map(|(name, value)| {
                Some((
                    name.get_ref().to_string(),
                    value.get_ref().as_str()?.to_owned(),
                ))
            })
            .collect()
    }

    /// A string names the tier of every kind, a table that of each.
    pub(super) fn tier(self, kind: &str) -> Option<String> {
        let of = |table| match get(table, "hardware-tier")? {
            DeValue::String(tier) => Some(tier.to_string()),
            DeValue::Table(tiers) => Some(tiers.get(kind)?.get_ref().as_str()?.to_owned()),
            _ => None,
        };
        of(self.own).or_else(|| of(self.under))
    }

    /// A string is one label, a list several; a table may name a group too.
    pub(super) fn runner(self) -> Option<Runner> {
        let labels = |value: &DeValue<'_>| match value {
            DeValue::String(label) => vec![label.to_string()],
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| item.get_ref().as_str())
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        Some(match self.get("runner")? {
            DeValue::Table(table) => Runner {
                labels: get(Some(table), "labels").map(labels).unwrap_or_default(),
                group: get(Some(table), "group")?.as_str().map(str::to_owned),
            },
            value => Runner {
                labels: labels(value),
                group: None,
            },
        })
    }

    pub(super) fn environment(self) -> Option<ComputeEnvironment> {
        let (id_or_name, revision) = match self.get("environment")? {
            DeValue::String(name) => (name.to_string(), None),
            DeValue::Table(table) => {
                let table = Table {
                    own: Some(table),
                    under: None,
                };
                (table.text("name")?, table.text("revision"))
            }
            _ => return None,
        };
        let revision = match revision.as_deref() {
            None | Some("active") => Revision::Active,
            Some("latest") => Revision::Latest,
            Some("as-before") => Revision::AsBefore,
            Some(id) => Revision::Id(id.to_owned()),
        };
        Some(ComputeEnvironment {
            id_or_name,
            revision,
        })
    }
}

fn get<'a, 't>(table: Option<&'a DeTable<'t>>, key: &str) -> Option<&'a DeValue<'t>> {
    Some(table?.get(key)?.get_ref())
}

/// The number, when the value is a whole one and not too large: `2`, or `2.0`, which JSON cannot tell from it.
pub(super) fn whole_number(value: &DeValue<'_>) -> Option<i64> {
    if let DeValue::Float(number) = value {
        let number: f64 = number.as_str().parse().ok()?;
        let fits = number.fract() == 0.0 && number.abs() < 2_f64.powi(53);
        return fits.then_some(number as i64);
    }
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
