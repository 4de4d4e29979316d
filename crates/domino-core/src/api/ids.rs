//! The ids of Domino's things, a type for each, so that a name or another thing's id cannot be sent in its place.

/// Defines the type of an id.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as Domino assigned it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// An app's id: 24 hexadecimal digits.
    AppId;
    /// The id of a version of an app. The oldest API has no versions; there it is the instance's id.
    AppVersionId;
    /// The id of one start of a version.
    AppInstanceId;
    /// A compute environment's id: 24 hexadecimal digits.
    EnvironmentId;
    /// An external volume's id: 24 hexadecimal digits.
    ExternalVolumeId;
    /// A policy's id: a UUID.
    PolicyId;
    /// A bundle's id: a UUID.
    BundleId;
    /// The id of an approval of one bundle: a UUID.
    ApprovalId;
    /// The id of an approval that a stage of a policy asks for: a UUID, the same for every bundle.
    PolicyApprovalId;
    /// A hardware tier's id: a free string such as `small-k8s`.
    HardwareTierId;
    /// A job's id: 24 hexadecimal digits.
    JobId;
    /// A model API's id: 24 hexadecimal digits.
    ModelApiId;
    /// The id of a version of a model API: 24 hexadecimal digits.
    ModelApiVersionId;
    /// A project's id: 24 hexadecimal digits.
    ProjectId;
    /// A scheduled job's key.
    ScheduleId;
    /// A user's id: 24 hexadecimal digits.
    UserId;
}
