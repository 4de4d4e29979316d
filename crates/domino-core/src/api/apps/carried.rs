//! What a version of an app has beyond what a deployment decides: volumes, autoscaling, tags and whatever else
//! somebody set. A new version is sent whole. So these fields are sent back as they were read, including ones that we
//! do not know.

use serde_json::{Map, Value, json};

/// Such fields, each where Domino has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// Outside `content` and `deployment`; for a generation without those, all fields.
    pub(super) top: Map<String, Value>,
    pub(super) content: Map<String, Value>,
    pub(super) deployment: Map<String, Value>,
}

/// The words that people use for these fields.
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

/// Fields that Domino sets by itself and no request contains.
const BY_DOMINO: &[&str] = &[
    "id",
    "createdAt",
    "updatedAt",
    "publisher",
    "versionNumber",
    "bundleName",
    "isPinned",
    "currentInstance",
    // The hardware tier decides it, so it may differ in the next version.
    "dataPlaneId",
    // A request writes these in another form.
    "importedGitRepoRefs",
];

/// The commit and the stage file decide which code runs and what starts it.
const OF_ONE_VERSION: &[&str] = &["dfsCommitId", "entryScript"];

impl Carried {
    /// What remains of a reply without the fields that are read by name.
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

    /// All fields in one place, as a generation without parts takes them.
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

    /// Whether the version has a script of its own in place of the app's entry point.
    pub fn has_entry_script(&self) -> bool {
        let name = "entryScript";
        self.top.contains_key(name) || self.content.contains_key(name)
    }

    /// The settings that somebody made, in words. A tag of this key is ours and does not count.
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

    /// What is set here and differs there, in words. What Domino may decide itself is not compared.
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

    /// What people call a field that the stage file knows.
    pub(super) fn word(name: &str) -> &'static str {
        let known = WORDS.iter().find(|(known, _)| *known == name);
        known.map_or("a field", |(_, word)| word)
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

    /// Sets a tag, replacing an earlier value of that key.
    pub fn set_tag(&mut self, key: &str, value: &str) {
        let tags = self.top.entry("tags").or_insert_with(|| json!([]));
        if let Value::Array(tags) = tags {
            tags.retain(|tag| tag["key"] != key);
            tags.push(json!({ "key": key, "value": value }));
        }
    }
}

/// Whether a value means the same as a field that is left out.
pub(super) fn is_nothing(value: &Value) -> bool {
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
