//! Hand-made runs: a scenario and what would have been measured, from a few lines that say who owned what.
//!
//! Lag follows a fluid model (records come at a rate, an owner takes them at another), so that the pictures look like runs.

use std::collections::BTreeMap;

use groupsim::ledger::Account;
use groupsim::metrics::marks::{Mark, MarkKind};
use groupsim::metrics::{GroupMeasurements, LagSample, Latency, Measurements, Outage, OwnerSpan, PartitionMeasurements, Rebalance};
use groupsim::release::Release;
use groupsim::report::production::{Produced, Production};
use groupsim::report::{Report, Run, Source};
use groupsim::scenario::expectation::*;
use groupsim::scenario::group_config::GroupConfig;
use groupsim::scenario::keys::Keys;
use groupsim::scenario::subscription::Subscription;
use groupsim::scenario::*;
use groupsim::terms::{GroupProtocol, GroupState, RebalanceReason};
use groupsim::trace::ending::Ending;
use groupsim::units::{ClientId, GroupId, Instant, MemberId, Offset, Rate, Span, TopicId, TopicPartition};

pub struct Fixture {
    pub scenario: Scenario,
    pub run: Option<Run>,
}

/// One group on one topic of its own.
pub struct Story {
    pub group: &'static str,
    pub topic: &'static str,
    pub partitions: u32,
    pub members: Vec<String>,
    /// Records a second into each partition.
    pub rate: Vec<u64>,
    /// Records a second that an owner takes from one partition.
    pub speed: u64,
    /// By partition: (member, from, to) in milliseconds.
    pub owners: Vec<Vec<(u32, u64, u64)>>,
    /// (from, to) in milliseconds.
    pub rebalances: Vec<(RebalanceReason, u32, u64, u64)>,
}

pub fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

pub fn partition(topic: u32, partition: u32) -> TopicPartition {
    TopicPartition { topic: TopicId(topic), partition }
}

impl Fixture {
    pub fn new(name: &str, about: &str, duration_ms: u64, end_ms: u64, interval_ms: u64, stories: &[Story]) -> Self {
        let mut scenario = scenario(name, about, duration_ms, interval_ms);
        let mut groups = Vec::new();
        let mut accounts = Vec::new();
        let mut produced = Vec::new();
        let mut first_client = 0;
        for (index, story) in stories.iter().enumerate() {
            declare(&mut scenario, story, index as u32, first_client);
            let measured = measure(story, index as u32, first_client, duration_ms, end_ms, interval_ms);
            let sent = story.rate.iter().sum::<u64>() * duration_ms / 1000;
            let unsettled = measured.final_lag;
            accounts.push(Account { produced: sent, processed_once: sent.saturating_sub(unsettled), unsettled, ..Account::default() });
            produced.push(Produced { sent, visible: sent });
            groups.push(measured);
            first_client += story.members.len() as u32;
        }
        let measurements = Measurements {
            sample_interval: Span::from_millis(interval_ms),
            samples: (end_ms / interval_ms) as usize + 1,
            run_end: ms(duration_ms),
            end: ms(end_ms),
            groups,
            marks: vec![Mark { at: ms(duration_ms), life: 0, kind: MarkKind::RunPhaseEnded }],
            members: BTreeMap::new(),
            leaderless: Vec::new(),
        };
        let run = Run {
            seed: 7,
            trace_hash: 0x9f3c_0a1b_e2d4_c5f6,
            ending: if end_ms == duration_ms { Ending::Finished } else { Ending::Drained },
            accounts,
            measurements,
            incidents: Vec::new(),
            production: Production { topics: produced },
            idle: Vec::new(),
            violations: Vec::new(),
        };
        Fixture { scenario, run: Some(run) }
    }

    pub fn run(&mut self) -> &mut Run {
        self.run.as_mut().expect("the report has not been made yet")
    }

    pub fn expect(&mut self, line: u32, text: &str, check: Check) {
        self.scenario.expect.push(Expectation { check, text: text.to_owned(), line: Some(line) });
    }

    /// It happened to a process in its first life.
    pub fn mark(&mut self, at_ms: u64, kind: MarkKind) {
        let marks = &mut self.run().measurements.marks;
        let life = u32::from(kind.client().is_some());
        marks.push(Mark { at: ms(at_ms), life, kind });
        marks.sort_by_key(|mark| mark.at);
    }

    /// Once for each fixture.
    pub fn report(&mut self) -> Report<'_> {
        let run = self.run.take().expect("one report for each fixture");
        Report::new(&self.scenario, Source { argument: &self.scenario.name, text: "name: fixture\n" }, run)
    }
}

