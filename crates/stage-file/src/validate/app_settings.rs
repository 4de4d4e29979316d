//! Rules on what a version of an app has beside its hardware tier and environment.

use std::collections::BTreeMap;

use super::rule::{Book, Report};
use crate::text::displayed;
use crate::{Kind, picture_type};

pub(super) fn autoscaling(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for app in &book.file.apps {
        let own = (vec!["app", app.name.as_str()], &app.settings);
        let stages = app.stages.iter();
        let stages =
            stages.map(|(stage, there)| (vec!["app", &app.name, "stage", stage], &there.app));
        for (path, settings) in std::iter::once(own).chain(stages) {
            let Some(scale) = settings.autoscaling.as_ref().filter(|it| it.max < it.min) else {
                continue;
            };
            let path = [&path[..], &["autoscaling", "max"]].concat();
            report.at(&path, format!("is less than `min`, which is {}", scale.min));
        }
    }
}

pub(super) fn thumbnail(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["app", _, "thumbnail"])) {
        if picture_type(leaf.text.as_ref()).is_none() {
            report.leaf(
                leaf,
                "must end in `.png`, `.jpg`, `.gif`, `.webp` or `.svg`",
            );
        }
    }
}

pub(super) fn vanity_url(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for leaf in book.texts(|keys| matches!(keys, ["app", .., "vanity-url"])) {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !leaf.text.chars().all(legal) {
            report.leaf(
                leaf,
                format!(
                    "must be letters, digits and `-`, not {}",
                    displayed(leaf.text)
                ),
            );
        }
    }
    let mut earlier = BTreeMap::new();
    for app in &book.file.apps {
        for stage in &book.file.stages {
            let Some(vanity) = app.settings_in(stage).vanity_url else {
                continue;
            };
            let by = (app.name.as_str(), stage.name.as_str());
            let place = (stage.host.as_str(), vanity.clone());
            let Some((other_app, other_stage)) = earlier.insert(place, by) else {
                continue;
            };
            report.sentence(
                &book.file.entity_key(Kind::App, &app.name, stage, &["vanity-url"]),
                format!(
                    "app `{}` in stage `{}` and app `{other_app}` in stage `{other_stage}` would both have the vanity URL \
                     {} on one Domino; give one of them another",
                    app.name,
                    stage.name,
                    displayed(&vanity)
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;

    fn app(keys: &str) -> Vec<String> {
        with(&format!("[app.a]\nentry-point = \"a.sh\"\n{keys}"))
    }

    #[test]
    fn an_app_has_at_most_as_many_instances_as_it_may() {
        assert_eq!(app("autoscaling = { min = 1, max = 1 }"), [""; 0]);
        assert_eq!(
            app(
                "autoscaling = { min = 1, max = 3 }\n[app.a.stage.prod]\nautoscaling = { min = 3, max = 2 }"
            ),
            ["`autoscaling.max` in `[app.a.stage.prod]` is less than `min`, which is 3"]
        );
    }

    #[test]
    fn a_vanity_url_is_of_one_app_in_one_stage() {
        assert_eq!(app("[app.a.stage.prod]\nvanity-url = \"wine\""), [""; 0]);
        assert_eq!(
            app("vanity-url = \"wine\""),
            [
                "app `a` in stage `prod` and app `a` in stage `dev` would both have the vanity URL `wine` on one Domino; \
                 give one of them another"
            ]
        );
        assert_eq!(
            app("[app.a.stage.prod]\nvanity-url = \"a/b\""),
            ["`vanity-url` in `[app.a.stage.prod]` must be letters, digits and `-`, not `a/b`"]
        );
    }

    #[test]
    fn a_thumbnail_is_a_picture_of_the_repository() {
        assert_eq!(app("thumbnail = \"pictures/wine.PNG\""), [""; 0]);
        assert_eq!(
            app("thumbnail = \"wine.txt\""),
            ["`thumbnail` in `[app.a]` must end in `.png`, `.jpg`, `.gif`, `.webp` or `.svg`"]
        );
        assert_eq!(app("thumbnail = \"../wine.png\"").len(), 1);
    }

    #[test]
    fn what_no_run_can_have_is_refused_with_the_reason() {
        let job = |key: &str| with(&format!("[job.score]\n{key}"));
        let says = |problems: Vec<String>| problems.join("\n");
        assert!(
            says(job("bundle = \"b\""))
                .contains("unknown key `bundle` in `[job.score]`: no API of Domino's takes one")
        );
        assert!(
            says(job("api = \"v4\""))
                .contains("unknown key `api` in `[job.score]`: one API of Domino's has all")
        );
    }
}
