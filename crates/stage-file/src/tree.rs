//! The text of a stage file as TOML tables that know their places.
//!
//! It finds keys, lines and the words that name a key to a person. It knows only one rule of the file: what a stage
//! does not say, `[defaults]` says.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::text::{displayed, is_invisible, looks_secret, names_secret};

/// A parsed stage file with the place of every key.
#[derive(Debug)]
pub(super) struct Tree<'t> {
    root: DeTable<'t>,
    /// Where each line but the first begins, in bytes.
    line_starts: Vec<usize>,
}

/// The value at the end of a key path, or as far along it as the file goes.
#[derive(Debug)]
pub(super) struct KeyMatch<'a, 't> {
    /// The path that was followed: into `[defaults]` if that decides.
    pub path: Vec<String>,
    /// How much of the path exists.
    pub depth: usize,
    /// The position of the last existing key, in bytes.
    offset: Option<usize>,
    /// The value, if the whole path exists.
    pub value: Option<&'a DeValue<'t>>,
}

/// A text in the file, and its place.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    /// The keys that lead to it.
    pub keys: Vec<&'a str>,
    /// Its position in a list, if it is in one.
    pub index: Option<usize>,
    pub text: &'a str,
}

impl Leaf<'_> {
    /// The keys, and the index for an item of a list.
    pub fn path(&self) -> Vec<String> {
        let index = self.index.map(|index| index.to_string());
        self.keys
            .iter()
            .map(|key| (*key).to_owned())
            .chain(index)
            .collect()
    }
}

/// Why the text is not TOML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub line: Option<usize>,
    pub message: String,
}

impl<'t> Tree<'t> {
    /// Reads the text as TOML.
    pub fn parse(text: &'t str) -> Result<Self, SyntaxError> {
        match DeTable::parse(text) {
            Ok(root) => Ok(Self {
                root: dates_as_text(root.into_inner(), text),
                line_starts: text.match_indices('\n').map(|(at, _)| at + 1).collect(),
            }),
            Err(error) => Err(syntax_error(text, &error)),
        }
    }

    /// The table that holds everything.
    pub fn root(&self) -> &DeTable<'t> {
        &self.root
    }

    /// Follows a key path, into `[defaults]` if the stage itself does not have the key. The index of a list's item
    /// may be at the end.
    pub fn find<S: AsRef<str>>(&self, path: &[S]) -> KeyMatch<'_, 't> {
        let path: Vec<String> = path.iter().map(|key| key.as_ref().to_owned()).collect();
        let (own, silent) = self.walk(path);
        let ["stage", _, rest @ ..] = &own.path.iter().map(String::as_str).collect::<Vec<_>>()[..]
        else {
            return own;
        };
        if !silent || rest.is_empty() {
            return own;
        }
        let inherited = std::iter::once("defaults").chain(rest.iter().copied());
        let (inherited, _) = self.walk(inherited.map(str::to_owned).collect());
        // Both depths are counted without the words that lead to the table.
        if inherited.depth > own.depth.saturating_sub(1) {
            inherited
        } else {
            own
        }
    }

    /// The value at exactly this path, without `[defaults]`.
    pub fn own<S: AsRef<str>>(&self, path: &[S]) -> Option<&DeValue<'t>> {
        self.walk(path.iter().map(|key| key.as_ref().to_owned()).collect())
            .0
            .value
    }

    /// The text at exactly this path.
    pub fn own_text<S: AsRef<str>>(&self, path: &[S]) -> Option<&str> {
        self.own(path)?.as_str()
    }

    /// The line of a key, or of the nearest existing key above it.
    pub fn line<S: AsRef<str>>(&self, path: &[S]) -> Option<usize> {
        Some(self.line_at(self.find(path).offset?))
    }

    /// The line that contains a byte of the text.
    pub fn line_at(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset) + 1
    }

    /// The path of the key that decides: the requested one, the one in `[defaults]`, or one above it that answers for
    /// it.
    pub fn deciding_key<S: AsRef<str>>(&self, path: &[S]) -> Vec<String> {
        let found = self.find(path);
        match found.path.get(..found.depth) {
            // A string answers for everything that a table in its place would contain.
            Some(scalar) if self.own_text(scalar).is_some() => scalar.to_vec(),
            _ => found.path,
        }
    }

    /// Every text in the file.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = Vec::new();
        gather(&mut Vec::new(), &self.root, &mut leaves);
        leaves
    }

    /// The names of the tables of one kind, such as the stages below `stage`, in the order of the file.
    pub fn names(&self, kind: &str) -> Vec<&str> {
        self.keys(&[kind])
    }

    /// The keys of a table, in the order of the file; empty if the table does not exist.
    pub fn keys(&self, path: &[&str]) -> Vec<&str> {
        match self.own(path) {
            Some(DeValue::Table(table)) => table.keys().map(|key| key.get_ref().as_ref()).collect(),
            _ => Vec::new(),
        }
    }

    /// The path, and whether it ended because a table does not have the next key: a scalar in the middle
    /// (`hardware-tier = "small"`) answers for everything below it.
    fn walk(&self, path: Vec<String>) -> (KeyMatch<'_, 't>, bool) {
        let mut table = Some(&self.root);
        let mut list: Option<&DeArray<'t>> = None;
        let mut value = None;
        let mut offset = None;
        let mut depth = 0;
        let mut silent = false;
        for key in &path {
            let next = if let Some(table) = table {
                silent = !table.contains_key(key.as_str());
                table
                    .get_key_value(key.as_str())
                    .map(|(key, value)| (key.span().start, value.get_ref()))
            } else if let Some(list) = list {
                let item = key.parse().ok().and_then(|index: usize| list.get(index));
                item.map(|item| (item.span().start, item.get_ref()))
            } else {
                None
            };
            let Some((start, next)) = next else { break };
            offset = Some(start);
            depth += 1;
            value = Some(next);
            (table, list) = match next {
                DeValue::Table(table) => (Some(table), None),
                DeValue::Array(items) => (None, Some(items)),
                _ => (None, None),
            };
        }
        let value = value.filter(|_| depth == path.len());
        (
            KeyMatch {
                path,
                depth,
                offset,
                value,
            },
            silent,
        )
    }
}

