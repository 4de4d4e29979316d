//! Certificates that cannot be trusted, each with its error, and client certificates that a server demands.

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    NameConstraints, date_time_ymd,
};

use super::tls::{Authority, certificate_for};
use super::{START, scene};

/// A change to the certificate of a server.
type Change = fn(&mut CertificateParams);

/// What is wrong with a certificate, and what is said of it.
const WRONG: &[(Change, &str)] = &[
    (
        |params| params.not_after = date_time_ymd(2021, 1, 1),
        "the server's certificate has expired",
    ),
    (
        |params| params.not_before = date_time_ymd(2999, 1, 1),
        "the server's certificate is not valid yet",
    ),
    (
        |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
        "the server's certificate is that of an authority itself",
    ),
    (
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        "the server's certificate is not one for a server",
    ),
    (
        |params| params.subject_alt_names.clear(),
        "the server's certificate names no host",
    ),
];

#[test]
fn each_certificate_that_cannot_be_believed_has_its_sentence_and_one_try() {
    let mut scene = scene();
    let authority = Authority::new(scene.path());
    let sandbox = scene.sandbox.url().to_owned();
    scene.variable("SSL_CERT_FILE", authority.file());
    for (change, sentence) in WRONG {
        let mut params = certificate_for("127.0.0.1");
        change(&mut params);
        let tls_door = authority.server(params, None, &sandbox);
        scene.variable("DOMINO_API_HOST", &tls_door.address);
        scene.run(START).exits(4).tells(sentence).tells("hint: ");
        assert_eq!(tls_door.connections(), 1, "{sentence}");
        assert_eq!(tls_door.requests(), 0, "{sentence}");
    }
}

#[test]
fn an_authority_that_may_not_issue_for_the_name_is_told() {
    let mut scene = scene();
    let mut params = CertificateParams::default();
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".into())],
        excluded_subtrees: vec![GeneralSubtree::DnsName("localhost".into())],
    });
    let authority = Authority::with(params, scene.path());
    let tls_door = authority.tls_door("localhost", scene.sandbox.url());
    let address = tls_door.address.replace("127.0.0.1", "localhost");
    scene
        .variable("SSL_CERT_FILE", authority.file())
        .variable("DOMINO_API_HOST", &address);
    let constraints = "is for a name that its authority may not issue for";
    scene.run(START).exits(4).tells(constraints);
}

#[test]
fn a_server_that_demands_a_certificate_gets_ours_and_says_so_without_one() {
    let mut scene = scene();
    let authority = Authority::new(scene.path());
    let sandbox = scene.sandbox.url().to_owned();
    let tls_door = authority.server(certificate_for("127.0.0.1"), Some(&authority), &sandbox);
    scene
        .variable("SSL_CERT_FILE", authority.file())
        .variable("DOMINO_API_HOST", &tls_door.address);
    scene
        .run(START)
        .exits(4)
        .tells("the server demands a client certificate")
        .tells("name yours by `--client-cert` and `--client-key`");
    let client = authority.client(scene.path());
    scene.variable("DOMINO_CLIENT_CERT", client.to_str().unwrap());
    scene.run(START).exits(0);
    scene.variable("DOMINO_CLIENT_CERT", authority.file());
    scene
        .run(START)
        .exits(2)
        .tells("it holds no private key that can be read");
}
