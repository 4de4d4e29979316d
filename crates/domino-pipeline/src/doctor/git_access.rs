//! Which git credential Domino uses to clone the project's repository for this account: without one, the first run of
//! a new set-up fails at the clone.

use domino_core::api::git_credentials::{CredentialMapping, GitCredential};
use domino_core::api::projects::Project;
use domino_core::api::users::User;
use domino_core::client::Reader;

use super::finding::Finding;

/// No finding if the repository needs no credential, or the project has no repository.
pub(super) async fn look(reader: &Reader, user: &User, project: &Project) -> Option<Finding> {
    let host = host_of(project.repository.as_deref()?)?;
    let (credentials, mappings, repository) = tokio::join!(
        reader.git_credentials(&user.id),
        reader.credential_mappings(&project.id),
        reader.main_repository_id(&project.id),
    );
    let asked = async { Ok((credentials?, mappings?, repository?)) };
    let known = match asked.await {
        Ok((credentials, mappings, repository)) => Known {
            name: &user.user_name,
            host,
            credentials,
            mapping: repository.zip(mappings).map(|(repository, mappings)| {
                let mut all = mappings.into_iter();
                all.find(|one| one.user_id == user.id && one.repo_id == repository)
            }),
        },
        Err(error) => {
            let error: domino_core::client::ApiError = error;
            return Some(Finding::of_error("git credential", &error.into()));
        }
    };
    Some(known.finding())
}

/// What was read; `None` is what cannot be read from here.
struct Known<'a> {
    name: &'a str,
    /// The host of the repository.
    host: String,
    credentials: Option<Vec<GitCredential>>,
    mapping: Option<Option<CredentialMapping>>,
}

impl Known<'_> {
    fn finding(self) -> Finding {
        let Self { name, host, .. } = &self;
        let mapping = self.mapping.as_ref().and_then(Option::as_ref);
        let mapped = mapping.and_then(|mapping| mapping.credential_id.as_deref());
        let credentials = self.credentials.as_deref();
        if let Some(id) = mapped {
            let known = credentials.into_iter().flatten().find(|one| one.id == id);
            let called =
                known.map_or_else(|| format!("`{id}`"), |known| format!("`{}`", known.name));
            return Finding::well(format!(
                "git credential {called} of `{name}` clones the repository"
            ));
        }
        let of_host = credentials.map(|all| {
            let mut all = all.iter();
            all.find(|one| one.domain.eq_ignore_ascii_case(host))
        });
        match (of_host, self.mapping.is_some()) {
            (Some(None), _) => Finding::wrong(
                format!("`{name}` has no git credential for `{host}`"),
                format!(
                    "give it one, and map it to the repository of the project: without it a private repository is not \
                     cloned, and the first run of `{name}` ends"
                ),
            ),
            (Some(Some(one)), true) => Finding::NotAsked(
                format!(
                    "git credential `{}` of `{name}` for `{host}` is not mapped to the repository",
                    one.name
                ),
                "choose it in the project's settings of the repository: whether Domino takes it by itself cannot be seen \
                 from here"
                    .into(),
            ),
            (known, _) => {
                let what = match known.flatten() {
                    Some(one) => format!("whether git credential `{}` is used", one.name),
                    None => format!("the git credential of `{name}` for `{host}`"),
                };
                Finding::NotAsked(
                    format!("{what} cannot be seen from here"),
                    "look at *Git credentials* of the account, and at the repository in the project's settings".into(),
                )
            }
        }
    }
}

/// The host of a repository's address, in any form that git accepts; absent for one on this machine.
fn host_of(address: &str) -> Option<String> {
    let rest = match address.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest,
        // `git@github.com:owner/name`
        None => address.split_once(':').map(|(host, _)| host)?,
    };
    let authority = rest.split('/').next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(credentials: Option<&[&str]>, mapping: Option<Option<&str>>) -> String {
        let credential = |host: &&str| GitCredential {
            id: "g1".into(),
            name: "ci".into(),
            domain: (*host).to_owned(),
        };
        let known = Known {
            name: "ci-bot",
            host: "github.com".into(),
            credentials: credentials.map(|hosts| hosts.iter().map(credential).collect()),
            mapping: mapping.map(|id| {
                id.map(|id| CredentialMapping {
                    user_id: domino_core::api::users::UserId::new("u1"),
                    repo_id: "r1".into(),
                    credential_id: Some(id.to_owned()),
                })
            }),
        };
        known.finding().to_string()
    }

    #[test]
    fn a_credential_that_is_mapped_is_well_and_none_is_wrong() {
        let mapped = "ok git credential `ci` of `ci-bot` clones the repository";
        assert_eq!(told(Some(&["github.com"]), Some(Some("g1"))), mapped);
        assert_eq!(
            told(Some(&[]), Some(Some("g7"))),
            mapped.replace("`ci` of", "`g7` of")
        );
        for mapping in [None, Some(None)] {
            let none = told(Some(&["gitlab.com"]), mapping);
            assert!(
                none.starts_with("!! `ci-bot` has no git credential for `github.com` → give"),
                "{none}"
            );
        }
    }

    #[test]
    fn what_cannot_be_seen_is_told_with_where_to_look() {
        let unmapped = told(Some(&["GitHub.com"]), Some(None));
        assert!(
            unmapped
                .starts_with("-- git credential `ci` of `ci-bot` for `github.com` is not mapped")
        );
        for (credentials, what) in [
            (
                Some(&["github.com"][..]),
                "-- whether git credential `ci` is used",
            ),
            (None, "-- the git credential of `ci-bot` for `github.com`"),
        ] {
            let hidden = told(credentials, None);
            assert!(
                hidden.starts_with(&format!("{what} cannot be seen from here → look")),
                "{hidden}"
            );
        }
    }

    #[test]
    fn the_host_is_found_in_every_form_of_an_address() {
        for (address, host) in [
            ("https://github.com/a/b.git", Some("github.com")),
            (
                "https://x:y@Git.Example.com:8443/a/b",
                Some("git.example.com"),
            ),
            ("git@github.com:a/b.git", Some("github.com")),
            ("ssh://git@github.com/a/b", Some("github.com")),
            ("file:///tmp/x", None),
            ("/tmp/x", None),
        ] {
            assert_eq!(host_of(address).as_deref(), host, "{address}");
        }
    }
}
