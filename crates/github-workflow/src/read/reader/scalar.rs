//! Values of one kind: texts without `${{ }}`, booleans, numbers, names that differ by more than case.

use super::{Map, Reader};
use crate::read::Field;
use crate::yaml::{Kind, Node};

impl Reader<'_> {
    /// A text that GitHub takes literally.
    pub(super) fn plain(&mut self, node: &Node, what: &str) -> Option<String> {
        match node.text() {
            Some(text) if !text.contains("${{") => Some(text),
            Some(_) => {
                self.problem(node.line, format!("`{what}` takes no `${{{{ }}}}`"));
                None
            }
            None => {
                self.problem(node.line, format!("`{what}` must be a text"));
                None
            }
        }
    }

    /// The same as a field.
    pub(super) fn plain_field(&mut self, node: &Node, what: &str) -> Option<Field> {
        self.plain(node, what)?;
        self.field(node, what)
    }

    /// One such text or a list of them, none of them empty.
    pub(super) fn plain_texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let texts: Vec<String> = items
            .iter()
            .filter_map(|item| self.plain(item, what))
            .collect();
        if texts.iter().any(String::is_empty) {
            self.problem(node.line, format!("`{what}` is empty"));
        }
        texts
    }

    /// A text that is not empty.
    pub(super) fn filled(&mut self, node: &Node, what: &str) -> Option<Field> {
        let field = self.field(node, what)?;
        if field.template.source.is_empty() {
            self.problem(node.line, format!("`{what}` is empty"));
        }
        Some(field)
    }

    /// `true`, `false`, or an expression that gives one of them.
    pub(super) fn switch(&mut self, node: &Node, what: &str) -> Option<Field> {
        let field = self.field(node, what)?;
        let is_switch = matches!(node.kind, Kind::Bool(_)) || is_expression(&field);
        if !is_switch {
            self.problem(node.line, format!("`{what}` must be true or false"));
        }
        Some(field)
    }

    /// A number, or an expression that gives one.
    pub(super) fn number(&mut self, node: &Node, what: &str) -> Option<Field> {
        let field = self.field(node, what)?;
        let is_number = matches!(node.kind, Kind::Number(_)) || is_expression(&field);
        if !is_number {
            self.problem(node.line, format!("`{what}` must be a number"));
        }
        Some(field)
    }

    /// Names that a file chooses itself must differ: GitHub compares them without case.
    pub(super) fn distinct(&mut self, map: &Map<'_>) {
        for (index, (name, node)) in map.entries.iter().enumerate() {
            let before = &map.entries[..index];
            if let Some((other, _)) = before
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                let text = format!(
                    "{} has `{name}` and `{other}`, which are one name",
                    map.what
                );
                self.problem(node.line, text);
            }
        }
    }
}

fn is_expression(field: &Field) -> bool {
    field.template.expressions().next().is_some()
}
