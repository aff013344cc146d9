//! Runs of every shape that a chart must cope with.

use groupsim::metrics::marks::{Mark, MarkKind};
use groupsim::terms::RebalanceReason;
use groupsim::units::{ClientId, ProducerId, Span};

pub use crate::fixture::consumer_crash;
use crate::fixture::{Fixture, Story, ms};

pub fn names(prefix: &str, count: u32) -> Vec<String> {
    let width = count.to_string().len();
    (1..=count).map(|n| format!("{prefix}-{n:0width$}")).collect()
}

/// Everything by its name, to be looked at.
pub fn all() -> Vec<(&'static str, Fixture)> {
    vec![
        ("crash", consumer_crash()),
        ("single", single()),
        ("scaled", scaled_out()),
        ("crowd", crowd()),
        ("groups", three_groups()),
        ("livelock", livelock()),
        ("marks", many_marks()),
        ("idle", idle()),
        ("moment", moment()),
        ("nothing", nothing_at_all()),
        ("thousand", thousand_partitions()),
        ("hot", hot_partition()),
        ("zombie", zombie()),
    ]
}

fn story(group: &'static str, topic: &'static str, partitions: u32, members: Vec<String>, end: u64) -> Story {
    let crew = members.len() as u32;
    Story {
        group,
        topic,
        partitions,
        members,
        rate: vec![100; partitions as usize],
        speed: 1000,
        owners: (0..partitions).map(|p| vec![(p * crew / partitions, 3006, end)]).collect(),
        rebalances: vec![(RebalanceReason::MemberJoined, 0, 3, 3005)],
    }
}

/// One consumer at a tenth of the rate, for an hour, without a settle phase.
pub fn single() -> Fixture {
    let hour = 3_600_000;
    let mut one = story("order-processor", "orders", 1, vec!["consumer".into()], hour);
    one.rate = vec![10_000];
    let about = "10,000 records a second against one consumer that takes 1 ms for each: how far behind is it after an hour?";
    let mut fixture = Fixture::new("scaling-problem", about, hour, hour, 1000, &[one]);
    fixture.mark(0, MarkKind::Started(ClientId(0)));
    fixture
}

pub fn scaled_out() -> Fixture {
    let hour = 3_600_000;
    let mut ten = story("order-processor", "orders", 10, names("consumer", 10), hour);
    ten.rate = vec![1_900; 10];
    Fixture::new("scaled-out", "Ten partitions, ten consumers, and still too slow", hour, hour, 1000, &[ten])
}

pub fn crowd() -> Fixture {
    let end = 480_000;
    let mut crowd = story("fleet-telemetry", "positions", 128, names("worker", 100), end);
    for p in 0..128_u32 {
        let before = p * 100 / 128;
        let gone = before % 9 == 4;
        let cut = if gone { 120_000 + u64::from(before) * 300 } else { 171_000 };
        crowd.owners[p as usize] = vec![(before, 3006 + u64::from(p), cut), ((before * 7 + 3) % 100, 174_200, end)];
        crowd.rate[p as usize] = 300 + u64::from(p * 13 % 97) * 9;
    }
    crowd.rebalances.push((RebalanceReason::SessionExpired, 4, 165_000, 174_000));
    let mut fixture = Fixture::new("fleet", "A rack with every ninth worker loses power", 420_000, end, 500, &[crowd]);
    for client in (4..100).step_by(9) {
        fixture.mark(120_000 + client * 300, MarkKind::Crashed(ClientId(client as u32)));
    }
    fixture
}

pub fn three_groups() -> Fixture {
    let end = 61_000;
    let mut first = story("order-processor", "orders", 4, vec!["A".into(), "B".into()], end);
    first.owners[2] = vec![(1, 3006, 20_000), (0, 32_000, end)];
    first.owners[3] = vec![(1, 3006, 20_000), (0, 32_000, end)];
    first.rebalances.push((RebalanceReason::SessionExpired, 1, 30_000, 32_000));
    let second = story("analytics", "clicks", 3, vec!["batch".into()], end);
    let mut third = story("fraud-detection", "payments", 6, names("fraud", 2), end);
    third.speed = 98;
    let about = "Three groups that know nothing of each other: own offsets, own rebalances, own lag";
    let mut fixture = Fixture::new("independent-groups", about, 60_000, end, 100, &[first, second, third]);
    fixture.mark(20_000, MarkKind::Crashed(ClientId(1)));
    fixture.mark(40_000, MarkKind::Slowed(ClientId(3), 2500));
    fixture
}

