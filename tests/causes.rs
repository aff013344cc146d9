//! A scenario that teaches fails when its cause is taken away: after each of these changes at least one of its expectations does not hold.
//!
//! That shows that they state what the scenario is about, and are not true of any run.

use groupsim::report::verdict::{self, Outcome};
use groupsim::scenario::{self, builtin};

/// Of a scenario: what stands in it, and what is put in its place.
const CAUSES: &[(&str, &str, &str)] = &[
    ("scaling-problem", "members: 1", "members: 2"),
    ("scaling-problem", "processing: 1ms", "processing: 900us"),
    ("scaled-out", "members: 10", "members: 9"),
    ("scaled-out", "events: 10", "events: 9"),
    ("two-consumers", "members: [A, B]", "members: {A: , B: {start: never}}"),
    ("two-consumers", "config: {auto.offset.reset: earliest}", "config: {partition.assignment.strategy: [cooperative-sticky]}"),
    ("five-partitions-three-consumers", "[range]", "[roundrobin]"),
    ("idle-standby", "crash: billing/B", "stop: billing/B"),
    ("idle-standby", "members: [A, B, C, D]", "members: {A: , B: , C: , D: {start: never}}"),
    ("independent-groups", "processing: 2ms", "processing: 1ms"),
    ("independent-groups", "stop: order-processor/order-processor-3", "stop: analytics/analytics-1"),
    ("consumer-crash", "{at: 1m, crash", "{at: 62s, crash"),
    ("consumer-crash", "crash: billing/B", "stop: billing/B"),
    ("consumer-crash", "reset: earliest}", "reset: earliest, session.timeout.ms: 30000}"),
    ("consumer-restart", "{at: 2m, start", "{at: 90s, start"),
    ("consumer-restart", "stop: billing/A", "crash: billing/A"),
    ("auto-commit-crash", "{at: 1m, crash", "{at: 61s, crash"),
    ("auto-commit-crash", "commit: auto", "commit: sync"),
    ("commit-every-batch-crash", "commit: sync", "commit: auto"),
    ("commit-every-batch-crash", "60004ms", "60010ms"),
    ("ghost-member", "{at: 64s", "{at: 66s"),
    ("ghost-member", "{at: 64s", "{at: 61s"),
    ("ghost-member", "{at: 64s", "{at: 130s"),
    ("ghost-member", "members: [A, B]", "members: {A: {group.instance.id: a}, B: {group.instance.id: b}}"),
    ("ghost-member-cooperative", "[cooperative-sticky]", "[range]"),
    ("ghost-member-cooperative", "{at: 64s", "{at: 130s"),
    ("ghost-pending", "60003500us", "60006ms"),
    ("ghost-pending", "D: {start: 75s}", "D: {start: 90s}"),
    ("ghost-pending", "D: {start: 75s}", "D: {start: never}"),
    ("gc-pause-kicked", "pause: short-3s/B, for: 3s", "pause: short-3s/B, for: 3100ms"),
    ("gc-pause-kicked", "pause: short-6s/D, for: 6001ms", "pause: short-6s/D, for: 3s"),
    ("gc-pause-kicked", "pause: long-42s/F, for: 42s", "pause: long-42s/F, for: 42100ms"),
    ("gc-pause-kicked", "pause: long-45s/H, for: 45001ms", "pause: long-45s/H, for: 42s"),
    ("zombie-pause", "for: 60s", "for: 40s"),
    ("zombie-pause", "for: 60s", "for: 61s"),
    ("zombie-pause", "commit: sync", "commit: auto"),
    ("slow-member-blocks-eager", "B: {processing: 100ms}", "B: {processing: 1ms}"),
    ("slow-member-blocks-eager", "start: 100s", "start: 99s"),
    ("slow-member-blocks-eager", "reset: earliest}", "reset: earliest, partition.assignment.strategy: [cooperative-sticky]}"),
    ("slow-member-by-protocol", "{A: {processing: 1ms}, B: {processing: 100ms}", "{A: {processing: 1ms}, B: {processing: 1ms}"),
    ("slow-member-by-protocol", "{D: {processing: 1ms}, E: {processing: 100ms}", "{D: {processing: 1ms}, E: {processing: 1ms}"),
    ("slow-member-by-protocol", "{G: {processing: 1ms}, H: {processing: 100ms}", "{G: {processing: 1ms}, H: {processing: 1ms}"),
    ("cooperative-join", "[cooperative-sticky]", "[range]"),
    ("cooperative-join", "earliest, p", "earliest, heartbeat.interval.ms: 2000, p"),
    ("new-member-times-out", "factor: 480000, for: 8m", "factor: 240000, for: 4m"),
    ("new-member-times-out", "C: {start: 90s}", "C: {start: never}"),
    ("new-member-times-out", "max.poll.interval.ms: 900000", "max.poll.interval.ms: 300000"),
    ("cooperative-leave", "[cooperative-sticky]", "[range]"),
    ("cooperative-leave", "stop: billing/B", "crash: billing/B"),
    ("busy-member-cooperative", "session.timeout.ms: 6000", "session.timeout.ms: 8000"),
    ("busy-member-cooperative", "processing: 70ms", "processing: 7ms"),
    ("busy-member-cooperative", "[cooperative-sticky]", "[range]"),
    ("sigterm-mid-rebalance", "{at: 104s, stop: billing/B}", "{at: 106s, stop: billing/B}"),
    ("sigterm-mid-rebalance", "{at: 104s, stop: billing/B}", "{at: 102s, stop: billing/B}"),
    ("sigterm-mid-rebalance", "{at: 104s, stop: eager/F}", "{at: 99s, stop: eager/F}"),
    ("commit-during-rebalance", "[cooperative-sticky]", "[range]"),
    ("commit-during-rebalance", "C: {start: 75s, processing: 1ms}", "C: {start: never}"),
    ("rolling-deploy", "down: 8s", "down: 9s"),
    ("rolling-deploy", "members: [A, B, C]", "members: {A: {group.instance.id: a}, B: {group.instance.id: b}, C: {group.instance.id: c}}"),
    ("static-restart", "B: {group.instance.id: billing-b}", "B: {}"),
    ("static-restart", "down: 8s", "down: 9s"),
    ("static-restart-too-late", "{at: 2m, start", "{at: 100s, start"),
    ("static-restart-too-late", "earliest}", "earliest, session.timeout.ms: 40000}"),
    ("static-max-poll", "{group.instance.id: billing-a}, B: {group.instance.id: billing-b}", "{}, B: {}"),
    (
        "static-max-poll",
        "    config: {auto.offset.reset: earliest, max.poll.interval.ms: 60000}\n  in-time",
        "    config: {auto.offset.reset: earliest, max.poll.interval.ms: 58000}\n  in-time",
    ),
    ("static-max-poll", "factor: 600000, for: 100s", "factor: 600000, for: 106s"),
    ("static-duplicate", "billing-0}}", "billing-1}}"),
    ("static-duplicate", "reset: earliest}", "reset: earliest, heartbeat.interval.ms: 1000}"),
    ("static-crash-by-protocol", ", group.protocol: consumer", ""),
    ("static-crash-by-protocol", "{at: 64s, start: consumer/D}", "{at: 110s, start: consumer/D}"),
    ("static-crash-by-protocol", "{A: {group.instance.id: a}, B: {group.instance.id: b}}", "[A, B]"),
    ("static-crash-by-protocol", "crash: consumer/D", "stop: consumer/D"),
    ("new-partitions-latest-loses", "metadata.max.age.ms: 10000", "metadata.max.age.ms: 25000"),
    ("gc-pause-kicked", "pause: long-45s/H, for: 45001ms", "pause: long-45s/H, for: 30s"),
    ("thundering-herd", "E: {start: 4s}", "E: {start: 6100ms}"),
    ("thundering-herd", "E: {start: 4s}", "E: {start: never}"),
    ("thundering-herd", "delay.ms: 3000", "delay.ms: 0"),
    ("thundering-herd-no-delay", "delay.ms: 0}", "delay.ms: 3000}"),
    ("thundering-herd-no-delay", "H: {start: 8s}", "H: {start: 5s}"),
    ("range-skew", "[range]", "[roundrobin]"),
    (
        "range-skew",
        "processing: 2ms\n    config: {auto.offset.reset: earliest, partition.assignment.strategy: [range]}",
        "processing: 1ms\n    config: {auto.offset.reset: earliest, partition.assignment.strategy: [range]}",
    ),
    ("idle-member-joins", "earliest}", "earliest, partition.assignment.strategy: [cooperative-sticky]}"),
    ("idle-member-joins", "D: {start: 30s}", "D: {start: 31s}"),
    ("slow-revocation", "takes: 8s", "takes: 11s"),
    ("slow-revocation", "{commit: true, takes: 8s}", "{commit: true}"),
    ("lost-leave-group", "drop: {request: LeaveGroup", "drop: {request: FindCoordinator"),
    ("lost-leave-group", "stop: billing/B", "crash: billing/B"),
    ("zombie-network-partition", "kafka: \"4.3\"", "kafka: \"2.8\""),
    ("zombie-network-partition", "disconnect: [auto/B, coordinator]", "disconnect: [auto/B, all]"),
    ("zombie-network-partition", "commit: sync", "commit: auto"),
    (
        "zombie-network-partition",
        "{at: 1m, disconnect: [auto/B, coordinator], for: 90s}",
        "{at: 1m, disconnect: [auto/B, coordinator], for: 40s}",
    ),
    ("coordinator-failover", "broker.down: 0", "broker.down: 2"),
    ("coordinator-failover", "{at: 1m, broker.down: 0, for: 30s}", "{at: 1m, rate: {shop: 600/s}}"),
    ("order-processor", "{at: 300ms, crash", "{at: 5s, crash"),
    ("order-processor", "C: {start: 200ms}", "C: {start: 1s}"),
    ("slow-handler", "processing: 1s", "processing: 500ms"),
    ("slow-handler", "earliest}", "earliest, max.poll.interval.ms: 600000}"),
    ("slow-handler-fixed", "max.poll.records: 100", "max.poll.records: 500"),
    ("hot-partition", "weights: [60, 5, 5, 5, 5, 4, 4, 4, 4, 4]", "weights: [10, 10, 10, 10, 10, 10, 10, 10, 10, 10]"),
    ("hot-partition", "scale: {billing: 6}", "scale: {billing: 4}"),
    ("partition-growth", "partitions: {orders: 4}", "partitions: {orders: 5}"),
    ("partition-growth", "{at: 1m, partitions", "{at: 100s, partitions"),
    ("new-partitions-latest-loses", "metadata.max.age.ms: 10000", "metadata.max.age.ms: 9000"),
    ("new-partitions-latest-loses", "metadata.max.age.ms: 5000", "metadata.max.age.ms: 60000"),
    ("new-partitions-latest-loses", "config: {auto.offset.reset: earliest}", "config: {auto.offset.reset: latest}"),
    ("heterogeneous-subscriptions", "stop: billing/B", "stop: billing/C"),
    (
        "heterogeneous-subscriptions",
        "B: {topics: [orders, refunds]}\n      C:",
        "B: {topics: [orders, refunds]}\n      C: {topics: [orders, refunds]}",
    ),
    ("pattern-subscription", "at: 70s", "at: 65s"),
    ("pattern-subscription", "metadata.max.age.ms: 30000", "metadata.max.age.ms: 40000"),
    ("pattern-subscription", ", group.protocol: consumer", ""),
    ("stale-leader", "metadata.max.age.ms: 240000}}\n      C", "metadata.max.age.ms: 20000}}\n      C"),
    ("stale-leader", "stop: billing/A", "stop: billing/C"),
    ("topic-recreated", "max.poll.interval.ms: 30000", "max.poll.interval.ms: 20000"),
    ("topic-recreated", "{at: 1m, delete.topic", "{at: 70s, delete.topic"),
    ("topic-recreated", "processing: 20ms", "processing: 10ms"),
    ("consumer-protocol-join", ", group.protocol: consumer", ""),
    ("consumer-protocol-join", "stop: billing/B", "crash: billing/B"),
    ("consumer-protocol-join", "B: {start: 11s}", "B: {start: 12s}"),
    ("migrate-to-consumer-protocol", ", config: {group.protocol: consumer}", ""),
    ("migrate-back-to-classic", ", config: {group.protocol: classic}", ""),
    ("upgrade-to-cooperative", ", config: {partition.assignment.strategy: [cooperative-sticky]}", ""),
    ("eager-vs-cooperative-vs-consumer", "[cooperative-sticky]", "[sticky]"),
    ("eager-vs-cooperative-vs-consumer", ", group.protocol: consumer", ""),
    ("eager-vs-cooperative-vs-consumer", "D: {start: 31s}", "D: {start: 32s}"),
    ("eager-vs-cooperative-vs-consumer", "{at: 61s, crash: consumer/J}", "{at: 61s, stop: consumer/J}"),
    ("eager-vs-cooperative-vs-consumer", "rolling.restart: eager, every: 31s, down: 8s", "rolling.restart: eager, every: 31s, down: 9s"),
];

#[test]
fn a_scenario_that_teaches_fails_when_its_cause_is_taken_away() {
    for (name, written, instead) in CAUSES {
        let builtin = builtin::ALL.iter().find(|builtin| builtin.name == *name).unwrap_or_else(|| panic!("there is no {name}"));
        assert_eq!(builtin.text.matches(written).count(), 1, "{name} has `{written}` once");
        let text = builtin.text.replace(written, instead);
        let (scenario, _warnings) = scenario::load(&text, name).unwrap_or_else(|problems| panic!("{name}: {}", problems.styled()));
        let run = groupsim::run::play(&scenario, scenario.seed, &mut ());
        let findings = verdict::judge(&scenario, &run).findings;
        assert!(findings.iter().any(|finding| finding.outcome == Outcome::Failed), "{name} passes with `{instead}` for `{written}`");
    }
}

#[test]
fn every_scenario_has_its_cause() {
    for builtin in builtin::ALL {
        assert!(CAUSES.iter().any(|(name, ..)| *name == builtin.name), "{} names nothing that it depends on", builtin.name);
    }
}
