//! Rules on `after`: which jobs, apps and models come before others in a stage.

use super::rule::{Book, Report};
use crate::text::displayed;
use crate::unknown_name::{listed, nearest};

pub(super) fn after(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let file = book.file;
    let jobs = file.jobs.iter().map(|job| (job.name.as_str(), &job.after));
    let apps = file.apps.iter().map(|app| (app.name.as_str(), &app.after));
    let models = file.models.iter();
    let models = models.map(|model| (model.name.as_str(), &model.after));
    of_kind("job", &jobs.collect::<Vec<_>>(), book, report);
    of_kind("app", &apps.collect::<Vec<_>>(), book, report);
    of_kind("model", &models.collect::<Vec<_>>(), book, report);
    apart(book, report);
}

/// A job that trains a model is deployed with it, in another workflow than other jobs.
fn apart(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let file = book.file;
    for job in &file.jobs {
        let apart = |name: &&String| {
            let earlier = file.jobs.iter().find(|other| other.name == **name);
            earlier.is_some_and(|earlier| earlier.trains != job.trains)
        };
        if let Some(earlier) = job.after.iter().find(apart) {
            report.at(
                &["job", &job.name, "after"],
                format!("names `{earlier}`, and one of the two trains a model: that one is deployed by the workflow of the model"),
            );
        }
    }
}

/// The names of one kind, each with those that come before it.
type Order<'a> = [(&'a str, &'a Vec<String>)];

fn of_kind(kind: &str, order: &Order<'_>, book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, [table, _, "after"] if *table == kind)) {
        if order.iter().any(|(name, _)| *name == leaf.text) {
            continue;
        }
        let kinds = [("job", "a job"), ("app", "an app"), ("model", "a model")];
        let is_named = |other: &str| book.tree.names(other).contains(&leaf.text);
        let mut others = kinds.into_iter().filter(|(other, _)| *other != kind);
        let other = others.find_map(|(other, words)| is_named(other).then_some(words));
        let names = || order.iter().map(|(name, _)| *name);
        let hint = match (other, nearest(leaf.text, names())) {
            (Some(other), _) => {
                format!("it is the name of {other}, and each kind has a workflow of its own")
            }
            (None, Some(nearest)) => format!("did you mean `{nearest}`?"),
            (None, None) => format!("there are {}", listed(names())),
        };
        report.leaf(
            leaf,
            format!("names {}, which is no {kind}; {hint}", displayed(leaf.text)),
        );
    }
    for (name, _) in order {
        if comes_before(name, name, order) {
            report.at(&[kind, name, "after"], "makes it come after itself");
        }
    }
}

/// Whether one comes before another, directly or through others.
fn comes_before(name: &str, of: &str, order: &Order<'_>) -> bool {
    let before = |of: &str| order.iter().find(|(name, _)| *name == of);
    let mut open: Vec<&str> = vec![of];
    let mut seen: Vec<&str> = Vec::new();
    while let Some((_, names)) = open.pop().and_then(before) {
        for earlier in names.iter().map(String::as_str) {
            if earlier == name {
                return true;
            }
            if !seen.contains(&earlier) {
                seen.push(earlier);
                open.push(earlier);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;

    #[test]
    fn what_comes_before_another_is_of_its_kind_and_in_no_circle() {
        let order = |after: &str| {
            with(&format!(
                "[app.board]\nentry-point = \"a.sh\"\n[job.train]\ncommand = \"t\"\n[job.score]\ncommand = \"s\"\nafter = {after}"
            ))
        };
        assert_eq!(order("[\"train\"]"), [""; 0]);
        assert_eq!(
            order("[\"tarin\"]"),
            ["`after` in `[job.score]` names `tarin`, which is no job; did you mean `train`?"]
        );
        assert_eq!(
            order("[\"board\"]"),
            [
                "`after` in `[job.score]` names `board`, which is no job; it is the name of an app, and each kind has a \
                 workflow of its own"
            ]
        );
        assert_eq!(
            order("[\"score\"]"),
            ["`after` in `[job.score]` makes it come after itself"]
        );
        let circle = with(
            "[job.a]\ncommand = \"a\"\nafter = [\"b\"]\n[job.b]\ncommand = \"b\"\nafter = [\"a\"]",
        );
        assert_eq!(circle.len(), 2, "{circle:?}");
    }

    #[test]
    fn a_job_that_trains_a_model_is_in_another_workflow() {
        let found = with(
            "[job.train]\ncommand = \"t\"\n[job.score]\ncommand = \"s\"\nafter = [\"train\"]\n\
             [model.m]\nregistered-model = \"m\"\ntrained-by = \"train\"",
        );
        assert!(
            found
                .iter()
                .any(|said| said.contains("one of the two trains a model")),
            "{found:?}"
        );
    }

    #[test]
    fn together_needs_side_by_side() {
        assert_eq!(with("[pipeline]\ntogether = true"), [""; 0]);
        assert_eq!(
            with("[pipeline]\ntogether = true\nside-by-side = false").len(),
            1
        );
    }
}
