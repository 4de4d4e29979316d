//! The functions of GitHub's expressions: their names, and those that need nothing but their arguments.

use crate::value::{Value, same_ignoring_case, upper};

/// Every function, with the fewest and most arguments that it takes.
pub const FUNCTIONS: [(&str, usize, usize); 13] = [
    ("success", 0, 0),
    ("failure", 0, 0),
    ("cancelled", 0, 0),
    ("always", 0, 0),
    // Pairs of a condition and a value, and the value if no condition is true: always an odd number.
    ("case", 3, usize::MAX),
    ("contains", 2, 2),
    ("startsWith", 2, 2),
    ("endsWith", 2, 2),
    ("format", 1, 255),
    ("join", 1, 2),
    ("toJSON", 1, 1),
    ("fromJSON", 1, 1),
    ("hashFiles", 1, 255),
];

/// A function's own spelling and how many arguments it takes, by its name in any case.
///
/// # Errors
/// When there is no such function, or a rehearsal does not support it.
pub fn known_function(name: &str) -> Result<(&'static str, usize, usize), String> {
    FUNCTIONS
        .into_iter()
        .find(|(known, _, _)| same_ignoring_case(known, name))
        .ok_or_else(|| format!("function `{name}` is not known"))
}

/// Checks that a function takes this many arguments.
///
/// # Errors
/// A sentence when it does not.
pub fn check_arguments(name: &str, count: usize) -> Result<&'static str, String> {
    let (known, fewest, most) = known_function(name)?;
    if !(fewest..=most).contains(&count) || (known == "case" && count.is_multiple_of(2)) {
        return Err(format!("`{known}` does not take {count} arguments"));
    }
    Ok(known)
}

/// `case`: the value after the first condition that is true, or the last argument.
///
/// # Errors
/// A condition that is neither true nor false.
pub fn case(arguments: &[Value]) -> Result<Value, String> {
    let (default, pairs) = arguments.split_last().ok_or("`case` takes arguments")?;
    for pair in pairs.chunks_exact(2) {
        match &pair[0] {
            Value::Bool(true) => return Ok(pair[1].clone()),
            Value::Bool(false) => {}
            other => {
                return Err(format!(
                    "a condition of `case` is `{}`: it takes true or false",
                    other.to_text()
                ));
            }
        }
    }
    Ok(default.clone())
}

/// `contains`: a part of a text, or an item of a list.
pub fn contains(search: &Value, item: &Value) -> bool {
    match search.items() {
        Some(items) => items.iter().any(|candidate| candidate.equals(item)),
        None if search.is_primitive() && item.is_primitive() => search
            .to_text()
            .to_lowercase()
            .contains(&item.to_text().to_lowercase()),
        None => false,
    }
}

/// Two texts converted so that they compare without case; absent if one of the arguments has no text.
pub fn folded(arguments: &[Value]) -> Option<(String, String)> {
    let [text, part] = arguments else { return None };
    (text.is_primitive() && part.is_primitive())
        .then(|| (upper(&text.to_text()), upper(&part.to_text())))
}

/// `join`: the items of a list with something between them.
pub fn join(arguments: &[Value]) -> String {
    let list = &arguments[0];
    match list.items() {
        Some(items) => {
            let separator = match arguments.get(1) {
                Some(separator) if separator.is_primitive() => separator.to_text(),
                _ => ",".into(),
            };
            items
                .iter()
                .map(Value::to_text)
                .collect::<Vec<_>>()
                .join(&separator)
        }
        None if list.is_primitive() => list.to_text(),
        None => String::new(),
    }
}

/// `format`: a pattern with its `{0}`, `{1}`, … filled in.
///
/// # Errors
/// A pattern that GitHub would not understand, or an argument that is missing.
pub fn format(arguments: &[Value]) -> Result<String, String> {
    let pattern = arguments[0].to_text();
    let invalid = || format!("`format` does not understand `{pattern}`");
    let mut text = String::new();
    let mut rest = pattern.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
        } else if brace == "{" {
            let end = rest.find('}').ok_or_else(invalid)?;
            let digits = &rest[..end];
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(invalid());
            }
            let index: usize = digits.parse().map_err(|_| invalid())?;
            let argument = arguments.get(index + 1).ok_or_else(|| {
                format!("`format` was given no argument {{{index}}} for `{pattern}`")
            })?;
            text.push_str(&argument.to_text());
            rest = &rest[end + 1..];
        } else {
            return Err(invalid());
        }
    }
    text.push_str(rest);
    Ok(text)
}
