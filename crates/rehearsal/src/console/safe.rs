//! Text that a terminal may be given: nothing in it moves the cursor or changes the window's title.
//!
//! Hiding secrets is the part of `masks.rs`.

/// The text in one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The line without control characters that could move the cursor or change the window's title; colours may stay.
pub fn safe(line: &str, colour: bool) -> String {
    // A progress bar draws over its own line; only the last state counts.
    let line = line.rsplit('\r').next().unwrap_or_default();
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    let mut coloured = false;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(sequence) = rest.strip_prefix("\x1b[") {
            let end = sequence
                .find(|c: char| c.is_ascii_alphabetic() || c == '~')
                .map(|end| end + 1);
            let end = end.unwrap_or(sequence.len());
            let (sequence, after) = sequence.split_at(end);
            if colour && sequence.ends_with('m') && sequence.len() < 20 {
                text.push_str("\x1b[");
                text.push_str(sequence);
                coloured = true;
            }
            rest = after;
        } else {
            let mut characters = rest.chars();
            characters.next();
            rest = characters.as_str();
        }
    }
    text.push_str(rest);
    if coloured {
        text.push_str("\x1b[0m");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_steer_the_terminal() {
        for (line, plain) in [
            ("a\x1b[2Jb", "ab"),
            ("\x1b]0;title\x07x", "]0;titlex"),
            ("10 %\r50 %\r100 %", "100 %"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("tab\there", "tab\there"),
            ("cut \x1b[12", "cut "),
        ] {
            assert_eq!(safe(line, false), plain);
        }
        assert_eq!(safe("\x1b[31mred", true), "\x1b[31mred\x1b[0m");
    }
}
