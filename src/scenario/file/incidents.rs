//! What may befall members, as expectations write it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::expect::count;
use super::shapes::Shapes;

/// A number of incidents, or a map that says which ones count. `W`: what they are told apart by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IncidentsFile<W> {
    Exactly(u64),
    Bounds(IncidentBounds<W>),
}

/// Bounds of a number of incidents.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "{W}Bounds")]
pub struct IncidentBounds<W> {
    /// The group that is meant. Default: all of them.
    pub group: Option<String>,
    /// The member that is meant, such as billing/B, in all of its lives. Default: all of them.
    pub member: Option<String>,
    /// Why it was removed, or the exception that its application saw. Default: whatever it is.
    pub why: Option<W>,
    /// Exactly so many.
    pub exactly: Option<u64>,
    /// At least so many.
    #[serde(rename = "at.least")]
    pub at_least: Option<u64>,
    /// At most so many.
    #[serde(rename = "at.most")]
    pub at_most: Option<u64>,
}

/// Why the coordinator removes somebody.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Removal")]
pub enum RemovalFile {
    /// LeaveGroup.
    Left,
    /// Its session timed out.
    SessionExpired,
    /// A new member waited for five minutes.
    NewMemberTimedOut,
    /// It had not rejoined when the join phase ended.
    JoinTimedOut,
    /// It had not sent SyncGroup in time.
    SyncTimedOut,
    /// group.max.size.
    GroupFull,
    /// It did not give partitions up in time (KIP-848).
    RevocationTimedOut,
    /// It had joined since the group was last written, and the coordinator failed over.
    Forgotten,
    /// The id that it got with MEMBER_ID_REQUIRED was dropped before it came back with it.
    Pending,
}

/// What a commit fails with.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "CommitException")]
pub enum CommitExceptionFile {
    CommitFailedException,
    RebalanceInProgressException,
    FencedInstanceIdException,
    /// Of a commit that is not tried again: commitAsync() and automatic commits.
    RetriableCommitFailedException,
    /// Of commitSync(), after default.api.timeout.ms.
    TimeoutException,
    StaleMemberEpochException,
}

/// What ends a process.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "FatalException")]
pub enum FatalExceptionFile {
    FencedInstanceIdException,
    InconsistentGroupProtocolException,
    InvalidSessionTimeoutException,
    GroupMaxSizeReachedException,
    NoOffsetForPartitionException,
    UnreleasedInstanceIdException,
    UnsupportedAssignorException,
    GroupIdNotFoundException,
    UnsupportedVersionException,
}

impl<'de, W: Deserialize<'de>> Deserialize<'de> for IncidentsFile<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shapes::new("a number, or bounds such as {member: billing/B, exactly: 1}", |text| count(text).map(IncidentsFile::Exactly))
            .long(IncidentsFile::Bounds)
            .read(deserializer)
    }
}

impl<W: JsonSchema> JsonSchema for IncidentsFile<W> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Count", W::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer", "minimum": 0}, generator.subschema_for::<IncidentBounds<W>>()]})
    }
}
