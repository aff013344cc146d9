//! What the groups of one shard share, and one turn of its event loop.

use std::collections::BTreeMap;

use crate::effects::Effects;
use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::coordinator::timers::{CoordinatorTimer, Timers};
use crate::kafka::coordinator::writes::{Deferred, WriteLatency, Writes};
use crate::kafka::group::classic::stored::StoredGroup;
use crate::kafka::group::consumer::ConsumerGroup;
use crate::kafka::group::consumer::topics::Topics;
use crate::kafka::message::GroupResponse;
use crate::kafka::release::Switches;
use crate::terms::MigrationPolicy;
use crate::trace::TraceEvent;
use crate::units::{ClientId, GroupId, Instant, MemberId, Span};

/// A request while it is handled or parked: whoever sent it knows what it stands for.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub ticket: Ticket,
    pub response: GroupResponse,
}

pub type CoordinatorEffects = Effects<Answer, CoordinatorTimer>;

/// Broker properties of the group coordinator.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct CoordinatorConfig {
    /// group.initial.rebalance.delay.ms
    pub initial_rebalance_delay: Span,
    /// group.min.session.timeout.ms
    pub min_session_timeout: Span,
    /// group.max.session.timeout.ms
    pub max_session_timeout: Span,
    /// group.max.size
    pub max_size: u32,
    /// offsets.retention.minutes
    pub offsets_retention: Span,
    /// offsets.retention.check.interval.ms
    pub retention_check_interval: Span,
    /// offset.metadata.max.bytes
    pub offset_metadata_max_bytes: u32,
    /// Commits for partitions that do not exist are refused, which KafkaApis does before a coordinator gets to see them.
    pub checks_topics: bool,
    pub write_latency: WriteLatency,
    pub consumer: ConsumerGroupConfig,
    pub switches: Switches,
}

/// Broker properties of KIP-848 groups.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ConsumerGroupConfig {
    /// group.consumer.session.timeout.ms
    pub session_timeout: Span,
    /// group.consumer.heartbeat.interval.ms
    pub heartbeat_interval: Span,
    /// group.consumer.max.size
    pub max_size: u32,
    /// The first of group.consumer.assignors: that of groups whose members name none.
    pub default_assignor: ServerAssignor,
    /// Both assignors are in group.consumer.assignors; else only the first is.
    pub all_assignors: bool,
    /// group.consumer.migration.policy
    pub migration: MigrationPolicy,
    /// group.consumer.assignment.interval.ms; it does nothing before 4.3.
    pub assignment_interval: Span,
    /// group.consumer.regex.refresh.interval.ms; it does nothing before 4.1.
    pub regex_refresh_interval: Span,
}

/// What a KIP-848 group has of its own instead of the broker properties (GroupConfig); `None`: it has the brokers'.
#[derive(Copy, Clone, PartialEq, Eq, Default, Debug)]
pub struct GroupConfig {
    /// consumer.session.timeout.ms
    pub session_timeout: Option<Span>,
    /// consumer.heartbeat.interval.ms
    pub heartbeat_interval: Option<Span>,
    /// consumer.assignment.interval.ms
    pub assignment_interval: Option<Span>,
}

impl ConsumerGroupConfig {
    pub const DEFAULT: ConsumerGroupConfig = ConsumerGroupConfig {
        session_timeout: Span::from_secs(45),
        heartbeat_interval: Span::from_secs(5),
        max_size: i32::MAX as u32,
        default_assignor: ServerAssignor::Uniform,
        all_assignors: true,
        migration: MigrationPolicy::Bidirectional,
        assignment_interval: Span::from_secs(1),
        regex_refresh_interval: Span::from_secs(600),
    };

    /// With what a group has of its own.
    pub fn of_group(&self, own: &GroupConfig) -> ConsumerGroupConfig {
        ConsumerGroupConfig {
            session_timeout: own.session_timeout.unwrap_or(self.session_timeout),
            heartbeat_interval: own.heartbeat_interval.unwrap_or(self.heartbeat_interval),
            assignment_interval: own.assignment_interval.unwrap_or(self.assignment_interval),
            ..*self
        }
    }

