//! No file of a crate imports, directly or through others, a file that imports it.
//!
//! It reads the `use` declarations and the inline paths of each file with `syn`, resolves them through re-exports to
//! the file that defines the name, and looks for loops. Test code is left out: a test may import what it tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree, Visibility};

/// Loops that stay: the files, in the order of their names, and why.
const ALLOWED: &[(&[&str], &str)] = &[];

#[test]
fn no_files_import_each_other_in_a_loop() {
    let mut found = Vec::new();
    for source in sources() {
        found.extend(Modules::read(&source).loops());
    }
    let allowed: BTreeSet<Vec<String>> = ALLOWED
        .iter()
        .map(|(files, _)| files.iter().map(ToString::to_string).collect())
        .collect();
    let refused: Vec<String> = found
        .iter()
        .filter(|files| !allowed.contains(*files))
        .map(|files| format!("{} files: {}", files.len(), files.join(", ")))
        .collect();
    assert!(refused.is_empty(), "loops:\n{}", refused.join("\n"));
    let gone: Vec<_> = allowed
        .iter()
        .filter(|files| !found.contains(files))
        .collect();
    assert!(
        gone.is_empty(),
        "no loop any longer, take it off the list: {gone:?}"
    );
}

#[test]
fn a_loop_is_found_through_a_re_export_and_tests_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::Thing;\n");
    write(
        "a.rs",
        "use crate::b::other;\npub struct Thing;\npub fn f() { other() }\n",
    );
    write(
        "b.rs",
        "pub fn other() { let _ = crate::Thing; }\n#[cfg(test)]\nmod tests { use super::*; use crate::c::X; }\n",
    );
    write(
        "c.rs",
        "use crate::b::other;\npub struct X;\npub fn g() { other() }\n",
    );
    let loops = Modules::read(folder.path()).loops();
    let names: Vec<Vec<String>> = loops
        .iter()
        .map(|files| {
            files
                .iter()
                .map(|file| file.rsplit('/').next().unwrap().to_owned())
                .collect()
        })
        .collect();
    assert_eq!(names, [["a.rs", "b.rs"]]);
}

