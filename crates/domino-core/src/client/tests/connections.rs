//! What a connection takes over from another one, and how long it waits.

use rustls::client::ResolvesClientCert;

use super::*;

#[tokio::test]
async fn a_minute_is_waited_and_no_longer() {
    let server = MockServer::start().await;
    Mock::given(path("/x"))
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "60"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(path("/x"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!(7)))
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    assert_eq!(reader.read::<Value>("/x", &[]).await.unwrap(), 7);
}

#[test]
fn every_pause_is_scaled_as_the_limits_say() {
    let connection = connection("http://127.0.0.1:1");
    assert_eq!(connection.delay_scale(), 0.001);
    assert_eq!(connection.reader().delay_scale(), 0.001);
}

#[test]
fn only_another_address_is_believed_by_public_authorities_and_shown_no_certificate() {
    let client = ClientCertificate {
        certificate: "client.pem".into(),
        key: None,
    };
    let mut domino = connection("http://127.0.0.1:1");
    let inner = Arc::get_mut(&mut domino.0).unwrap();
    inner.limits.client_certificate = Some(client);
    let beside = |address: &str| {
        let host = address.parse().unwrap();
        domino.beside(host, Credential::Anonymous)
    };
    let other = beside("http://127.0.0.1:2").unwrap();
    assert!(other.0.limits.built_in_too);
    assert!(other.0.limits.client_certificate.is_none());
    // The certificate setting is kept, and read: the file does not exist.
    let same = beside("http://127.0.0.1:1").unwrap_err();
    assert!(same.to_string().contains("`client.pem`"), "{same}");
}

#[tokio::test]
async fn a_demanded_certificate_explains_a_connection_that_never_was_of_use() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let cause_of = async |demanded: bool, answered: bool| {
        let connection = connection(&address);
        if demanded {
            connection.0.certificate_demand.resolve(&[], &[]);
        }
        connection.0.was_answered.store(answered, Ordering::Relaxed);
        let error = connection.reader().read::<Value>("/x", &[]).await;
        error.unwrap_err().cause
    };
    for (demanded, answered) in [(false, false), (true, true)] {
        let cause = cause_of(demanded, answered).await;
        assert!(matches!(*cause, Cause::NotConnected(_)), "{cause:?}");
    }
    let cause = cause_of(true, false).await;
    assert!(matches!(*cause, Cause::NoTrust(_)), "{cause:?}");
}