    pub fn has(&self, assignor: ServerAssignor) -> bool {
        self.all_assignors || assignor == self.default_assignor
    }
}

impl CoordinatorConfig {
    /// Kafka's defaults, and writes that take no time.
    pub const fn defaults(switches: Switches) -> Self {
        CoordinatorConfig {
            initial_rebalance_delay: Span::from_secs(3),
            min_session_timeout: Span::from_secs(6),
            max_session_timeout: Span::from_secs(1800),
            max_size: i32::MAX as u32,
            offsets_retention: Span::from_secs(7 * 24 * 3600),
            retention_check_interval: Span::from_secs(600),
            offset_metadata_max_bytes: 4096,
            checks_topics: false,
            write_latency: WriteLatency { linger: Span::ZERO, replication: Span::ZERO },
            consumer: ConsumerGroupConfig::DEFAULT,
            switches,
        }
    }
}

/// Gives out member ids.
#[derive(Clone, Debug, Default)]
pub struct MemberIds {
    last: BTreeMap<ClientId, u32>,
    given: u64,
}

impl MemberIds {
    /// A fresh id, and its place among all ids of the shard.
    pub fn next(&mut self, client: ClientId) -> (MemberId, u64) {
        let number = self.last.entry(client).or_default();
        *number += 1;
        let number = *number;
        (MemberId { client, number }, self.place())
    }

    /// The next place.
    pub fn place(&mut self) -> u64 {
        self.given += 1;
        self.given
    }
}

/// Everything of a shard but its groups and offsets.
#[derive(Clone, Debug)]
pub struct Shard {
    pub config: CoordinatorConfig,
    /// Of groups that have settings of their own.
    pub group_configs: BTreeMap<GroupId, GroupConfig>,
    pub timers: Timers,
    pub writes: Writes,
    pub member_ids: MemberIds,
    /// The last record of each classic group in the log.
    pub stored: BTreeMap<GroupId, StoredGroup>,
    /// The KIP-848 groups while nobody here coordinates them: all of them is in the log.
    pub stored_consumers: BTreeMap<GroupId, ConsumerGroup>,
    /// The cluster's topics as far as they are known here.
    pub topics: Topics,
}

/// One turn of the event loop: its time, the shard, and where answers and facts go.
pub struct Turn<'a> {
    pub now: Instant,
    pub shard: &'a mut Shard,
    pub fx: &'a mut CoordinatorEffects,
}

impl Turn<'_> {
    pub fn config(&self) -> &CoordinatorConfig {
        &self.shard.config
    }

    /// The settings that hold for a KIP-848 group.
    pub fn group_config(&self, group: GroupId) -> ConsumerGroupConfig {
        let own = self.shard.group_configs.get(&group);
        own.map_or(self.config().consumer, |own| self.config().consumer.of_group(own))
    }

    pub fn emit(&mut self, fact: TraceEvent) {
        self.fx.emit(fact);
    }

    pub fn arm(&mut self, timer: CoordinatorTimer, delay: Span) {
        self.shard.timers.arm(timer, self.now + delay);
    }

    pub fn cancel(&mut self, timer: CoordinatorTimer) {
        self.shard.timers.cancel(timer);
    }

    /// Answers at once.
    pub fn answer(&mut self, ticket: Ticket, response: GroupResponse) {
        self.fx.send(Answer { ticket, response });
    }

    /// Answers an operation that wrote nothing: behind the open writes of the shard, if there are any.
    pub fn answer_behind_writes(&mut self, ticket: Ticket, response: GroupResponse) {
        let answer = Answer { ticket, response };
        if let Some(Deferred::Answer(answer)) = self.shard.writes.queue_behind(Deferred::Answer(answer)) {
            self.fx.send(answer);
        }
    }

    /// Appends records; `then` happens when they are replicated.
    pub fn write(&mut self, then: Deferred) {
        let latency = self.config().write_latency;
        self.shard.writes.append(self.now, latency, then);
    }

    /// Appends the records of an operation and answers it when they are replicated.
    pub fn answer_when_written(&mut self, ticket: Ticket, response: GroupResponse) {
        self.write(Deferred::Answer(Answer { ticket, response }));
    }
}
