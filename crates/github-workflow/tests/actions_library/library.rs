//! GitHub's own library, from npm, called through a small script.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const PACKAGES: [&str; 2] = [
    "@actions/expressions@0.3.61",
    "@actions/workflow-parser@0.3.61",
];
const SCRIPT: &str = include_str!("ask.mjs");

/// A folder that contains the library.
pub struct Library(PathBuf);

/// Installs the library, if that is asked for.
pub fn from_npm() -> Option<Library> {
    std::env::var_os("ACTIONS_LIBRARY").filter(|value| !value.is_empty())?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("actions-library");
    if !folder
        .join("node_modules/@actions/workflow-parser")
        .exists()
    {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("package.json"), r#"{"private": true}"#).unwrap();
        let status = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--save-exact"])
            .args(PACKAGES)
            .current_dir(&folder)
            .status()
            .expect("npm is there");
        assert!(status.success(), "npm install failed");
    }
    for name in ["workflows/workflow-schema.js", "actions/action-schema.js"] {
        // As published, the library imports JSON in a way that Node no longer accepts.
        let path = folder
            .join("node_modules/@actions/workflow-parser/dist")
            .join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace(".json\";", ".json\" with {type: 'json'};");
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(folder.join("ask.mjs"), SCRIPT).unwrap();
    Some(Library(folder))
}

/// Whether to write the stored table.
pub fn is_update() -> bool {
    std::env::var("ACTIONS_LIBRARY").is_ok_and(|value| value == "update")
}

impl Library {
    /// The library's answer to each expression, in the words of `expressions::answer`.
    #[allow(dead_code, reason = "the tests of workflow files share this file")]
    pub fn evaluate(&self, contexts: &str, texts: &[String]) -> Vec<String> {
        // As text: if it were read here, its names would lose their order.
        let answers = self.ask(&json!({ "contexts": contexts, "expressions": texts }));
        serde_json::from_value(answers).unwrap()
    }

    /// Why the library refuses each workflow file; absent if it accepts it.
    #[allow(dead_code, reason = "the tests of expressions share this file")]
    pub fn refusals(&self, files: &[String]) -> Vec<Option<String>> {
        serde_json::from_value(self.ask(&json!({ "files": files }))).unwrap()
    }

    fn ask(&self, question: &Value) -> Value {
        let mut node = Command::new("node")
            .arg("ask.mjs")
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is there");
        let mut input = node.stdin.take().unwrap();
        let question = question.to_string();
        let writing = std::thread::spawn(move || input.write_all(question.as_bytes()));
        let output = node.wait_with_output().unwrap();
        writing.join().unwrap().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
