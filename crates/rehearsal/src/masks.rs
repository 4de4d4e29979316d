//! What must never be shown: secrets, and values that steps asked to have masked.
//!
//! It hides values in text and does not know where they come from.

/// The text that replaces a masked value.
const MASK: &str = "***";

/// The values that are hidden from everything shown.
#[derive(Debug, Default)]
pub struct Masks {
    values: Vec<String>,
}

impl Masks {
    /// Hides a value from now on, and each of its lines if it has several. An empty value hides nothing.
    pub fn add(&mut self, value: &str) {
        for value in std::iter::once(value).chain(value.lines()) {
            let value = value.trim_matches(['\r', '\n']);
            if !value.trim().is_empty() && !self.values.iter().any(|known| known == value) {
                self.values.push(value.to_owned());
            }
        }
        // A value that contains another one must be replaced first, or its rest would stay readable.
        self.values
            .sort_by_key(|value| std::cmp::Reverse(value.len()));
    }

    /// The text without the hidden values.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in &self.values {
            if text.contains(value.as_str()) {
                text = text.replace(value.as_str(), MASK);
            }
        }
        text
    }

    /// Whether the text contains a hidden value.
    pub fn hides(&self, text: &str) -> bool {
        self.values
            .iter()
            .any(|value| text.contains(value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_values_never_show_whole_or_line_by_line() {
        let mut masks = Masks::default();
        masks.add("key");
        masks.add("key-and-more");
        masks.add("first line\nsecond line\n");
        masks.add("");
        masks.add("  ");
        assert_eq!(masks.apply("a key-and-more, a key."), "a ***, a ***.");
        assert_eq!(masks.apply("x second line y"), "x *** y");
        assert_eq!(masks.apply("nothing here"), "nothing here");
        assert!(masks.hides("my key") && !masks.hides("my  lock"));
    }
}
