//! The first narrow waist: a scenario, complete and valid.
//!
//! Everything that a run needs stands here with its default filled in and every name resolved to a dense id. [`check`] makes it out of the
//! file as written ([`file`]); code that gets a `Scenario` validates nothing again.

pub mod builtin;
mod cast;
pub mod check;
pub mod defaults;
pub mod deploy;
pub mod expectation;
pub mod file;
pub mod group_config;
pub mod keys;
pub mod quantity;
pub mod reader;
pub mod resolved;
pub mod subscription;
pub mod yaml;

use crate::error::Problems;
use crate::release::Release;
use crate::scenario::deploy::Deploy;
use crate::scenario::expectation::Expectation;
use crate::scenario::group_config::{ConsumerGroupConfig, GroupConfig};
use crate::scenario::keys::Keys;
use crate::scenario::subscription::{Pattern, Subscription};
use crate::terms::{ClientRequest, GroupProperty, GroupProtocol, Name, Peers};
use crate::units::{BrokerId, ClientId, GroupId, InstanceId, Instant, ProducerId, Rate, Span, TopicId};

#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    pub name: String,
    pub about: Option<String>,
    pub lesson: Option<String>,
    /// Whose defaults and behaviour hold.
    pub kafka: Releases,
    pub seed: u64,
    /// The run phase.
    pub duration: Span,
    /// Afterwards: run until everything is drained, or for so long.
    pub settle: Span,
    /// Of the lag series.
    pub sample_interval: Span,
    pub model: Model,
    pub cluster: Cluster,
    pub topics: Vec<Topic>,
    pub producers: Vec<Producer>,
    pub groups: Vec<Group>,
    /// Every consumer process that exists at some time, by [`ClientId`]; those of one group stand together.
    pub clients: Vec<Client>,
    /// `group.instance.id`s by [`InstanceId`].
    pub instances: Vec<String>,
    /// By [`PatternId`](crate::units::PatternId).
    pub patterns: Vec<Pattern>,
    /// Sorted by time, then by place in the file.
    pub timeline: Vec<TimelineEntry>,
    pub expect: Vec<Expectation>,
    /// Extra outputs that the file asks for.
    pub outputs: Outputs,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Releases {
    pub brokers: Release,
    pub clients: Release,
}

