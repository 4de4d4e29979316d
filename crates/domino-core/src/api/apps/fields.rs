//! Fields of a version that the stage file sets, in the places where Domino has them.

use serde_json::{Map, Value, json};
use stage_file::Autoscaling;

use super::carried::{Carried, is_nothing};
use crate::api::external_volumes::ExternalVolumeId;

/// What the stage file sets of a version; what is `None` stays what Domino has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionFields {
    /// The external volumes that are mounted.
    pub volumes: Option<Vec<ExternalVolumeId>>,
    /// The NetApp volumes that are mounted, by id.
    pub netapp_volumes: Option<Vec<String>>,
    /// How many instances serve it.
    pub autoscaling: Option<Autoscaling>,
    /// Whether it acts as the person who looks at it.
    pub viewer_identity: Option<bool>,
    /// The end of its address.
    pub vanity_url: Option<String>,
    /// The governance bundle that it belongs to.
    pub bundle: Option<String>,
}

/// The part of a version that holds a field; a generation without parts has them all in one.
#[derive(Debug, Clone, Copy)]
enum Part {
    Top,
    Content,
    Deployment,
}

impl VersionFields {
    fn all(&self) -> Vec<(Part, &'static str, Value)> {
        let volumes = self.volumes.as_ref().map(|ids| json!(ids));
        let netapp = self.netapp_volumes.as_ref().map(|ids| json!(ids));
        let viewer = self.viewer_identity.map(Value::Bool);
        let all = [
            (Part::Content, "externalVolumeMountIds", volumes),
            (Part::Content, "netAppVolumeIds", netapp),
            (
                Part::Content,
                "extendedIdentityPropagationToAppsEnabled",
                viewer,
            ),
            (
                Part::Deployment,
                "autoscalingSpecification",
                self.autoscaling.as_ref().map(specification),
            ),
            (
                Part::Deployment,
                "vanityUrl",
                self.vanity_url.clone().map(Value::from),
            ),
            (Part::Top, "bundleId", self.bundle.clone().map(Value::from)),
        ];
        all.into_iter()
            .filter_map(|(part, name, value)| Some((part, name, value?)))
            .collect()
    }

    /// Whether one is set that the oldest API does not have.
    pub fn need_newer_api(&self) -> Vec<&'static str> {
        let fields = [
            (self.autoscaling.is_some(), "autoscaling"),
            (self.viewer_identity.is_some(), "viewer-identity"),
            (self.vanity_url.is_some(), "vanity-url"),
            (self.bundle.is_some(), "bundle"),
        ];
        let fields = fields.into_iter();
        fields
            .filter_map(|(is_set, key)| is_set.then_some(key))
            .collect()
    }
}

impl Carried {
    /// Sets these fields; of an object that is there already, what is not set stays.
    pub fn set(&mut self, fields: &VersionFields) {
        for (part, name, value) in fields.all() {
            let parts = [&mut self.top, &mut self.content, &mut self.deployment];
            let old = parts
                .into_iter()
                .filter_map(|part| part.remove(name))
                .last();
            let value = match (old, value) {
                (Some(Value::Object(mut old)), Value::Object(new)) => {
                    old.extend(new);
                    Value::Object(old)
                }
                (_, value) => value,
            };
            let part = match part {
                Part::Top => &mut self.top,
                Part::Content => &mut self.content,
                Part::Deployment => &mut self.deployment,
            };
            part.insert(name.into(), value);
        }
    }

    /// Which of these fields are not so here: what people call each, what is there and what is set.
    pub fn differences(&self, fields: &VersionFields) -> Vec<(&'static str, String, String)> {
        let existing = self.flat();
        let is_other = |name: &str, wanted: &Value| match (existing.get(name), wanted) {
            (Some(Value::Object(existing)), Value::Object(wanted)) => wanted
                .iter()
                .any(|(name, value)| existing.get(name) != Some(value)),
            (existing, wanted) => {
                let existing = existing.unwrap_or(&Value::Null);
                existing != wanted && !(is_nothing(existing) && is_nothing(wanted))
            }
        };
        let all = fields.all().into_iter();
        all.filter(|(_, name, wanted)| is_other(name, wanted))
            .map(|(_, name, wanted)| {
                let existing = existing.get(name).map(in_short);
                let existing = existing.unwrap_or_else(|| "none".into());
                (Self::word(name), existing, in_short(&wanted))
            })
            .collect()
    }

