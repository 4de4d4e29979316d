//! A lineage as Markdown and as a page of HTML. Text that others wrote is shown literally in both.

use domino_core::step::{html, markdown};

use super::Lineage;

/// The style of the page, in light and dark mode.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}\
                     table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #8888;padding:.3rem .6rem;\
                     text-align:left;vertical-align:top}:root{color-scheme:light dark}";

impl Lineage {
    /// The lineage as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let cell = |text: &str| markdown(text).replace('`', "\\`").replace('\n', " ");
        let row = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut page = format!("#### {}\n\n| | |\n| --- | --- |\n", cell(&self.title));
        for (what, words) in self.chain() {
            page.push_str(&row(&[what.to_owned(), words]));
        }
        let table = self.table();
        let columns: Vec<String> = table.columns.iter().map(ToString::to_string).collect();
        page.push_str(&format!(
            "\n{}|{}\n",
            row(&columns),
            " --- |".repeat(columns.len())
        ));
        for cells in &table.rows {
            page.push_str(&row(cells));
        }
        page.push('\n');
        page
    }

    /// The lineage as one page of HTML that needs nothing else.
    pub(crate) fn html(&self) -> String {
        let title = html(&self.title);
        let row = |tag: &str, cells: &[String]| {
            let cells = cells
                .iter()
                .map(|text| format!("<{tag}>{}</{tag}>", html(text)));
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let chain = self.chain().map(|(what, words)| {
            format!(
                "<tr><th>{}</th><td>{}</td></tr>\n",
                html(what),
                html(&words)
            )
        });
        let table = self.table();
        let columns: Vec<String> = table.columns.iter().map(ToString::to_string).collect();
        let rows = table.rows.iter().map(|cells| row("td", cells));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n\
             <table>\n{}</table>\n<table>\n{}{}</table>\n",
            chain.collect::<String>(),
            row("th", &columns),
            rows.collect::<String>()
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::lineage::{Lineage, Link, StageOfVersion};

    #[test]
    fn what_others_wrote_stays_text_in_both() {
        let evil = "<b>a|b</b> `c`";
        let lineage = Lineage {
            title: format!("Lineage of {evil}"),
            chain: vec![
                Link {
                    what: "commit",
                    facts: vec![("commit", evil.into()), ("branch", String::new())],
                },
                Link {
                    what: "job run",
                    facts: vec![("run", String::new())],
                },
            ],
            stages: vec![StageOfVersion {
                stage: "prod".into(),
                cells: vec![("remark", evil.into())],
            }],
        };
        let page = lineage.markdown();
        assert!(
            page.contains("| commit | &lt;b&gt;a\\|b&lt;/b&gt; \\`c\\` |\n| job run | not known |")
        );
        assert!(page.contains("| stage | remark |\n| --- | --- |\n| prod | &lt;b&gt;"));
        let page = lineage.html();
        assert!(page.contains("<tr><th>commit</th><td>&lt;b&gt;a|b&lt;/b&gt; `c`</td></tr>"));
        assert!(!page.contains("<b>"));
        let data = lineage.data();
        assert_eq!(data["commit"]["commit"], evil);
        assert_eq!(data["job_run"], serde_json::json!({}));
        assert_eq!(data["stages"][0]["stage"], "prod");
    }
}