/// A date or time becomes a text of the same spelling, because the JSON Schema and editors accept it as such and do
/// not know dates.
fn dates_as_text<'t>(mut table: DeTable<'t>, text: &'t str) -> DeTable<'t> {
    for (_, value) in &mut table {
        date_as_text(value, text);
    }
    table
}

fn date_as_text<'t>(value: &mut Spanned<DeValue<'t>>, text: &'t str) {
    let span = value.span();
    match value.get_mut() {
        DeValue::Datetime(_) => {
            *value.get_mut() = DeValue::String(text.get(span).unwrap_or_default().into());
        }
        DeValue::Array(items) => items.iter_mut().for_each(|item| date_as_text(item, text)),
        DeValue::Table(table) => {
            *table = dates_as_text(std::mem::take(table), text);
        }
        _ => {}
    }
}

fn gather<'a>(keys: &mut Vec<&'a str>, table: &'a DeTable<'_>, leaves: &mut Vec<Leaf<'a>>) {
    for (key, value) in table {
        keys.push(key.get_ref());
        match value.get_ref() {
            DeValue::String(text) => leaves.push(Leaf {
                keys: keys.clone(),
                index: None,
                text,
            }),
            DeValue::Array(items) => {
                let texts = items.iter().enumerate();
                let texts =
                    texts.filter_map(|(index, item)| Some((index, item.get_ref().as_str()?)));
                leaves.extend(texts.map(|(index, text)| Leaf {
                    keys: keys.clone(),
                    index: Some(index),
                    text,
                }));
            }
            DeValue::Table(table) => gather(keys, table, leaves),
            _ => {}
        }
        keys.pop();
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn syntax_error(text: &str, error: &toml::de::Error) -> SyntaxError {
    // The parser's hints may have several lines, and a problem is one line.
    let message = error
        .message()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let Some(span) = error.span() else {
        return SyntaxError {
            line: None,
            message: format!("not TOML: {message}"),
        };
    };
    let line = line_of(text, span.start);
    let source = text.lines().nth(line - 1).unwrap_or_default().trim();
    let source = if looks_secret(source) || names_secret(source) {
        "the line is not shown, because it may hold a secret".into()
    } else {
        format!("the line is {}", displayed(source))
    };
    SyntaxError {
        line: Some(line),
        message: format!("not TOML: {message}; {source}"),
    }
}

/// A key path in the words of the file: the key, and the header of the table that it belongs to.
///
/// `["stage", "prod", "hardware-tier", "jobs"]` is `hardware-tier.jobs` in `[stage.prod]`.
pub(super) fn words<S: AsRef<str>>(path: &[S]) -> (String, String) {
    let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    let header = match &path[..] {
        ["defaults", "gates", ..] => 2,
        ["stage", _, "gates", ..] => 3,
        ["job" | "app" | "model", _, "stage", _, ..] => 4,
        ["stage" | "job" | "app" | "model", _, ..] => 2,
        _ => 1,
    };
    let header = header.min(path.len());
    let dotted = |keys: &[&str]| {
        keys.iter()
            .map(|key| quoted(key))
            .collect::<Vec<_>>()
            .join(".")
    };
    let mut keys = &path[header..];
    // The index of a list's item tells a person nothing; the message shows the item.
    while let [rest @ .., last] = keys
        && last.parse::<usize>().is_ok()
    {
        keys = rest;
    }
    (dotted(keys), format!("[{}]", dotted(&path[..header])))
}

/// A key path as a message names it: `` `schedule.cron` in `[job.score]` ``, or a table by its header.
pub(super) fn place<S: AsRef<str>>(path: &[S]) -> String {
    let (key, header) = words(path);
    match key.as_str() {
        "" => format!("`{header}`"),
        key => format!("`{key}` in `{header}`"),
    }
}

/// A key as TOML writes it; invisible characters are escaped.
fn quoted(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) {
        return key.to_owned();
    }
    let escaped = |c: char| match u32::from(c) {
        code if is_invisible(c) && code > 0xffff => format!("\\U{code:08x}"),
        code if is_invisible(c) => format!("\\u{code:04x}"),
        _ if matches!(c, '"' | '\\') => format!("\\{c}"),
        _ => c.into(),
    };
    format!("\"{}\"", key.chars().map(escaped).collect::<String>())
}
