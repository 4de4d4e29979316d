//! A deployment that does not answer as Domino does: each kind is named with its exit code.

use super::*;

#[test]
fn a_host_that_nobody_listens_at_is_told_and_is_exit_4() {
    let mut scene = scene("6.3");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    scene.variable("DOMINO_API_HOST", &address);
    let run = doctor(&scene).exits(4);
    assert!(
        run.stdout.contains("!! host `http://127.0.0.1:[port]`: "),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("-- credential, project and everything in it → make the host answer first"),
        "{run}"
    );
}

#[test]
fn a_host_that_speaks_no_tls_is_told_once_with_what_to_do() {
    let mut scene = scene("6.3");
    let https = scene.sandbox.url().replace("http://", "https://");
    scene.variable("DOMINO_API_HOST", &https);
    let run = doctor(&scene).exits(4);
    assert_eq!(run.stdout.matches("does not speak TLS").count(), 1, "{run}");
    assert!(
        run.stdout
            .contains("check the port of `host` in stages.toml"),
        "{run}"
    );
}

#[test]
fn a_sign_in_page_in_place_of_domino_is_told() {
    let scene = scene("6.3");
    scene
        .sandbox
        .faults()
        .add(Fault::on("GET /version", Misbehaviour::LoginPage));
    let run = doctor(&scene).exits(3);
    assert!(run.stdout.contains("a web page instead of JSON"), "{run}");
}

#[test]
fn a_deployment_in_trouble_is_exit_4() {
    let scene = scene("6.3");
    scene.sandbox.faults().add(Fault::on(
        "GET /v4/projects/*/useableEnvironments",
        Misbehaviour::Status {
            status: 500,
            retry_after: None,
            processed: false,
        },
    ));
    let run = doctor(&scene).exits(4);
    assert!(
        run.stdout.contains("answered 500 Internal Server Error"),
        "{run}"
    );
    line(
        &run,
        "ok hardware tier `dev-small` of jobs and apps, on data plane `dev-plane`",
    );
}
