//! Chooses one thing from Domino's list by what the stage file calls it: by id first, then by exact name. If several
//! have the name, or none, the error lists what exists.

pub use crate::api::named::Named;
use crate::error::CommandError;

/// An error lists at most this many names.
const LISTED: usize = 8;

/// The one thing that `wanted` means. `noun` is the kind of thing: `hardware tier`.
pub fn choose<'a, T: Named>(
    things: &'a [T],
    wanted: &str,
    noun: &str,
) -> Result<&'a T, CommandError> {
    if let Some(thing) = things.iter().find(|thing| thing.id() == wanted) {
        return Ok(thing);
    }
    let matches: Vec<&T> = things
        .iter()
        .filter(|thing| thing.name() == wanted)
        .collect();
    match matches.as_slice() {
        [one] => Ok(one),
        [] => Err(
            CommandError::refused(format!("there is no {noun} `{wanted}` here"))
                .hint(nearest(things, wanted, noun)),
        ),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|thing| format!("`{}`", thing.id()))
                .collect();
            Err(CommandError::refused(format!(
                "{} {} are called `{wanted}`: {}",
                several.len(),
                plural(noun),
                ids.join(", ")
            ))
            .hint("write the id of the one you mean in place of the name"))
        }
    }
}

/// Name and id, or one of them when they are the same.
pub(crate) fn named(thing: &impl Named) -> String {
    if thing.id() == thing.name() {
        thing.id().to_owned()
    } else {
        format!("{} ({})", thing.name(), thing.id())
    }
}

fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    }
}

fn nearest<T: Named>(things: &[T], wanted: &str, noun: &str) -> String {
    if things.is_empty() {
        return format!("the project may use no {noun} at all; ask its owner or an administrator");
    }
    let wanted = wanted.to_lowercase();
    let mut names: Vec<&str> = things.iter().map(Named::name).collect();
    names.sort_by_cached_key(|name| {
        let alike = strsim::jaro_winkler(&name.to_lowercase(), &wanted);
        std::cmp::Reverse((alike * 1_000_000.0) as u64)
    });
    names.dedup();
    let more = names.len().saturating_sub(LISTED);
    let listed: Vec<String> = names
        .iter()
        .take(LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    match more {
        0 => format!("there is {}", listed.join(", ")),
        more => format!("there is {} and {more} more", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(&'static str, &'static str);

    impl Named for Thing {
        fn id(&self) -> &str {
            self.0
        }
        fn name(&self) -> &str {
            self.1
        }
    }

    const THINGS: &[Thing] = &[
        Thing("1", "small"),
        Thing("2", "large"),
        Thing("3", "large"),
        Thing("small", "odd"),
    ];

    #[test]
    fn an_id_wins_over_a_name() {
        assert_eq!(choose(THINGS, "small", "tier").unwrap().1, "odd");
    }

    #[test]
    fn several_of_one_name_are_an_error_that_lists_their_ids() {
        let failure = choose(THINGS, "large", "tier").err().unwrap();
        assert_eq!(failure.to_string(), "2 tiers are called `large`: `2`, `3`");
        assert_eq!(plural("policy"), "policies");
    }

    #[test]
    fn an_unknown_name_lists_the_nearest_first() {
        let error = choose(THINGS, "larg", "tier").err().unwrap();
        assert_eq!(error.to_do().unwrap(), "there is `large`, `small`, `odd`");
    }
}
