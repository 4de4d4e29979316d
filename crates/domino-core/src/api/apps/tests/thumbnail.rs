//! The picture of an app, whose one route is beta's.

use serde_json::json;
use wiremock::matchers::{body_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::api::apps::{AppId, Generation, Thumbnail};
use crate::client::tests::connection;

#[tokio::test]
async fn a_picture_is_read_as_it_is_and_sent_in_base64_with_its_type() {
    let server = MockServer::start().await;
    let route = "/api/apps/beta/apps/a1/thumbnail";
    let sent =
        json!({ "contentBase64": "UE5HAA==", "contentType": "image/png", "filename": "wine.PNG" });
    Mock::given(method("POST"))
        .and(path(route))
        .and(body_json(sent))
        .respond_with(
            ResponseTemplate::new(201).set_body_json(json!({ "etag": "e", "created": true })),
        )
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path(route))
        .respond_with(ResponseTemplate::new(200).set_body_raw(b"PNG\0", "application/octet-stream"))
        .mount(&server)
        .await;
    let absent = json!({ "message": "no" });
    Mock::given(method("GET"))
        .and(path("/api/apps/beta/apps/a2/thumbnail"))
        .respond_with(ResponseTemplate::new(404).set_body_json(absent))
        .mount(&server)
        .await;
    let connection = connection(&server.uri());
    let (app, reader) = (AppId::new("a1"), connection.reader().apps(Generation::V1));
    let picture = Thumbnail::of("pictures/wine.PNG".as_ref(), b"PNG\0".to_vec()).unwrap();
    let writer = connection.writer().apps(Generation::V1);
    writer.set_thumbnail(&app, &picture).await.unwrap();
    assert_eq!(reader.thumbnail(&app).await.unwrap(), Some(picture.bytes));
    assert_eq!(reader.thumbnail(&AppId::new("a2")).await.unwrap(), None);
    assert_eq!(Thumbnail::of("wine.txt".as_ref(), Vec::new()), None);
}
