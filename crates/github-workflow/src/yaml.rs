//! A YAML document as a tree that keeps lines and the order of keys, so that every problem has a place.
//!
//! Scalars have the kinds of YAML 1.2, which GitHub reads: `on` and `yes` are words, not booleans.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::value::Value;

/// A value and its line.
#[derive(Debug, Clone)]
pub struct Node {
    /// Counted from 1.
    pub line: u64,
    /// The value.
    pub kind: Kind,
}

/// The kinds of node.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// Text.
    String(String),
    /// A list, in the order of the file.
    List(Vec<Node>),
    /// Keys and values in the order of the file.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Reads one document.
    ///
    /// # Errors
    /// The parser's own words, with the place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options::<Spanned<Kind>>(text, options)
            .map(Self::from)
            .map_err(|error| error.to_string())
    }

    /// The text of a scalar as GitHub would have it; absent for lists and maps.
    pub fn text(&self) -> Option<String> {
        Some(match &self.kind {
            Kind::Null => String::new(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(value) => Value::Number(*value).to_text(),
            Kind::String(value) => value.clone(),
            Kind::List(_) | Kind::Map(_) => return None,
        })
    }
}

impl From<Spanned<Kind>> for Node {
    fn from(spanned: Spanned<Kind>) -> Self {
        Self {
            line: spanned.referenced.line(),
            kind: spanned.value,
        }
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Kind>>()? {
            list.push(item.into());
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            map.push((key, entries.next_value::<Spanned<Kind>>()?.into()));
        }
        Ok(Kind::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_lines_order_and_kinds() {
        let node = Node::parse(
            "# note\n\"on\":\n  push: # here\nz: yes\na: [1, 1.50, true, ~, 'x', 0755]\nrun: |\n  two\n  lines\n",
        )
        .unwrap();
        let Kind::Map(entries) = &node.kind else {
            panic!("{node:?}")
        };
        let keys: Vec<(&str, u64)> = entries
            .iter()
            .map(|(key, node)| (key.as_str(), node.line))
            .collect();
        assert_eq!(keys[0].0, "on");
        assert_eq!(keys[1], ("z", 4));
        assert_eq!(keys[2], ("a", 5));
        assert_eq!(entries[1].1.text().unwrap(), "yes");
        let Kind::List(items) = &entries[2].1.kind else {
            panic!("{entries:?}")
        };
        let texts: Vec<String> = items.iter().filter_map(Node::text).collect();
        assert_eq!(&texts[..5], ["1", "1.5", "true", "", "x"]);
        assert_eq!(entries[3].1.text().unwrap(), "two\nlines\n");
    }

    #[test]
    fn on_without_quotes_is_a_word() {
        let node = Node::parse("on: push\noff: NO\n").unwrap();
        let Kind::Map(entries) = &node.kind else {
            panic!("{node:?}")
        };
        assert_eq!(entries[0].0, "on");
        assert_eq!(entries[1].1.text().unwrap(), "NO");
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        assert!(Node::parse("a: 1\na: 2\n").is_err());
        assert!(Node::parse("a: [1\n").is_err());
    }
}
