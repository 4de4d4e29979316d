//! The names in the code are those of the list in CONTRIBUTING.md: a replaced name is not defined again.
//!
//! It reads the code with `syn` and checks what is defined for others to use: items, methods, fields, variants. Names
//! from libraries, such as `std::iter::once`, are not our choice; a binding of a few lines may have any name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

#[test]
fn no_replaced_word_names_anything() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let contributing = fs::read_to_string(root.join(".github/CONTRIBUTING.md")).unwrap();
    let replaced = replaced_words(&contributing);
    assert!(replaced.len() > 40, "the list was not found: {replaced:?}");
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "tests"] {
        rust_files(&root.join(folder), &mut files);
    }
    assert!(files.len() > 200, "the code was not found");
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for name in defined_names(&text) {
            if replaced.contains(&name) {
                let file = file.strip_prefix(root).unwrap().display();
                wrong.push(format!("{file}: `{name}`"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} replaced words:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_replaced_word_is_found_wherever_it_is_defined() {
    let text = "mod mark { enum E { Found } struct S { past: u8 } impl S { fn judge(&self) { let there = 1; } } }
        use std::iter::once; fn f() { once(1); }";
    let names = defined_names(text);
    for name in ["mark", "Found", "past", "judge"] {
        assert!(names.contains(name), "{name}");
    }
    assert!(!names.contains("once") && !names.contains("there"));
}

/// The last column of the list.
fn replaced_words(contributing: &str) -> BTreeSet<String> {
    let list = contributing
        .split("## The words")
        .nth(1)
        .unwrap_or_default();
    let list = list.split("\n## ").next().unwrap_or_default();
    list.lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.trim_end_matches('|').rsplit('|').next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(ToOwned::to_owned)
        .collect()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn defined_names(text: &str) -> BTreeSet<String> {
    let mut names = Names(BTreeSet::new());
    names.visit_file(&syn::parse_file(text).unwrap());
    names.0
}

struct Names(BTreeSet<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        use syn::Item;
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Mod(item) => &item.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            _ => return visit::visit_item(self, item),
        };
        self.0.insert(name.to_string());
        visit::visit_item(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.0.insert(signature.ident.to_string());
        visit::visit_signature(self, signature);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.0.extend(field.ident.as_ref().map(ToString::to_string));
        visit::visit_field(self, field);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.0.insert(variant.ident.to_string());
        visit::visit_variant(self, variant);
    }
}