/// Kicked every 300 s and back 200 s later, twenty times.
pub fn livelock() -> Fixture {
    let end = 10_800_000;
    let mut slow = story("billing", "invoices", 2, vec!["slow".into()], end);
    slow.speed = 1;
    slow.rate = vec![1, 2];
    slow.rebalances.clear();
    let mut spans = Vec::new();
    for round in 0..21 {
        let from = 3_000 + round * 503_000;
        slow.rebalances.push((RebalanceReason::MemberJoined, 0, from, from + 3_000));
        spans.push((0, from + 3_006, from + 303_006));
    }
    slow.owners = vec![spans.clone(), spans];
    let about = "500 records of a second each do not fit into max.poll.interval.ms: the group works all day and gets nowhere";
    let mut fixture = Fixture::new("slow-handler", about, end, end, 5_000, &[slow]);
    for round in 0..21 {
        fixture.mark(306_006 + round * 503_000, MarkKind::Kicked(ClientId(0)));
    }
    fixture.run().measurements.groups[0].kicks = (0..21).map(|round| (ms(306_006 + round * 503_000), ClientId(0), 0)).collect();
    fixture
}

pub fn many_marks() -> Fixture {
    let end = 300_000;
    let mut fixture =
        Fixture::new("chaos", "Everything happens at once", 240_000, end, 100, &[story("billing", "orders", 5, names("billing", 5), end)]);
    for i in 0..60_u32 {
        let client = ClientId(i % 5);
        let kind = match i % 6 {
            0 => MarkKind::Crashed(client),
            1 => MarkKind::Started(client),
            2 => MarkKind::Paused(client, Span::from_millis(u64::from(i) * 100 + 1)),
            3 => MarkKind::Slowed(client, 1000 + u64::from(i)),
            4 => MarkKind::RateChanged(ProducerId(0)),
            _ => MarkKind::SpeedRestored(client),
        };
        fixture.mark(4_000 + u64::from(i * i % 53) * 4_300, kind);
    }
    fixture
}

/// Never any lag.
pub fn idle() -> Fixture {
    let mut quiet = story("g", "t", 3, vec!["A".into(), "B".into(), "C".into()], 15_000);
    quiet.rate = vec![0; 3];
    Fixture::new("idle-standby", "Nothing to do", 15_000, 15_000, 100, &[quiet])
}

/// A run of no time at all: one sample.
pub fn moment() -> Fixture {
    let mut short = story("g", "t", 1, vec!["A".into()], 0);
    short.owners = vec![Vec::new()];
    short.rebalances.clear();
    Fixture::new("moment", "", 0, 0, 100, &[short])
}

/// A scenario with producers only.
pub fn nothing_at_all() -> Fixture {
    Fixture::new("nothing", "No group at all", 1000, 1000, 100, &[])
}

pub fn thousand_partitions() -> Fixture {
    let end = 60_000;
    let mut wide = story("g", "events", 1000, names("worker", 20), end);
    for p in 0..1000 {
        wide.owners[p] = vec![((p / 50) as u32, 3006, 20_000), ((p / 50) as u32, 21_000 + (p % 50) as u64 * 100, end)];
    }
    Fixture::new("wide", "A thousand partitions", end, end, 200, &[wide])
}

pub fn hot_partition() -> Fixture {
    let end = 900_000;
    let mut hot = story("billing", "orders", 12, names("billing", 4), end);
    hot.rate[7] = 1_300;
    Fixture::new("hot-partition", "One key is half of the traffic", 600_000, end, 1000, &[hot])
}

/// A group that does nothing but rebalance, and rates that change all the time.
pub fn storm() -> Fixture {
    let (end, rounds) = (3_600_000, 2_000);
    let mut storm = story("billing", "orders", 150, names("billing", 40), end);
    let span = |round: u64, p: u64| ((round + p) % 40, round * 1_800 + 300, (round + 1) * 1_800);
    storm.owners =
        (0..150).map(|p| (0..rounds).map(|round| span(round, p)).map(|(who, from, to)| (who as u32, from, to)).collect()).collect();
    storm.rebalances = (0..20_000).map(|i| (RebalanceReason::SessionExpired, (i % 40) as u32, i * 180, i * 180 + 90)).collect();
    let mut fixture = Fixture::new("storm", "session.timeout.ms is far too short", end, end, 10_000, &[storm]);
    let kind = |i: u64| match i % 3 {
        0 => MarkKind::Kicked(ClientId((i % 40) as u32)),
        1 => MarkKind::RateChanged(ProducerId(0)),
        _ => MarkKind::Paused(ClientId((i % 7) as u32), Span::from_millis(i)),
    };
    fixture.run().measurements.marks =
        (0..20_000).map(|i| Mark { at: ms(i * 180), life: u32::from(kind(i).client().is_some()), kind: kind(i) }).collect();
    fixture
}

/// A member that was put out while it was paused, and its successor.
pub fn zombie() -> Fixture {
    let end = 60_000;
    let mut two = story("billing", "a-topic-with-quite-a-long-name.v2", 2, vec!["a-rather-long-member-name".into(), "B".into()], end);
    two.owners[0] = vec![(0, 3006, 40_000), (1, 30_000, end)];
    let mut fixture = Fixture::new("zombie", "<A> & \"B\"", end, end, 100, &[two]);
    fixture.mark(15_000, MarkKind::Paused(ClientId(0), Span::from_secs(25)));
    fixture
}
