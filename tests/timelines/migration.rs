//! A mixed group to the millisecond: a member of the consumer protocol joins two classic ones, and leaves them again.

use crate::story::{Story, play};

/// M1 and M2 (range, eager) from the start, M3 with the consumer protocol from 20 s on, until it is stopped at 30 s.
fn upgrade_and_downgrade(policy: &str) -> Story {
    play(&format!(
        "
        kafka: \"4.3\"
        cluster: {{write.latency: 0ms, config: {{group.consumer.migration.policy: {policy}}}}}
        topics: {{t: 4}}
        producers:
          p: {{topic: t, rate: 2/s, keys: {{prefix: key-, count: 10}}, record.size: 100B, config: {{linger.ms: 0}}}}
        groups:
          g:
            topics: [t]
            members: {{M1: , M2: , M3: {{start: 20s, config: {{group.protocol: consumer}}}}}}
            processing: 0ms
            commit: auto
            config: {{auto.offset.reset: earliest, partition.assignment.strategy: [range], session.timeout.ms: 45000}}
        duration: 40s
        timeline: [{{at: 30s, stop: g/M3}}]
        "
    ))
}

#[test]
fn the_first_heartbeat_of_the_consumer_protocol_upgrades_a_classic_group() {
    upgrade_and_downgrade("bidirectional").shows(&[
        (6006, "M1", "assigned t-0..1 as M1"),
        (6006, "M2", "assigned t-2..3 as M2"),
        (20_001, "g", "runs the consumer protocol from epoch 1 on"),
        (20_001, "g", "M3 added"),
        (20_001, "g", "epoch 2, member joined: M3"),
        (20_001, "g", "target of epoch 2: M1 t-0..1; M2 t-2; M3 t-3"),
        (20_001, "g", "M3 UNRELEASED_PARTITIONS at epoch 2: nothing"),
        (21_005, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (21_005, "g", "heartbeat of M2: REBALANCE_IN_PROGRESS"),
        (21_008, "M1", "revoked t-0..1"),
        (21_008, "M2", "revoked t-2..3"),
        // The JoinGroup is answered at once, and SyncGroup brings what the coordinator has decided.
        (21_009, "g", "M1 STABLE at epoch 2: t-0..1"),
        (21_009, "g", "M2 STABLE at epoch 2: t-2"),
        (21_012, "M1", "assigned t-0..1 as M1"),
        (21_012, "M2", "assigned t-2 as M2"),
        (24_011, "g", "heartbeat of M1: NONE"),
        (25_003, "g", "M3 STABLE at epoch 2: t-3"),
        (25_004, "M3", "assigned t-3 as M3"),
    ]);
}

#[test]
fn the_group_is_classic_again_when_the_last_member_of_the_consumer_protocol_leaves() {
    upgrade_and_downgrade("bidirectional").shows(&[
        (30_002, "M3", "revoked t-3"),
        (30_003, "g", "M3 removed, left"),
        (30_003, "g", "runs the classic protocol from epoch 2 on"),
        (30_003, "g", "Stable -> PreparingRebalance, generation 2"),
        (30_011, "g", "heartbeat of M1: REBALANCE_IN_PROGRESS"),
        (30_014, "M1", "revoked t-0..1"),
        (30_015, "g", "M1 waits for the end of the join phase"),
        (30_015, "g", "M2 waits for the end of the join phase"),
        (30_018, "M1", "assigned t-0..1 as M1"),
        (30_018, "M2", "assigned t-2..3 as M2"),
    ]);
}

#[test]
fn without_a_downgrade_the_classic_members_stay_in_a_group_of_the_consumer_protocol() {
    let story = upgrade_and_downgrade("upgrade");
    assert_eq!(story.millis("g", "runs the "), [20_001]);
    // Nobody computes a target: that takes a heartbeat of the consumer protocol, or a JoinGroup.
    assert_eq!(story.millis("g", "target of epoch"), [20_001]);
    story.shows(&[(30_003, "g", "epoch 3, member removed: M3"), (30_011, "g", "heartbeat of M1: NONE")]);
}

#[test]
fn a_group_that_must_not_be_upgraded_turns_the_consumer_protocol_away() {
    for policy in ["disabled", "Downgrade"] {
        let story = upgrade_and_downgrade(policy);
        assert_eq!(story.millis("g", "runs the "), [0; 0]);
        story.shows(&[(20_001, "g", "heartbeat of M3: GROUP_ID_NOT_FOUND"), (20_002, "M3", "failed with GroupIdNotFoundException")]);
    }
}