    /// The same without these fields.
    pub fn without(&self, fields: &VersionFields) -> Self {
        let mut rest = self.clone();
        for (_, name, _) in fields.all() {
            for part in [&mut rest.top, &mut rest.content, &mut rest.deployment] {
                part.remove(name);
            }
        }
        rest
    }
}

fn in_short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(in_short).collect();
            items.join(", ")
        }
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| *name != "enabled");
            let fields: Vec<String> = fields
                .map(|(name, value)| format!("{name} {value}"))
                .collect();
            fields.join(", ")
        }
        other => other.to_string(),
    }
}

/// As Domino's API spells it.
fn specification(autoscaling: &Autoscaling) -> Value {
    let mut fields = Map::new();
    fields.insert("enabled".into(), true.into());
    let numbers = [
        ("minReplicas", Some(autoscaling.min)),
        ("maxReplicas", Some(autoscaling.max)),
        ("targetCpuAvgUtilizationPct", autoscaling.cpu),
        ("targetMemoryAvgUtilizationPct", autoscaling.memory),
        (
            "scaleUpStabilizationWindowSeconds",
            autoscaling.scale_up_after,
        ),
        (
            "scaleDownStabilizationWindowSeconds",
            autoscaling.scale_down_after,
        ),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            fields.insert(name.into(), number.into());
        }
    }
    if let Some(affinity) = autoscaling.session_affinity {
        fields.insert("useSessionAffinity".into(), affinity.into());
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> VersionFields {
        VersionFields {
            volumes: Some(vec![ExternalVolumeId::new("v1")]),
            autoscaling: Some(Autoscaling {
                min: 1,
                max: 3,
                cpu: Some(80),
                memory: None,
                scale_up_after: None,
                scale_down_after: None,
                session_affinity: None,
            }),
            viewer_identity: Some(false),
            vanity_url: Some("wine".into()),
            bundle: Some("b1".into()),
            netapp_volumes: Some(vec![]),
        }
    }

    fn carried(top: Value, content: Value, deployment: Value) -> Carried {
        let map = |value: Value| value.as_object().unwrap().clone();
        Carried::of(map(top), map(content), map(deployment))
    }

    #[test]
    fn each_field_goes_to_its_part_and_takes_the_place_of_the_one_before() {
        let scale = json!({"enabled": false, "useSessionAffinity": true});
        let mut version = carried(
            json!({"externalVolumeMountIds": ["old"], "autoscalingSpecification": scale, "more": 1}),
            json!({}),
            json!({"vanityUrl": "old"}),
        );
        assert_eq!(
            version.without(&fields()),
            carried(json!({"more": 1}), json!({}), json!({}))
        );
        let differences = version.differences(&fields());
        let words: Vec<&str> = differences.iter().map(|(word, ..)| *word).collect();
        assert_eq!(
            words,
            ["external volumes", "autoscaling", "vanity URL", "bundle"]
        );
        assert_eq!(differences[0].1, "old");
        assert_eq!(differences[0].2, "v1");
        version.set(&fields());
        let scale = json!({
            "enabled": true, "minReplicas": 1, "maxReplicas": 3, "targetCpuAvgUtilizationPct": 80,
            "useSessionAffinity": true,
        });
        let set = carried(
            json!({"more": 1, "bundleId": "b1"}),
            json!({
                "externalVolumeMountIds": ["v1"], "netAppVolumeIds": [],
                "extendedIdentityPropagationToAppsEnabled": false,
            }),
            json!({"autoscalingSpecification": scale, "vanityUrl": "wine"}),
        );
        assert_eq!(version, set);
        assert_eq!(version.differences(&fields()), []);
    }

    #[test]
    fn what_is_not_told_is_the_same_as_nothing() {
        let nothing = VersionFields {
            volumes: Some(vec![]),
            viewer_identity: Some(false),
            ..VersionFields::default()
        };
        assert_eq!(Carried::default().differences(&nothing), []);
        assert_eq!(nothing.need_newer_api(), ["viewer-identity"]);
    }
}
