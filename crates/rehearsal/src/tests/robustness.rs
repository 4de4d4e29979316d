//! The readers accept any input: whatever a step prints, they answer or refuse, and never panic.

use proptest::prelude::*;

use crate::command_files::CommandFiles;
use crate::console::captured;
use crate::masks::Masks;
use crate::workflow_command::Reader;

proptest! {
    #[test]
    fn any_line_can_be_said(line in any::<String>()) {
        let mut reader = Reader::default();
        let _ = reader.read(&line);
        let _ = reader.read(&format!("::{line}::{line}"));
        let (console, text) = captured();
        console.step_note(crate::console::Look::Plain, &line);
        let shown = String::from_utf8(text.lock().unwrap().clone()).unwrap();
        prop_assert!(shown.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "{:?}", shown);
    }

    #[test]
    fn a_masked_value_never_shows(value in "[a-z]{4,8}(\n[a-z]{4,8})?", around in "[^a-z]{0,9}") {
        let mut masks = Masks::default();
        masks.add(&value);
        let shown = masks.apply(&format!("{around}{value}{around}"));
        for line in value.lines() {
            prop_assert!(!shown.contains(line), "{}", shown);
        }
    }

    #[test]
    fn any_file_a_step_leaves_is_read_or_refused(text in any::<Vec<u8>>()) {
        let folder = tempfile::tempdir().unwrap();
        let files = CommandFiles::create(folder.path(), 1).unwrap();
        for (_, path) in files.variables() {
            std::fs::write(path, &text).unwrap();
        }
        let left = files.read();
        prop_assert!(left.outputs.iter().all(|(name, _)| !name.is_empty()));
    }
}
