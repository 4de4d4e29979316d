//! What a request carries: JSON, or one file as a form of a single part.

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::Value;

use super::Cause;

/// The body of a request.
#[derive(Debug)]
pub(super) enum Body {
    /// JSON.
    Json(Value),
    /// A form as browsers send files, with the line that separates its parts.
    Form { boundary: String, content: String },
}

impl Body {
    pub(super) fn json<B: Serialize>(body: &B) -> Result<Self, Cause> {
        let value = serde_json::to_value(body);
        value
            .map(Self::Json)
            .map_err(|problem| Cause::NotUnderstood {
                problem: format!("our own body: {problem}"),
                excerpt: String::new(),
            })
    }

    /// A text as a file of this name, in this field; both of plain characters.
    pub(super) fn file(field: &str, name: &str, text: &str) -> Self {
        let mut boundary = "----domino-deploy".to_owned();
        while text.contains(&boundary) {
            boundary.push('-');
        }
        let content = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{text}\r\n--{boundary}--\r\n"
        );
        Self::Form { boundary, content }
    }

    pub(super) fn add_to(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Json(value) => request.json(value),
            Self::Form { boundary, content } => request
                .header(
                    CONTENT_TYPE,
                    format!("multipart/form-data; boundary={boundary}"),
                )
                .body(content.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_file_ends_its_part() {
        let Body::Form { boundary, content } =
            Body::file("upfile", "a.md", "x\n----domino-deploy-\ny")
        else {
            panic!("a form")
        };
        assert_eq!(boundary, "----domino-deploy--");
        let (head, rest) = content.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with("filename=\"a.md\"\r\nContent-Type: application/octet-stream"));
        assert_eq!(
            rest,
            "x\n----domino-deploy-\ny\r\n------domino-deploy----\r\n"
        );
    }
}