/// What of a real client's overhead is modelled; `model:` in the file.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Model {
    /// A start-up looks its coordinator up (one round trip), and requests to a partition leader wait behind a parked Fetch.
    pub real_client: bool,
    /// A committed position with a leader epoch is validated before the first Fetch (OffsetsForLeaderEpoch).
    pub validate_positions: bool,
    /// A busy member's heartbeats come later by so many millionths of the interval.
    pub heartbeat_drift: u64,
    /// A KIP-848 client that is blocked in poll() takes its part in a rebalance when a pass of its poll loop begins.
    pub app_passes: bool,
    /// A periodic auto-commit of KIP-848 clients since 4.2 covers the records that the same poll() returns.
    pub commit_race: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Cluster {
    pub brokers: u32,
    /// One way.
    pub latency: Distribution,
    pub write_latency: WriteLatency,
    /// How long a broker reads the groups' records when it becomes their coordinator.
    pub load_time: Span,
    pub config: BrokerConfig,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WriteLatency {
    /// By release and replication.
    Auto,
    Fixed(Span),
}

/// Broker properties that the model uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerConfig {
    pub group_initial_rebalance_delay: Span,
    pub group_min_session_timeout: Span,
    pub group_max_session_timeout: Span,
    pub group_max_size: u32,
    pub offsets_retention: Span,
    pub offsets_retention_check_interval: Span,
    pub offset_metadata_max_bytes: u32,
    pub consumer_groups: ConsumerGroupConfig,
    /// Zero where the coordinator does not wait: before 4.0 it has no such setting, and with -1 (since 4.2) an idle one does not.
    pub append_linger: Span,
    /// How long the controller waits for the heartbeat of a broker before it counts as dead.
    pub broker_session_timeout: Span,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// With its life, from the second on: `orders#2` was created after `orders` had been deleted.
    pub name: String,
    /// Which topic of this name it is, from 1.
    pub life: u32,
    /// `None`: it exists from the start.
    pub created: Option<Instant>,
    pub deleted: Option<Instant>,
    /// To begin with.
    pub partitions: u32,
    /// After the last growth that the timeline has.
    pub most_partitions: u32,
    pub replication_factor: u32,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Producer {
    pub name: String,
    pub topic: TopicId,
    /// What a producer writes to a later topic of the same name counts as that of a producer of its own: of which one it is the rest.
    pub continues: Option<ProducerId>,
    /// At least one, the first at 0 (perhaps with rate zero), times ascending. Timeline `rate` entries are not in here.
    pub steps: Vec<RateStep>,
    pub arrivals: Arrivals,
    pub keys: Keys,
    /// Bytes of the value.
    pub record_size: u64,
    pub config: ProducerConfig,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct RateStep {
    pub at: Instant,
    pub rate: Rate,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Arrivals {
    Even,
    Poisson,
}

/// Producer properties that the model uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerConfig {
    pub acks_all: bool,
    /// acks=0.
    pub acks_none: bool,
    pub linger: Span,
    pub batch_size: u64,
    pub max_in_flight: u32,
    pub metadata_max_age: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    pub name: String,
    /// All that any of its members is ever subscribed to.
    pub topics: Vec<TopicId>,
    pub config: GroupConfig,
    pub first_client: ClientId,
    /// How many clients, scaled-up ones included.
    pub clients: u32,
}

/// A consumer process: its name and how it is set up.
#[derive(Clone, PartialEq, Debug)]
pub struct Client {
    pub name: String,
    pub group: GroupId,
    /// `None`: only when the timeline starts it (`start`, `scale`).
    pub start: Option<Instant>,
    pub instance: Option<InstanceId>,
    /// What it subscribes to when it starts.
    pub subscription: Subscription,
    pub config: ConsumerConfig,
    pub poll_timeout: Span,
    pub processing: Processing,
    pub commit: Commit,
    /// `None`: the application registers no rebalance listener.
    pub on_revoke: Option<Listener>,
}

/// Consumer properties that the model uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerConfig {
    pub protocol: GroupProtocol,
    /// group.remote.assignor
    pub remote_assignor: Option<Name>,
    pub session_timeout: Span,
    pub heartbeat_interval: Span,
    pub max_poll_interval: Span,
    pub max_poll_records: u32,
    pub assignors: Vec<AssignorName>,
    pub auto_commit_interval: Span,
    pub auto_offset_reset: AutoOffsetReset,
    pub fetch_min_bytes: u64,
    pub fetch_max_wait: Span,
    pub fetch_max_bytes: u64,
    pub max_partition_fetch_bytes: u64,
    pub metadata_max_age: Span,
    pub request_timeout: Span,
    pub default_api_timeout: Span,
    pub retry_backoff: Span,
    pub retry_backoff_max: Span,
}

/// A client-side assignor by its name in the protocol list.
pub type AssignorName = Name;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum AutoOffsetReset {
    Earliest,
    Latest,
    None,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Processing {
    pub per_record: Distribution,
    /// Added once for each poll that returned records, before the first of them.
    pub per_batch: Span,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Commit {
    Auto,
    /// commitSync after each batch.
    Sync,
    /// commitAsync after each batch.
    Async,
    /// commitSync after so many records of a batch, and at its end.
    Every(u32),
    /// commitSync right after poll(), before anything is processed.
    BeforeProcessing,
    /// Never.
    External,
}

/// What the application's rebalance listener does.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Listener {
    /// commitSync in onPartitionsRevoked.
    pub commit: bool,
    /// How long onPartitionsRevoked and onPartitionsLost take, if there is something to give up.
    pub takes: Span,
}

/// A random or constant length of time.
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    Constant(Span),
    /// Both ends included.
    Uniform {
        from: Span,
        to: Span,
    },
    Exponential {
        mean: Span,
    },
    /// Cut off at zero.
    Normal {
        mean: Span,
        sd: Span,
    },
    /// By median and 99th percentile.
    LogNormal {
        p50: Span,
        p99: Span,
    },
    /// Scale (the smallest value) and shape.
    Pareto {
        scale: Span,
        shape: f64,
    },
    /// One of these, each as likely.
    Values(Vec<Span>),
}

#[derive(Clone, PartialEq, Debug)]
pub struct TimelineEntry {
    pub at: Instant,
    pub verb: Verb,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Verb {
    Crash(ClientId),
    /// Perhaps with other properties than before.
    Start {
        client: ClientId,
        deploy: Option<Deploy>,
    },
    Stop(ClientId),
    Pause {
        client: ClientId,
        lasts: Span,
    },
    /// Processing takes `factor` thousandths of its time, for ever without `lasts`.
    Slow {
        client: ClientId,
        factor: u64,
        lasts: Option<Span>,
    },
    Rate {
        producer: ProducerId,
        rate: Rate,
    },
    Partitions {
        topic: TopicId,
        to: u32,
    },
    CreateTopic(TopicId),
    DeleteTopic(TopicId),
    /// The application calls subscribe() with something else.
    Subscribe {
        client: ClientId,
        to: Subscription,
    },
    /// A property of the group is set on the brokers.
    GroupConfig {
        group: GroupId,
        property: GroupProperty,
        value: Span,
    },
    /// Starts the clients from `members` down the list that are not running, or stops the last ones.
    Scale {
        group: GroupId,
        members: u32,
    },
    RollingRestart {
        group: GroupId,
        every: Span,
        down: Span,
        deploy: Option<Deploy>,
    },
    /// Without `lasts`: until the run phase ends, here and below.
    Disconnect {
        client: ClientId,
        from: Peers,
        lasts: Option<Span>,
    },
    /// Requests of one kind are lost or late: for so long, or so many of them.
    Disturb {
        client: ClientId,
        request: ClientRequest,
        how: Disturbance,
        lasts: Option<Span>,
        count: Option<u32>,
    },
    BrokerDown {
        broker: BrokerId,
        lasts: Option<Span>,
    },
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Disturbance {
    Drop,
    Delay(Span),
}

/// Outputs beyond those that every run writes.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Outputs {
    pub trace: bool,
}

/// Text to scenario, with warnings; or all that is wrong with it. `file` is what messages call the text, and where a scenario without a
/// name gets its name from.
pub fn load(text: &str, file: &str) -> Result<(Scenario, Problems), Problems> {
    check::load(text, file)
}
