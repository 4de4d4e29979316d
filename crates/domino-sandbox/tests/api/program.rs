//! The program itself: what it prints, where the credentials go, how it ends.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::jobs::is_alive;
use crate::world::World;

fn program(repository: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_domino-sandbox"));
    command
        .args(["--pace", "instant", "--repository"])
        .arg(repository)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The two lines the program says when it is ready: its address and its credentials file.
fn ready(child: &mut Child) -> (String, String) {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let mut last_word = || {
        let line = lines.next().unwrap().unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    (last_word(), last_word())
}

fn interrupt(child: &mut Child) {
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_serves_until_it_is_interrupted_and_ends_its_children() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.env");
    let mut child = program(world.repository.path())
        .arg("--verbose")
        .arg("--credentials-file")
        .arg(&file)
        .spawn()
        .unwrap();
    let (url, named) = ready(&mut child);
    assert_eq!(Path::new(&named), file);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let variables = std::fs::read_to_string(&file).unwrap();
    assert!(variables.contains(&format!("DOMINO_API_HOST={url}\n")));
    let token = variables
        .lines()
        .find_map(|line| line.strip_prefix("CI_BOT_TOKEN="))
        .unwrap();

    let bearer = format!("Bearer {token}");
    let get = |path: &str| {
        let reply = ureq::get(format!("{url}{path}"))
            .header("authorization", &bearer)
            .call();
        reply
            .unwrap()
            .body_mut()
            .read_json::<serde_json::Value>()
            .unwrap()
    };
    let project = &get("/v4/projects?name=quick-start")[0];
    let marker = folder.path().join("child");
    let start = serde_json::json!({
        "projectId": project["id"],
        "commandToRun": format!("echo $$ > {}; sleep 600", marker.display()),
    });
    ureq::post(format!("{url}/v4/jobs/start"))
        .header("authorization", &bearer)
        .send_json(start)
        .unwrap();
    let deadline = std::time::Instant::now() + crate::world::PATIENCE;
    let process = loop {
        match std::fs::read_to_string(&marker) {
            Ok(process) if process.ends_with('\n') => break process.trim().to_owned(),
            _ => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
        assert!(std::time::Instant::now() < deadline);
    };
    assert!(is_alive(&process));
    // The page has commands to copy, and what they read only the owner may.
    let page = ureq::get(&url).call().unwrap();
    let page = page.into_body().read_to_string().unwrap();
    let read = format!("set -a; . &#39;{}&#39;; set +a", file.display());
    for command in [
        read.as_str(),
        "export DOMINO_TOKEN=&quot;$CI_BOT_TOKEN&quot;",
    ] {
        assert!(
            page.contains(&format!("data-copy=\"{command}\"")),
            "{command} in {page}"
        );
    }
    assert!(!page.contains(token));
    // A credential in a path is a client's mistake that must not end up in our log.
    ureq::get(format!("{url}/v4/users/{token}"))
        .call()
        .unwrap_err();
    interrupt(&mut child);
    assert!(!is_alive(&process));
    let mut log = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert!(log.contains("POST /v4/jobs/start 200 ci-bot"), "{log}");
    assert!(!log.contains(token), "{log}");
}

#[test]
fn without_a_file_the_credentials_are_in_a_temporary_one() {
    let world = World::new();
    let mut child = program(world.repository.path()).spawn().unwrap();
    let (_, file) = ready(&mut child);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    interrupt(&mut child);
    assert!(!Path::new(&file).exists());
}

#[test]
fn it_takes_stages_faults_and_a_version() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let stages = folder.path().join("stages.toml");
    std::fs::write(&stages, "[defaults]\nproject = \"wine-team/wine\"\n").unwrap();
    let faults = folder.path().join("faults.toml");
    let fault = "[[fault]]\nroute = \"/version\"\nkind = \"status\"\nstatus = 503\ntimes = 1\n";
    std::fs::write(&faults, fault).unwrap();
    let mut child = program(world.repository.path())
        .args(["--domino-version", "5.9", "--stages"])
        .arg(&stages)
        .arg("--faults")
        .arg(&faults)
        .spawn()
        .unwrap();
    let (url, _) = ready(&mut child);
    assert!(ureq::get(format!("{url}/version")).call().is_err());
    let version = ureq::get(format!("{url}/version"))
        .call()
        .unwrap()
        .body_mut()
        .read_to_string();
    assert!(version.unwrap().contains("5.9"));
    let index = ureq::get(&url).call().unwrap().body_mut().read_to_string();
    assert!(index.unwrap().contains("wine-team/wine"));
    interrupt(&mut child);
}

#[test]
fn flags_make_projects_hardware_tiers_and_environments() {
    let world = World::new();
    let file = world.repository.path().join("sandbox.env");
    let mut child = program(world.repository.path())
        .args(["--project", "wine-team/wine", "--project", "author/second"])
        .args([
            "--hardware-tier",
            "huge@far-plane",
            "--hardware-tier",
            "tiny",
        ])
        .args(["--endpoint-tier", "slim"])
        .args(["--environment", "With GPUs", "--credentials-file"])
        .arg(&file)
        .spawn()
        .unwrap();
    let (url, _) = ready(&mut child);
    let variables = std::fs::read_to_string(&file).unwrap();
    let mut variables = variables.lines();
    let token = variables.find_map(|line| line.strip_prefix("CI_BOT_TOKEN="));
    let bearer = format!("Bearer {}", token.unwrap());
    let get = |path: &str| -> serde_json::Value {
        let reply = ureq::get(format!("{url}{path}")).header("authorization", &bearer);
        reply.call().unwrap().body_mut().read_json().unwrap()
    };
    for name in ["quick-start", "second"] {
        assert_eq!(get(&format!("/v4/projects?name={name}"))[0]["name"], name);
    }
    let project = &get("/v4/projects?name=wine")[0];
    assert_eq!(project["ownerUsername"], "wine-team");
    let of_project = format!("/v4/projects/{}", project["id"].as_str().unwrap());
    let tiers = get(&format!("{of_project}/hardwareTiers"));
    for (name, plane) in [("huge", "far-plane"), ("tiny", "Local")] {
        let mut tiers = tiers.as_array().unwrap().iter();
        let tier = tiers.find(|tier| tier["hardwareTier"]["name"] == name);
        assert_eq!(tier.unwrap()["dataPlane"]["name"], plane, "{tier:?}");
    }
    // A name looked up in the list of both populations means one tier.
    let all = get("/v4/hardwareTier")["hardwareTiers"].clone();
    for (name, for_endpoints) in [("huge", false), ("tiny", false), ("slim", true)] {
        let all = all.as_array().unwrap().iter();
        let named: Vec<_> = all.filter(|tier| tier["name"] == name).collect();
        assert_eq!(named.len(), 1, "{named:?}");
        assert_eq!(named[0]["hwtFlags"]["isModelApiTier"], for_endpoints);
    }
    let environments = get(&format!("{of_project}/useableEnvironments"));
    assert!(
        environments.to_string().contains("With GPUs"),
        "{environments}"
    );
    interrupt(&mut child);
}

#[test]
fn what_it_cannot_do_it_says_and_ends_with_2() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let said = |command: &mut Command| {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let beyond = said(program(world.repository.path()).args(["--listen", "0.0.0.0:0"]));
    assert!(
        beyond.starts_with("error:") && beyond.contains("loopback"),
        "{beyond}"
    );
    let no_code = said(&mut program(folder.path()));
    assert!(no_code.contains("not a git repository"), "{no_code}");
    let version = said(program(world.repository.path()).args(["--domino-version", "4"]));
    assert!(version.contains("5.9, 6.2, 6.3 or 6.4"), "{version}");
    let project = said(program(world.repository.path()).args(["--project", "wine"]));
    assert!(project.contains("a project is OWNER/NAME"), "{project}");
    let tier = said(program(world.repository.path()).args(["--hardware-tier", "huge@"]));
    assert!(tier.contains("NAME or NAME@DATA-PLANE"), "{tier}");
    let missing = said(program(world.repository.path()).args(["--stages", "none.toml"]));
    assert!(missing.contains("none.toml"), "{missing}");
}
