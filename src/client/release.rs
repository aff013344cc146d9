//! What differs between releases in the clients' rules: one named switch each.

use crate::kafka::partitioner::Sticks;
use crate::release::Release;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ClientSwitches {
    /// With what a producer's records without a key stay together: KIP-480 before 3.3, KIP-794 since.
    pub producer_sticks: Sticks,
    /// KAFKA-17182 (4.0): a broker that leads a partition with buffered records gets no Fetch, which keeps fetch sessions stable.
    pub spare_buffered_brokers: bool,
    /// A KIP-848 member without auto-commit starts a revocation while its application is busy; since 4.2.1 (KAFKA-20332) every one waits for
    /// poll().
    pub background_revocations: bool,
    /// The assignment of a KIP-848 member is replaced by the application's thread, with or without a rebalance listener (4.3).
    pub assigns_in_poll: bool,
    /// poll() does not wait for its own auto-commit (KAFKA-18376, 4.2): its records may be collected before the positions are read.
    pub auto_commit_races: bool,
    /// OffsetCommit v10 (4.1) names topics by their ids, so that brokers since 4.3 know since when a member has a partition.
    pub commits_by_topic_id: bool,
    /// subscribe() with a new list (4.1): partitions of topics that are not in it are neither fetched nor returned any more, before they are
    /// revoked.
    pub unsubscribed_partitions_stop: bool,
    /// How long an idle pass of a KIP-848 client's poll loop blocks.
    pub idle_pass: IdlePass,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum IdlePass {
    /// Up to a heartbeat interval; 100 ms while a partition has no position.
    Long,
    /// As `Long`, and 100 ms without partitions (4.2).
    ShortWithoutPartitions,
    /// 100 ms (4.4).
    Short,
}

impl ClientSwitches {
    pub const fn of(release: Release) -> ClientSwitches {
        match release {
            Release::V2_8 => ClientSwitches { producer_sticks: Sticks::ToBatch, ..V3_9 },
            Release::V3_9 => V3_9,
            Release::V4_0_0 | Release::V4_0_1 | Release::V4_0_2 => V4_0,
            Release::V4_1_0 | Release::V4_1_2 => V4_1,
            Release::V4_2_0 => V4_2,
            Release::V4_2_1 => V4_2_1,
            Release::V4_3_0 | Release::V4_3_1 => V4_3,
            Release::V4_4_0 => ClientSwitches { idle_pass: IdlePass::Short, ..V4_3 },
        }
    }
}

const V3_9: ClientSwitches = ClientSwitches { spare_buffered_brokers: false, ..V4_0 };

const V4_0: ClientSwitches = ClientSwitches {
    producer_sticks: Sticks::ForBytes,
    spare_buffered_brokers: true,
    background_revocations: true,
    assigns_in_poll: false,
    auto_commit_races: false,
    commits_by_topic_id: false,
    unsubscribed_partitions_stop: false,
    idle_pass: IdlePass::Long,
};

const V4_1: ClientSwitches = ClientSwitches { commits_by_topic_id: true, unsubscribed_partitions_stop: true, ..V4_0 };

const V4_2: ClientSwitches = ClientSwitches { auto_commit_races: true, idle_pass: IdlePass::ShortWithoutPartitions, ..V4_1 };

const V4_2_1: ClientSwitches = ClientSwitches { background_revocations: false, ..V4_2 };

const V4_3: ClientSwitches = ClientSwitches { assigns_in_poll: true, ..V4_2_1 };
