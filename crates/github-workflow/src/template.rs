//! Texts with `${{ }}` in them, split into literal text and expressions.

use crate::expression::Expression;
use crate::limits::{LONGEST_EXPRESSION, closing, expression_length};

/// A text with `${{ }}` in it.
#[derive(Debug, Clone)]
pub struct Template {
    /// The text as it was written.
    pub source: String,
    /// Its pieces, in order.
    pub parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// What was between `${{` and `}}`, parsed.
    Expression(Expression),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// As [`Expression::parse`], or an expression that is not closed or is longer than GitHub accepts.
    pub fn parse(source: &str) -> Result<Self, String> {
        let length = expression_length(source);
        if length > LONGEST_EXPRESSION {
            return Err(format!(
                "GitHub makes an expression of {length} characters of it, and takes at most {LONGEST_EXPRESSION}"
            ));
        }
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some(start) = rest.find("${{") {
            if start > 0 {
                parts.push(Part::Text(rest[..start].to_owned()));
            }
            let inner = &rest[start + 3..];
            let end = closing(inner)
                .ok_or_else(|| format!("`${{{{` is not closed in `{}`", source.trim()))?;
            parts.push(Part::Expression(Expression::parse(&inner[..end])?));
            rest = &inner[end + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self {
            source: source.to_owned(),
            parts,
        })
    }

    /// Its expressions, in the order of the text.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Expression(expression) => Some(expression),
            Part::Text(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn a_template_is_split_at_its_expressions_and_not_within_their_strings() {
        let template = Template::parse("a ${{ github.sha }}-${{ '}}' }} z").unwrap();
        assert_eq!(template.parts.len(), 5);
        assert!(
            matches!(&template.parts[3], Part::Expression(Expression::Literal(Value::String(text))) if text == "}}")
        );
        assert!(
            Template::parse("a ${{ github.sha }")
                .unwrap_err()
                .contains("not closed")
        );
        assert_eq!(Template::parse("${ HOME } {{ x }}").unwrap().parts.len(), 1);
    }
}