/// The file that `#[path = "…"]` names.
fn named_file(attributes: &[Attribute]) -> Option<String> {
    let named = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    let syn::Expr::Lit(literal) = &named.meta.require_name_value().ok()?.value else {
        return None;
    };
    match &literal.lit {
        syn::Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

/// The `src` folder of every crate of the workspace.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources: Vec<PathBuf> = fs::read_dir(root.join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|source| source.is_dir())
        .collect();
    sources.push(root.join("xtask/src"));
    sources.sort();
    sources
}

type ModulePath = Vec<String>;

/// What one file declares and imports.
#[derive(Default)]
struct Module {
    file: PathBuf,
    /// Names that `use` brings in, with the path behind each; `true` for those that others may import from here.
    imports: Vec<(String, ModulePath, bool)>,
    /// Paths in code that begin with `crate`, `self`, `super` or a name.
    paths: Vec<ModulePath>,
    /// Modules whose every name is imported.
    globs: Vec<(ModulePath, bool)>,
    children: BTreeSet<String>,
}

/// The modules of one crate by their paths below `crate`.
struct Modules(BTreeMap<ModulePath, Module>);

impl Modules {
    fn read(source: &Path) -> Self {
        let mut modules = Self(BTreeMap::new());
        for root in ["lib.rs", "main.rs"] {
            let file = source.join(root);
            if file.is_file() && modules.0.is_empty() {
                modules.read_file(&file, Vec::new());
            }
        }
        modules
    }

    fn read_file(&mut self, file: &Path, path: ModulePath) {
        let text = fs::read_to_string(file).unwrap();
        let syntax = syn::parse_file(&text)
            .unwrap_or_else(|problem| panic!("{}: {problem}", file.display()));
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        for item in &syntax.items {
            let Item::Mod(child) = item else { continue };
            if is_for_tests(&child.attrs) || child.content.is_some() {
                continue;
            }
            let name = child.ident.to_string();
            module.children.insert(name.clone());
            let mut below = path.clone();
            below.push(name.clone());
            let stem = match file.file_stem().and_then(|stem| stem.to_str()) {
                Some("lib" | "main" | "mod") => file.parent().unwrap().to_owned(),
                _ => file.with_extension(""),
            };
            let flat = stem.join(format!("{name}.rs"));
            let nested = stem.join(&name).join("mod.rs");
            let named = named_file(&child.attrs).map(|path| file.parent().unwrap().join(path));
            let usual = if flat.is_file() { flat } else { nested };
            self.read_file(&named.unwrap_or(usual), below);
        }
        let mut reader = FileReader { module };
        reader.visit_file(&syntax);
        self.0.insert(path, reader.module);
    }

    /// The file that defines what `path` names, seen from `module`; `None` for what is not of this crate.
    fn resolve(&self, from: &ModulePath, path: &[String], depth: usize) -> Option<ModulePath> {
        if depth > 20 {
            return None;
        }
        let (mut at, mut rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => (from[..from.len().checked_sub(1)?].to_vec(), &path[1..]),
            name if self.0[from].children.contains(name) => (from.clone(), path),
            name => {
                // A name that this file imports, used as the beginning of a longer path.
                let (_, behind, _) = self.0[from]
                    .imports
                    .iter()
                    .find(|(known, ..)| known == name)?;
                let mut whole = behind.clone();
                whole.extend_from_slice(&path[1..]);
                return if whole == path {
                    None
                } else {
                    self.resolve(from, &whole, depth + 1)
                };
            }
        };
        loop {
            let Some(name) = rest.first() else {
                return Some(at);
            };
            if name == "super" {
                at.pop();
            } else if self.0.get(&at)?.children.contains(name) {
                at.push(name.clone());
            } else {
                let module = &self.0[&at];
                if let Some((_, behind, _)) =
                    module.imports.iter().find(|(known, ..)| known == name)
                {
                    let mut whole = behind.clone();
                    whole.extend_from_slice(&rest[1..]);
                    return self.resolve(&at, &whole, depth + 1).or(Some(at));
                }
                return Some(at);
            }
            rest = &rest[1..];
        }
    }

    fn edges(&self) -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
        let mut edges = BTreeMap::new();
        for (from, module) in &self.0 {
            let private = module
                .imports
                .iter()
                .filter(|(.., public)| !public)
                .map(|(_, path, _)| path);
            let globs = module
                .globs
                .iter()
                .filter(|(_, public)| !public)
                .map(|(path, _)| path);
            let targets: BTreeSet<ModulePath> = private
                .chain(&module.paths)
                .chain(globs)
                .filter_map(|path| self.resolve(from, path, 0))
                .filter(|target| target != from)
                .collect();
            edges.insert(from.clone(), targets);
        }
        edges
    }

    /// Each set of files that reach each other.
    fn loops(&self) -> Vec<Vec<String>> {
        let edges = self.edges();
        let reach: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> = edges
            .keys()
            .map(|start| {
                let mut seen = BTreeSet::new();
                let mut open: Vec<&ModulePath> = edges[start].iter().collect();
                while let Some(next) = open.pop() {
                    if seen.insert(next) {
                        open.extend(edges.get(next).into_iter().flatten());
                    }
                }
                (start, seen)
            })
            .collect();
        let mut done: BTreeSet<&ModulePath> = BTreeSet::new();
        let mut loops = Vec::new();
        for (start, reached) in &reach {
            if !reached.contains(start) || done.contains(start) {
                continue;
            }
            let members: Vec<&ModulePath> = reached
                .iter()
                .copied()
                .filter(|other| reach[*other].contains(start))
                .collect();
            done.extend(&members);
            let mut files: Vec<String> = members.iter().map(|path| self.name(path)).collect();
            files.sort();
            loops.push(files);
        }
        loops
    }

    fn name(&self, path: &ModulePath) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let file = &self.0[path].file;
        file.strip_prefix(root)
            .unwrap_or(file)
            .display()
            .to_string()
    }
}

struct FileReader {
    module: Module,
}

impl FileReader {
    fn import(&mut self, tree: &UseTree, prefix: &[String], public: bool) {
        let longer = |name: &dyn ToString| {
            let mut path = prefix.to_vec();
            path.push(name.to_string());
            path
        };
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &longer(&path.ident), public),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix, public);
                }
            }
            UseTree::Glob(_) => self.module.globs.push((prefix.to_vec(), public)),
            UseTree::Name(name) if name.ident == "self" => {
                let last = prefix.last().cloned().unwrap_or_default();
                self.module.imports.push((last, prefix.to_vec(), public));
            }
            UseTree::Name(name) => {
                let path = longer(&name.ident);
                self.module
                    .imports
                    .push((name.ident.to_string(), path, public));
            }
            UseTree::Rename(renamed) => {
                let path = longer(&renamed.ident);
                self.module
                    .imports
                    .push((renamed.rename.to_string(), path, public));
            }
        }
    }
}

impl<'ast> Visit<'ast> for FileReader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Const(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if is_for_tests(attributes) {
            return;
        }
        if let Item::Use(item) = item {
            let public = !matches!(item.vis, Visibility::Inherited);
            self.import(&item.tree, &[], public);
            return;
        }
        visit::visit_item(self, item);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {
        // `pub(in crate::x)` imports nothing.
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: ModulePath = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if names.len() > 1 {
            self.module.paths.push(names);
        }
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Ident>()
                    .is_ok_and(|name| name == "test")
    })
}
