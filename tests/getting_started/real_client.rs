//! The sample trained by MLflow's own client, in each release line that `MLFLOW_LINES` names: it is installed from
//! PyPI, its run registers the model in the sandbox, and the endpoint is built from what it registered.

use std::process::Command;

use crate::{Kept, Scratch};

/// The client of each line, with what its `pyfunc` needs.
const CLIENTS: [(&str, &str); 2] = [("3", "3.17.2"), ("2", "2.22.5")];

#[test]
fn the_sample_is_trained_by_the_client_of_mlflow_itself() {
    let Ok(lines) = std::env::var("MLFLOW_LINES") else {
        eprintln!("not tried with MLflow's own client: MLFLOW_LINES is not set");
        return;
    };
    for (line, release) in CLIENTS {
        if !lines.split(' ').any(|wanted| wanted == line) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let client = folder.path().join("client");
        let client = client.to_str().unwrap();
        let run = |program: &str, arguments: &[&str]| {
            let status = Command::new(program).args(arguments).status().unwrap();
            assert!(status.success(), "{program} {arguments:?}");
        };
        run("python3", &["-m", "venv", client]);
        let skinny = format!("mlflow-skinny=={release}");
        run(
            &format!("{client}/bin/pip"),
            &["install", "--quiet", &skinny, "numpy", "pandas"],
        );
        let scratch = Scratch::new();
        let only = format!("--only deploy-models --stop-after dev --python {client}");
        let kept = Kept::rehearse(&scratch, &only);
        let told =
            format!("registered as version 1 of wine-quality by the client of MLflow {release}");
        assert!(kept.said.contains(&told), "{}", kept.said);
        let endpoints = kept.endpoints();
        assert_eq!(endpoints[0][1], "version 1: wine-quality version 1");
        kept.end();
    }
}