/// Six partitions, three members; B dies at 30 s and nobody reads orders-2 and orders-3 until its session is over.
pub fn consumer_crash() -> Fixture {
    let whole = |member| vec![(member, 3006, 39_811), (member, 42_020, 123_400)];
    let story = Story {
        group: "billing",
        topic: "orders",
        partitions: 6,
        members: vec!["A".into(), "B".into(), "C".into()],
        rate: vec![170, 150, 190, 160, 180, 150],
        speed: 340,
        owners: vec![
            whole(0),
            whole(0),
            vec![(1, 3006, 30_000), (0, 42_020, 123_400)],
            vec![(1, 3006, 30_000), (2, 42_020, 123_400)],
            whole(2),
            whole(2),
        ],
        rebalances: vec![(RebalanceReason::MemberJoined, 0, 3, 3005), (RebalanceReason::SessionExpired, 1, 39_800, 42_018)],
    };
    let about = "B dies without a word; who takes over, when, and what is processed twice?";
    let mut fixture = Fixture::new("consumer-crash", about, 120_000, 123_400, 100, &[story]);
    for client in 0..3 {
        fixture.mark(0, MarkKind::Started(ClientId(client)));
    }
    fixture.mark(30_000, MarkKind::Crashed(ClientId(1)));
    fixture
}

fn scenario(name: &str, about: &str, duration_ms: u64, interval_ms: u64) -> Scenario {
    Scenario {
        name: name.to_owned(),
        about: Some(about.to_owned()),
        lesson: None,
        kafka: Releases { brokers: Release::V4_3_1, clients: Release::V4_3_1 },
        seed: 7,
        duration: Span::from_millis(duration_ms),
        settle: Span::from_secs(300),
        sample_interval: Span::from_millis(interval_ms),
        model: Model { real_client: true, validate_positions: true, heartbeat_drift: 0, app_passes: true, commit_race: false },
        cluster: Cluster {
            brokers: 1,
            latency: Distribution::Constant(Span::from_millis(1)),
            load_time: Span::from_millis(500),
            write_latency: WriteLatency::Auto,
            config: BrokerConfig {
                group_initial_rebalance_delay: Span::from_secs(3),
                group_min_session_timeout: Span::from_secs(6),
                group_max_session_timeout: Span::from_secs(1800),
                group_max_size: u32::MAX,
                offsets_retention: Span::from_secs(604_800),
                offsets_retention_check_interval: Span::from_secs(600),
                offset_metadata_max_bytes: 4096,
                broker_session_timeout: Span::from_secs(9),
                append_linger: Span::ZERO,
                consumer_groups: defaults::broker::config(Release::default()).consumer_groups,
            },
        },
        topics: Vec::new(),
        producers: Vec::new(),
        groups: Vec::new(),
        clients: Vec::new(),
        instances: Vec::new(),
        patterns: Vec::new(),
        timeline: Vec::new(),
        expect: Vec::new(),
        outputs: Outputs::default(),
    }
}

fn declare(scenario: &mut Scenario, story: &Story, index: u32, first_client: u32) {
    scenario.topics.push(Topic {
        name: story.topic.to_owned(),
        life: 1,
        created: None,
        deleted: None,
        partitions: story.partitions,
        most_partitions: story.partitions,
        replication_factor: 1,
    });
    scenario.producers.push(Producer {
        name: format!("{}-source", story.topic),
        topic: TopicId(index),
        continues: None,
        steps: vec![RateStep { at: Instant::ZERO, rate: Rate { records: story.rate.iter().sum(), per: Span::from_secs(1) } }],
        arrivals: Arrivals::Even,
        keys: Keys::None,
        record_size: 100,
        config: ProducerConfig {
            acks_all: true,
            acks_none: false,
            linger: Span::from_millis(5),
            batch_size: 16_384,
            max_in_flight: 5,
            metadata_max_age: Span::from_secs(300),
        },
    });
    scenario.groups.push(Group {
        name: story.group.to_owned(),
        topics: vec![TopicId(index)],
        config: GroupConfig::of(&scenario.cluster.config.consumer_groups),
        first_client: ClientId(first_client),
        clients: story.members.len() as u32,
    });
    scenario.clients.extend(story.members.iter().map(|name| client(name, index)));
}

fn client(name: &str, group: u32) -> Client {
    Client {
        name: name.to_owned(),
        group: GroupId(group),
        start: Some(Instant::ZERO),
        instance: None,
        subscription: Subscription { topics: vec![TopicId(group)], pattern: None },
        config: ConsumerConfig {
            protocol: GroupProtocol::Classic,
            remote_assignor: None,
            session_timeout: Span::from_secs(10),
            heartbeat_interval: Span::from_secs(3),
            max_poll_interval: Span::from_secs(300),
            max_poll_records: 500,
            assignors: vec!["range".into()],
            auto_commit_interval: Span::from_secs(5),
            auto_offset_reset: AutoOffsetReset::Earliest,
            fetch_min_bytes: 1,
            fetch_max_wait: Span::from_millis(500),
            fetch_max_bytes: 52_428_800,
            max_partition_fetch_bytes: 1_048_576,
            metadata_max_age: Span::from_secs(300),
            request_timeout: Span::from_secs(30),
            default_api_timeout: Span::from_secs(60),
            retry_backoff: Span::from_millis(100),
            retry_backoff_max: Span::from_secs(1),
        },
        poll_timeout: Span::from_millis(100),
        processing: Processing { per_record: Distribution::Constant(Span::from_millis(1)), per_batch: Span::ZERO },
        commit: Commit::Auto,
        on_revoke: Some(Listener::default()),
    }
}

