//! A name that is not in the file, and the nearest existing one.

use std::fmt;

/// A stage, job, app or model that was asked for by a name the stage file does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What was looked for: `stage`, `job`, `app` or `model`.
    pub kind: &'static str,
    /// The name as asked.
    pub asked: String,
    /// The name that was most likely meant.
    pub nearest: Option<String>,
    /// Every name there is, in the order of the file.
    pub known: Vec<String>,
}

impl UnknownName {
    /// An error that `asked` is none of `known`.
    pub fn new<'a>(
        kind: &'static str,
        asked: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        let nearest = nearest(asked, known.iter().map(String::as_str)).map(str::to_owned);
        Self {
            kind,
            asked: asked.to_owned(),
            nearest,
            known,
        }
    }
}

impl std::error::Error for UnknownName {}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no {} {} in the stage file",
            self.kind,
            super::text::displayed(&self.asked)
        )?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        }
        match &self.known[..] {
            [] => write!(f, " (it has none)"),
            [only] if Some(only) == self.nearest.as_ref() => Ok(()),
            known => write!(f, " (it has {})", listed(known)),
        }
    }
}

/// Names in backticks, with commas between.
pub(super) fn listed<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    names.join(", ")
}

/// The known name that is nearest to the asked one, ignoring case; `None` if none is near.
pub fn nearest<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The comparison takes time proportional to the square of the length, and no typing mistake is that long.
    if asked.len() > 100 {
        return None;
    }
    let asked = asked.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let likeness = strsim::normalized_damerau_levenshtein(&asked, &lower)
                .max(strsim::jaro_winkler(&asked, &lower) - 0.2);
            (name, likeness)
        })
        .filter(|(_, likeness)| *likeness >= 0.6)
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_name_that_was_meant() {
        let keys = [
            "host",
            "project",
            "hardware-tier",
            "data-plane",
            "environment",
        ];
        assert_eq!(nearest("hardware-teir", keys), Some("hardware-tier"));
        assert_eq!(nearest("hardware_tier", keys), Some("hardware-tier"));
        assert_eq!(nearest("Projekt", keys), Some("project"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest(&"h".repeat(10_000), keys), None);
    }

    #[test]
    fn an_unknown_name_is_shown_with_the_nearest_and_all_known_ones() {
        let unknown = UnknownName::new("stage", "prdo", ["dev", "staging", "prod"]);
        assert_eq!(
            unknown.to_string(),
            "no stage `prdo` in the stage file; did you mean `prod`? (it has `dev`, `staging`, `prod`)"
        );
        let unknown = UnknownName::new("app", "x\u{1b}[2J", []);
        assert_eq!(
            unknown.to_string(),
            "no app `x\\u{1b}[2J` in the stage file (it has none)"
        );
    }
}
