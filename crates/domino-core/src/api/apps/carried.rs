//! What a version of an app has beyond what a deployment decides: volumes, autoscaling, tags and whatever else somebody
//! set. A new version is made whole, so that this is sent back as it was read, also what we do not know.

use serde_json::{Map, Value, json};

/// Such fields, in the places where Domino has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// Beside the parts; where a generation has no parts, all of it.
    pub(super) top: Map<String, Value>,
    /// In `content`.
    pub(super) content: Map<String, Value>,
    /// In `deployment`.
    pub(super) deployment: Map<String, Value>,
}

/// What people call these fields.
const WORDS: &[(&str, &str)] = &[
    ("externalVolumeMountIds", "external volumes"),
    ("netAppVolumeIds", "NetApp volumes"),
    ("autoscalingSpecification", "autoscaling"),
    (
        "extendedIdentityPropagationToAppsEnabled",
        "viewer identity",
    ),
    ("bundleId", "bundle"),
    ("tags", "tags"),
    ("vanityUrl", "vanity URL"),
    ("mountDatasets", "data sets"),
    ("renderIFrame", "frame"),
    ("description", "description of the version"),
];

/// What Domino says of a version by itself, and nobody sends.
const BY_DOMINO: &[&str] = &[
    "id",
    "createdAt",
    "updatedAt",
    "publisher",
    "versionNumber",
    "bundleName",
    "isPinned",
    "currentInstance",
    // The hardware tier decides it, and may be another one next time.
    "dataPlaneId",
    // A request has these in another form.
    "importedGitRepoRefs",
];

/// Which code runs and what starts it is for the commit and the stage file to say.
const OF_ONE_VERSION: &[&str] = &["dfsCommitId", "entryScript"];

impl Carried {
    /// What is left of a reply when the fields are taken that have a name of ours.
    pub(super) fn of(
        mut top: Map<String, Value>,
        content: Map<String, Value>,
        deployment: Map<String, Value>,
    ) -> Self {
        if let Some(id) = top
            .remove("bundle")
            .and_then(|bundle| bundle.get("id").cloned())
        {
            top.entry("bundleId").or_insert(id);
        }
        let kept = |mut part: Map<String, Value>| {
            part.retain(|name, value| !value.is_null() && !BY_DOMINO.contains(&name.as_str()));
            part
        };
        Self {
            top: kept(top),
            content: kept(content),
            deployment: kept(deployment),
        }
    }

    /// All of it in one place, as a generation without parts takes it.
    pub(super) fn flat(&self) -> Map<String, Value> {
        let mut all = self.deployment.clone();
        all.extend(self.content.clone());
        all.extend(self.top.clone());
        all
    }

    /// What the next version takes over.
    pub fn for_next_version(&self) -> Self {
        let kept = |part: &Map<String, Value>| {
            let mut part = part.clone();
            part.retain(|name, _| !OF_ONE_VERSION.contains(&name.as_str()));
            part
        };
        Self {
            top: kept(&self.top),
            content: kept(&self.content),
            deployment: kept(&self.deployment),
        }
    }

    /// The script that starts it in place of the entry point, if one is given with the version.
    pub fn has_entry_script(&self) -> bool {
        let name = "entryScript";
        self.top.contains_key(name) || self.content.contains_key(name)
    }

    /// What of it somebody has set, in words; a tag of this key is no matter of theirs.
    pub fn words(&self, own_tag: &str) -> Vec<String> {
        let set = self.flat();
        let set = set.iter().filter(|(name, value)| match value {
            Value::Array(tags) if *name == "tags" => tags.iter().any(|tag| tag["key"] != own_tag),
            value => !is_nothing(value),
        });
        set.map(|(name, _)| {
            let known = WORDS.iter().find(|(known, _)| known == name);
            known.map_or_else(|| format!("`{name}`"), |(_, words)| (*words).to_owned())
        })
        .collect()
    }

    /// What is set here and is not the same there, in words. What Domino may decide itself is not compared.
    pub fn lost_in(&self, other: &Self) -> Vec<&'static str> {
        let (set, others) = (self.flat(), other.flat());
        let is_lost = |name: &str| {
            let set = set.get(name).filter(|value| !is_nothing(value));
            set.is_some_and(|value| others.get(name) != Some(value))
        };
        WORDS
            .iter()
            .filter(|(name, _)| is_lost(name))
            .map(|(_, words)| *words)
            .collect()
    }

    /// The id of the governance bundle that it belongs to.
    pub fn bundle(&self) -> Option<&str> {
        let parts = [&self.top, &self.content, &self.deployment];
        parts
            .into_iter()
            .find_map(|part| part.get("bundleId")?.as_str())
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        let tags = self.top.get("tags")?.as_array()?;
        tags.iter().find(|tag| tag["key"] == key)?["value"].as_str()
    }

    /// Sets a tag, in place of an earlier one of that key.
    pub fn set_tag(&mut self, key: &str, value: &str) {
        let tags = self.top.entry("tags").or_insert_with(|| json!([]));
        if let Value::Array(tags) = tags {
            tags.retain(|tag| tag["key"] != key);
            tags.push(json!({ "key": key, "value": value }));
        }
    }
}

/// Whether a value is what a field that is left out means.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.get("enabled") == Some(&Value::Bool(false)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_domino_says_by_itself_is_not_sent_and_everything_else_is() {
        let carried = Carried::of(
            map(json!({
                "createdAt": 1, "versionNumber": 3, "bundle": {"id": "b1"}, "tags": [{"key": "team", "value": "wine"}],
                "somethingNew": {"a": 1}, "nothing": null,
            })),
            map(
                json!({"externalVolumeMountIds": ["v1"], "dataPlaneId": "p", "dfsCommitId": "d", "entryScript": "x"}),
            ),
            map(json!({"autoscalingSpecification": {"enabled": true}})),
        );
        let next = carried.for_next_version();
        assert_eq!(
            Value::Object(next.flat()),
            json!({
                "bundleId": "b1", "tags": [{"key": "team", "value": "wine"}], "somethingNew": {"a": 1},
                "externalVolumeMountIds": ["v1"], "autoscalingSpecification": {"enabled": true},
            })
        );
        assert!(carried.has_entry_script() && !next.has_entry_script());
        assert_eq!(
            next.words("ours"),
            [
                "autoscaling",
                "bundle",
                "external volumes",
                "`somethingNew`",
                "tags"
            ]
        );
    }

    #[test]
    fn our_tag_takes_the_place_of_our_last_one_and_leaves_the_others() {
        let mut carried = Carried::default();
        carried.set_tag("ours", "1");
        assert!(carried.words("ours").is_empty());
        carried.top["tags"]
            .as_array_mut()
            .unwrap()
            .push(json!({"key": "team", "value": "wine"}));
        carried.set_tag("ours", "2");
        assert_eq!(carried.tag("ours"), Some("2"));
        assert_eq!(carried.tag("team"), Some("wine"));
        assert_eq!(carried.words("ours"), ["tags"]);
    }
}