fn measure(story: &Story, topic: u32, first_client: u32, duration_ms: u64, end_ms: u64, interval_ms: u64) -> GroupMeasurements {
    let samples = (end_ms / interval_ms) as usize + 1;
    let partitions: Vec<PartitionMeasurements> = (0..story.partitions)
        .map(|p| {
            let owned = &story.owners[p as usize];
            let lag = lag(story, p as usize, duration_ms, interval_ms, samples);
            let owners = owned.iter().map(|(c, from, to)| OwnerSpan { client: ClientId(first_client + c), from: ms(*from), to: ms(*to) });
            PartitionMeasurements {
                partition: partition(topic, p),
                high_watermark: lag.iter().map(|sample| sample.unprocessed).collect(),
                start: Offset(0),
                run_end_lag: lag[(duration_ms / interval_ms) as usize].unprocessed,
                final_lag: lag[samples - 1],
                final_high_watermark: lag[samples - 1].unprocessed,
                lag,
                zombies: Vec::new(),
                owners: owners.collect(),
                outages: outages(owned, end_ms),
                committed: None,
            }
        })
        .collect();
    let sum = |sample: usize| partitions.iter().map(|p| p.lag[sample].unprocessed).sum::<u64>();
    let run_samples = (duration_ms / interval_ms) as usize;
    GroupMeasurements {
        rebalances: rebalances(story, first_client),
        latency: Latency { count: 4, sum: 40_000_000, min: 2_000_000, max: 20_000_000, buckets: vec![(2_015_231, 3), (20_185_087, 1)] },
        kicks: Vec::new(),
        heartbeats: 120,
        commits: 24,
        commits_refused: 0,
        commits_failed: 0,
        polls: 4_000,
        run_phase_polls: 4_000,
        peak_lag: (0..=run_samples).map(sum).max().unwrap_or(0),
        run_end_lag: sum(run_samples),
        final_lag: sum(samples - 1),
        partitions,
    }
}

fn lag(story: &Story, p: usize, duration_ms: u64, interval_ms: u64, samples: usize) -> Vec<LagSample> {
    let mut micro = 0_u64;
    (0..samples as u64)
        .map(|sample| {
            let now = sample * interval_ms;
            if sample > 0 {
                micro += if now <= duration_ms { story.rate[p] * interval_ms * 1000 } else { 0 };
                let owned = story.owners[p].iter().any(|(_, from, to)| *from < now && now <= *to);
                micro -= if owned { micro.min(story.speed * interval_ms * 1000) } else { 0 };
            }
            let unprocessed = micro / 1_000_000;
            let committed = (now > 5_000).then_some(unprocessed as i64 + 40);
            LagSample { committed, position: unprocessed as i64, unprocessed }
        })
        .collect()
}

fn outages(owned: &[(u32, u64, u64)], end_ms: u64) -> Vec<Outage> {
    let after = |from: u64, first_record: u64| (ms(from), Some(ms(first_record)));
    let mut outages = Vec::new();
    let mut previous = 0;
    for (i, (_, from, to)) in owned.iter().enumerate() {
        let (to_instant, first_record) = after(from + 4, from + 6);
        // A zombie is still there when its successor comes.
        if previous < *from {
            outages.push(Outage { from: ms(previous), to: Some(to_instant), first_record, initial: i == 0, held_up: None });
        }
        previous = previous.max(*to);
    }
    if previous < end_ms {
        outages.push(Outage { from: ms(previous), to: None, first_record: None, initial: owned.is_empty(), held_up: None });
    }
    outages
}

fn rebalances(story: &Story, first_client: u32) -> Vec<Rebalance> {
    let one = |(i, (reason, trigger, from, to)): (usize, &(RebalanceReason, u32, u64, u64))| Rebalance {
        reason: *reason,
        group_protocol: GroupProtocol::Classic,
        trigger: Some(MemberId { client: ClientId(first_client + trigger), number: 1 }),
        started: ms(*from),
        joined: Some(ms(to - 3)),
        ended: Some(ms(*to)),
        ended_in: Some(GroupState::Stable),
        generation: Some(i as i32 + 1),
        leader: Some(MemberId { client: ClientId(first_client), number: 1 }),
        protocol: Some("range".into()),
        members: story.members.len() as u32,
        initial: i == 0,
        waited_for: Vec::new(),
    };
    story.rebalances.iter().enumerate().map(one).collect()
}
