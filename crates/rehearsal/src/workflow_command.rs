//! Workflow commands, the `::error file=…::` lines of a step's output, as GitHub's runner reads them.
//!
//! It only reads them; others act on them.

/// What a line of output means to the runner.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Plain output.
    Text,
    /// `::error::`, `::warning::` or `::notice::`.
    Annotation(Annotation),
    /// `::debug::`, shown only to those who ask.
    Debug,
    /// `::group::` with its title.
    Group(String),
    /// `::endgroup::`
    EndGroup,
    /// `::add-mask::`: the value is hidden from now on.
    AddMask(String),
    /// `::set-output::`, deprecated but still working.
    SetOutput(String, String),
    /// A command that GitHub no longer obeys, or that has no effect here; the text is the reason.
    Refused(&'static str),
    /// A command that needs nothing done.
    Nothing,
}

/// A message that GitHub shows at a place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How severe it is.
    pub level: Level,
    /// The property `title=`.
    pub title: Option<String>,
    /// The property `file=`: a path in the repository.
    pub file: Option<String>,
    /// The property `line=`, as the step wrote it.
    pub line: Option<String>,
    /// The message itself.
    pub message: String,
}

impl Annotation {
    /// An error without a place in a file.
    pub fn error(message: String) -> Self {
        Self {
            level: Level::Error,
            title: None,
            file: None,
            line: None,
            message,
        }
    }
}

/// The severity of an annotation, by GitHub's own levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The command `::error::`.
    Error,
    /// The command `::warning::`.
    Warning,
    /// The command `::notice::`.
    Notice,
}

impl std::fmt::Display for Annotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        })?;
        if let Some(file) = &self.file {
            write!(f, " at {file}")?;
            if let Some(line) = &self.line {
                write!(f, ":{line}")?;
            }
        }
        f.write_str(": ")?;
        if let Some(title) = &self.title {
            write!(f, "{title}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Reads the lines of one step, and remembers whether it has stopped commands with `::stop-commands::`.
#[derive(Debug, Default)]
pub struct Reader {
    stopped_by: Option<String>,
}

impl Reader {
    /// What a line means to the runner.
    pub fn read(&mut self, line: &str) -> Line {
        let Some((name, properties, data)) = split(line) else {
            return Line::Text;
        };
        if let Some(token) = &self.stopped_by {
            if name == token.as_str() {
                self.stopped_by = None;
                return Line::Nothing;
            }
            return Line::Text;
        }
        let property = |wanted: &str| {
            properties
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, value)| name.trim().eq_ignore_ascii_case(wanted) && !value.is_empty())
                .map(|(_, value)| unescape(value).replace("%3A", ":").replace("%2C", ","))
        };
        let data = unescape(data);
        match name.to_ascii_lowercase().as_str() {
            level @ ("error" | "warning" | "notice") => Line::Annotation(Annotation {
                level: match level {
                    "error" => Level::Error,
                    "warning" => Level::Warning,
                    _ => Level::Notice,
                },
                title: property("title"),
                file: property("file"),
                line: property("line"),
                message: data,
            }),
            "debug" => Line::Debug,
            "group" => Line::Group(data),
            "endgroup" => Line::EndGroup,
            "add-mask" => Line::AddMask(data),
            "set-output" => match property("name") {
                Some(name) => Line::SetOutput(name, data),
                None => Line::Refused("`::set-output::` needs a name"),
            },
            "set-env" => Line::Refused("GitHub no longer carries out `::set-env::`"),
            "add-path" => Line::Refused("GitHub no longer carries out `::add-path::`"),
            "stop-commands" => {
                self.stopped_by = Some(data);
                Line::Nothing
            }
            // They change what GitHub's own log looks like, and what an action's `post` step sees.
            "echo" | "add-matcher" | "remove-matcher" | "save-state" => Line::Nothing,
            _ => Line::Text,
        }
    }
}

/// Name, properties and data of `::name key=value,…::data`.
fn split(line: &str) -> Option<(&str, &str, &str)> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    Some((name, properties, data))
}

fn unescape(text: &str) -> String {
    // The per cent sign is decoded last, or `%250A` would become a line end.
    text.replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Line {
        Reader::default().read(line)
    }

    #[test]
    fn commands_are_told_from_output() {
        for (line, wanted) in [
            ("hello", Line::Text),
            ("a ::error::b", Line::Text),
            ("::unknown::x", Line::Text),
            ("::error", Line::Text),
            ("", Line::Text),
            ("::group::Build it", Line::Group("Build it".into())),
            ("  ::endgroup::", Line::EndGroup),
            ("::add-mask::s3cret%25", Line::AddMask("s3cret%".into())),
            ("::ADD-MASK::s3cret", Line::AddMask("s3cret".into())),
            ("::debug::x", Line::Debug),
            (
                "::set-output name=a::b",
                Line::SetOutput("a".into(), "b".into()),
            ),
            ("::add-matcher::x.json", Line::Nothing),
        ] {
            assert_eq!(read(line), wanted, "{line:?}");
        }
        assert!(matches!(read("::set-env name=a::b"), Line::Refused(_)));
    }

    #[test]
    fn an_annotation_keeps_its_place_and_its_line_ends() {
        let Line::Annotation(annotation) = read(
            "::error file=stages.toml,line=41,title=No%3A such%2C tier::one%0Atwo 100%25 %250A",
        ) else {
            panic!("not an annotation");
        };
        assert_eq!(
            annotation.to_string(),
            "error at stages.toml:41: No: such, tier: one\ntwo 100% %0A"
        );
    }

    #[test]
    fn stopped_commands_are_output_until_the_token() {
        let mut reader = Reader::default();
        assert_eq!(reader.read("::stop-commands::pause"), Line::Nothing);
        assert_eq!(reader.read("::error::no"), Line::Text);
        assert_eq!(reader.read("::pause::"), Line::Nothing);
        assert_eq!(reader.read("::endgroup::"), Line::EndGroup);
    }
}
