//! From a scenario to the machines that play it: each gets a small configuration of its own.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::client::consumer::{CommitPolicy, ConsumerConfig, ConsumerEffects, OffsetReset, Service};
use crate::client::producer::{Producer, ProducerConfig};
use crate::client::release::ClientSwitches;
use crate::kafka::assignor::server::ServerAssignor;
use crate::kafka::coordinator::Coordinator;
use crate::kafka::coordinator::shard::{ConsumerGroupConfig, CoordinatorConfig, CoordinatorEffects, GroupConfig};
use crate::kafka::coordinator::writes::WriteLatency;
use crate::kafka::fetch::FetchLimits;
use crate::kafka::log::PartitionLog;
use crate::kafka::placement;
use crate::kafka::release::Switches;
use crate::scenario::deploy::Deployed;
use crate::scenario::{self, AutoOffsetReset, Commit, Distribution, Scenario, Topic, Verb};
use crate::sim::leadership::{Leadership, Reign};
use crate::sim::network::InFlight;
use crate::sim::queue::{Place, Queue};
use crate::sim::rates::rate_plan;
use crate::sim::rng::Draws;
use crate::sim::rng::sampler::Sampler;
use crate::sim::settle::Drainage;
use crate::sim::wishes::wish;
use crate::sim::{ClientSlot, Event, Limits, ProducerNode, Simulation, fault, fetch, produce};
use crate::trace::Cast;
use crate::trace::names::Names;
use crate::units::{BrokerId, ClientId, GroupId, InstanceId, Instant, Offset, ProducerId, Span, TopicId, TopicPartition};

/// How each life of a client is made.
pub struct ClientSetup<'a> {
    pub consumer: ConsumerConfig,
    /// What is deployed for its next life.
    pub deployed: Option<&'a Deployed>,
}

impl<'a> Simulation<'a> {
    pub fn new(scenario: &'a Scenario, seed: u64, limits: Limits) -> Self {
        let cast = scenario.cast();
        let names = Rc::new(scenario.names());
        let latency = Sampler::new(&scenario.cluster.latency);
        let (coordinators, offsets_partitions, shards) = coordinators(scenario);
        let brokers = scenario.cluster.brokers;
        let shard_brokers: Vec<BrokerId> = offsets_partitions.iter().map(|at| placement::coordinator(*at, brokers)).collect();
        let leadership = Leadership::new(scenario, &cast, &offsets_partitions);
        let setups = (0..scenario.clients.len())
            .map(|at| {
                let client = &scenario.clients[at];
                let coordinator = shard_brokers[shards[client.group.index()] as usize];
                let of_client = OfClient { service: service(client, &names, &cast, seed), names: names.clone(), coordinator };
                ClientSetup { consumer: consumer_config(scenario, at, (client.instance, &client.config), of_client), deployed: None }
            })
            .collect();
        let partitions = cast.partition_count();
        let mut simulation = Simulation {
            scenario,
            seed,
            names,
            now: Instant::ZERO,
            queue: Queue::new(),
            events: 0,
            limits,
            logs: vec![PartitionLog::default(); partitions],
            partitions: scenario.topics.iter().map(Topic::partitions_at_start).collect(),
            topics_vanish: scenario.topics.iter().any(|topic| topic.deleted.is_some()),
            may_be_disturbed: fetch::may_be_disturbed(scenario),
            untold: (0..partitions).map(|_| None).collect(),
            writers: scenario.topics.iter().map(|_| Vec::new()).collect(),
            unwatched: vec![0; scenario.topics.len()],
            sessions: Vec::new(),
            watchers: vec![Vec::new(); partitions],
            readers: vec![Vec::new(); scenario.topics.len()],
            coordinators,
            shards,
            loads: vec![0; shard_brokers.len()],
            shard_brokers,
            leadership,
            connections: Vec::new(),
            messages: InFlight::default(),
            coordinator_timers: InFlight::default(),
            dues: InFlight::default(),
            latency,
            producers: Vec::new(),
            clients: scenario.clients.iter().map(|_| empty_slot(scenario)).collect(),
            setups,
            faults: fault::Faults::new(brokers),
            idle: Vec::new(),
            drainage: Drainage::new(&cast),
            coordinator_fx: CoordinatorEffects::default(),
            consumer_fx: ConsumerEffects::default(),
            trains: Vec::new(),
            overrun: None,
            spare_records: Vec::new(),
            unmuted: VecDeque::new(),
            cast,
        };
        simulation.schedule_all();
        simulation
    }

    /// The properties with which the next life of the client begins.
    pub(super) fn next_life(&mut self, client: ClientId) -> ConsumerConfig {
        let setup = &mut self.setups[client.index()];
        if let Some(Deployed { instance, config, .. }) = setup.deployed.take() {
            let ConsumerConfig { service, names, coordinator, .. } = setup.consumer.clone();
            let of_client = OfClient { service, names, coordinator };
            setup.consumer = consumer_config(self.scenario, client.index(), (*instance, config), of_client);
        }
        setup.consumer.clone()
    }

    /// What is known beforehand: starts, the timeline, the steps of rates, the first requests of producers.
    fn schedule_all(&mut self) {
        let scenario = self.scenario;
        for (entry, timeline) in scenario.timeline.iter().enumerate() {
            self.queue.push(timeline.at, Place::timeline(entry as u64), Event::Timeline(entry as u32));
        }
        for (at, producer) in scenario.producers.iter().enumerate() {
            let id = ProducerId(at as u32);
            let told = if producer.continues.is_none() { producer.steps.as_slice() } else { &[] };
            for step in told.iter().filter(|step| step.at > Instant::ZERO) {
                self.schedule_fault(step.at, fault::Due::Rate(id, step.rate));
            }
            let reigns: Vec<Vec<Reign>> = (0..scenario.topics[producer.topic.index()].most_partitions)
                .map(|partition| self.cast.index(TopicPartition { topic: producer.topic, partition }))
                .map(|index| self.leadership.of_partition(index).to_vec())
                .collect();
            let is_fixed = reigns.iter().all(Vec::is_empty);
            let reigns = if is_fixed { Vec::new() } else { reigns };
            let mut draws = produce::Draws::new(producer, &self.latency, self.seed);
            let config = ProducerConfig { reigns, ..producer_config(scenario, producer, &self.latency) };
            let in_order =
                is_fixed && (scenario.cluster.brokers == 1 || (self.latency.constant().is_some() && config.acks.is_none_or(Span::is_zero)));
            let producer = Producer::new(config, &mut draws);
            let deliveries = InFlight::default();
            self.producers.push(ProducerNode { producer, draws, in_order, coming: None, deliveries, sequence: 0 });
        }
        for at in 0..self.producers.len() {
            self.begin_sending(ProducerId(at as u32));
        }
        for at in self.leadership.changes().to_vec() {
            self.schedule_fault(at, fault::Due::Leaders);
        }
        for (at, client) in scenario.clients.iter().enumerate() {
            if let Some(start) = client.start {
                self.schedule_fault(start, fault::Due::Start(ClientId(at as u32)));
            }
        }
    }
}

fn empty_slot(scenario: &Scenario) -> ClientSlot {
    ClientSlot {
        consumer: None,
        life: 0,
        connections: vec![None; 1 + scenario.cluster.brokers as usize],
        connects: vec![0; 1 + scenario.cluster.brokers as usize],
        frozen: None,
        starts_again: false,
        speed: fault::speed::Speed::default(),
    }
}

/// One shard for each partition of `__consumer_offsets` that a group lives in, with that partition; and by group its shard.
fn coordinators(scenario: &Scenario) -> (Vec<Coordinator>, Vec<u32>, Vec<u32>) {
    let mut partitions: Vec<u32> = Vec::new();
    let mut shards = Vec::new();
    for group in &scenario.groups {
        let partition = placement::offsets_partition(&group.name);
        let shard = partitions.iter().position(|known| *known == partition).unwrap_or_else(|| {
            partitions.push(partition);
            partitions.len() - 1
        });
        shards.push(shard as u32);
    }
    let config = coordinator_config(scenario);
    let topics = || (0..).map(TopicId).zip(&scenario.topics).filter(|(_, topic)| topic.created.is_none());
    let coordinators = (0..partitions.len()).map(|shard| {
        let mut coordinator = Coordinator::new(config);
        coordinator.know_patterns(scenario.patterns.iter().map(|pattern| pattern.topics.clone()).collect());
        let ours = (0..).map(GroupId).zip(&scenario.groups).filter(|(id, _)| shards[id.index()] as usize == shard);
        ours.for_each(|(id, group)| coordinator.configure_group(id, group_config(&group.config)));
        topics().for_each(|(id, topic)| _ = coordinator.on_topic_image(id, topic.partitions));
        coordinator
    });
    let coordinators = coordinators.collect();
    (coordinators, partitions, shards)
}

fn coordinator_config(scenario: &Scenario) -> CoordinatorConfig {
    let switches = Switches::of(scenario.kafka.brokers);
    let config = &scenario.cluster.config;
    let write_latency = match scenario.cluster.write_latency {
        scenario::WriteLatency::Auto => {
            WriteLatency { linger: config.append_linger, replication: replication(scenario, scenario.cluster.brokers.min(3)) }
        }
        scenario::WriteLatency::Fixed(span) => WriteLatency { linger: Span::ZERO, replication: span },
    };
    CoordinatorConfig {
        initial_rebalance_delay: config.group_initial_rebalance_delay,
        min_session_timeout: config.group_min_session_timeout,
        max_session_timeout: config.group_max_session_timeout,
        max_size: config.group_max_size,
        offsets_retention: config.offsets_retention,
        retention_check_interval: config.offsets_retention_check_interval,
        offset_metadata_max_bytes: config.offset_metadata_max_bytes,
        checks_topics: true,
        write_latency,
        consumer: consumer_group_config(&config.consumer_groups),
        switches,
    }
}

fn consumer_group_config(config: &scenario::group_config::ConsumerGroupConfig) -> ConsumerGroupConfig {
    let first = config.assignors.first().expect("a broker has an assignor");
    ConsumerGroupConfig {
        session_timeout: config.session_timeout,
        heartbeat_interval: config.heartbeat_interval,
        max_size: config.max_size,
        default_assignor: ServerAssignor::named(first).expect("the scenario names Kafka's assignors"),
        all_assignors: config.assignors.len() == ServerAssignor::ALL.len(),
        migration: config.migration_policy,
        assignment_interval: config.assignment_interval,
        regex_refresh_interval: config.regex_refresh_interval,
    }
}

fn group_config(config: &scenario::group_config::GroupConfig) -> GroupConfig {
    GroupConfig {
        session_timeout: Some(config.session_timeout),
        heartbeat_interval: Some(config.heartbeat_interval),
        assignment_interval: Some(config.assignment_interval),
    }
}

/// From an append until the high watermark has passed it: a follower's next Fetch tells the leader, one round trip between brokers.
///
/// Not modelled: a random latency between brokers; its median stands for it.
fn replication(scenario: &Scenario, replicas: u32) -> Span {
    if replicas > 1 { typical(&scenario.cluster.latency).times(2) } else { Span::ZERO }
}

fn typical(distribution: &Distribution) -> Span {
    Sampler::new(distribution).at(u64::MAX / 2)
}

fn producer_config(scenario: &Scenario, producer: &scenario::Producer, latency: &Sampler) -> ProducerConfig {
    let topic = &scenario.topics[producer.topic.index()];
    let replication = replication(scenario, topic.replication_factor);
    let keys = match &producer.keys {
        scenario::keys::Keys::None => None,
        scenario::keys::Keys::Drawn { prefix, count, .. } => Some((0..*count).map(|key| format!("{prefix}{key}")).collect()),
    };
    ProducerConfig {
        plan: rate_plan(scenario, producer),
        poisson: producer.arrivals == scenario::Arrivals::Poisson,
        keys,
        record_size: producer.record_size,
        batch_size: producer.config.batch_size,
        sticks: ClientSwitches::of(scenario.kafka.clients).producer_sticks,
        linger: producer.config.linger,
        max_in_flight: producer.config.max_in_flight as usize,
        acks: match (producer.config.acks_none, producer.config.acks_all) {
            (true, _) => None,
            (false, true) => Some(replication),
            (false, false) => Some(Span::ZERO),
        },
        replication,
        partitions: known_partitions(scenario, producer, latency),
        leaders: (0..topic.most_partitions)
            .map(|partition| placement::leader(TopicPartition { topic: producer.topic, partition }, scenario.cluster.brokers))
            .collect(),
        reigns: Vec::new(),
        brokers: scenario.cluster.brokers as usize,
    }
}

/// How many partitions the producer's metadata shows, from when on: it is refreshed every metadata.max.age.ms, one round trip later.
fn known_partitions(scenario: &Scenario, producer: &scenario::Producer, latency: &Sampler) -> Vec<(Instant, u32)> {
    let there = latency.constant().unwrap_or_else(|| typical(&scenario.cluster.latency));
    let age = producer.config.metadata_max_age.as_nanos().max(1);
    let period = Span::from_nanos(age) + there.times(2);
    let mut known = vec![(Instant::ZERO, scenario.topics[producer.topic.index()].partitions)];
    for entry in &scenario.timeline {
        let Verb::Partitions { topic, to } = entry.verb else { continue };
        if topic != producer.topic {
            continue;
        }
        // The first refresh that reaches its broker at or after the growth.
        let asked = |n: u64| Instant::ZERO + period.times(n) + Span::from_nanos(age) + there;
        let n = (0..).find(|n| asked(*n) >= entry.at).expect("refreshes go on for ever");
        known.push((asked(n) + there, to));
    }
    // Several growths between two refreshes show up at once.
    known.reverse();
    known.dedup_by_key(|(at, _)| *at);
    known.reverse();
    known
}

/// What a client has in all its lives.
struct OfClient {
    service: Service,
    names: Rc<Names>,
    coordinator: BrokerId,
}

fn consumer_config(
    scenario: &Scenario,
    at: usize,
    (instance, config): (Option<InstanceId>, &scenario::ConsumerConfig),
    OfClient { service, names, coordinator }: OfClient,
) -> ConsumerConfig {
    let client = &scenario.clients[at];
    ConsumerConfig {
        client: ClientId(at as u32),
        life: 0,
        subscription: wish(&client.subscription, config.protocol),
        instance,
        protocol: config.protocol,
        remote_assignor: config.remote_assignor.clone(),
        protocols: config.assignors.clone(),
        session_timeout: config.session_timeout,
        heartbeat_interval: config.heartbeat_interval,
        heartbeat_drift: scenario.model.heartbeat_drift,
        max_poll_interval: config.max_poll_interval,
        max_poll_records: u64::from(config.max_poll_records),
        reset: match config.auto_offset_reset {
            AutoOffsetReset::Earliest => OffsetReset::Earliest,
            AutoOffsetReset::Latest => OffsetReset::Latest,
            AutoOffsetReset::None => OffsetReset::None,
        },
        limits: FetchLimits {
            min_bytes: config.fetch_min_bytes,
            max_wait: config.fetch_max_wait,
            max_bytes: config.fetch_max_bytes,
            max_partition_bytes: config.max_partition_fetch_bytes,
        },
        metadata_max_age: config.metadata_max_age,
        request_timeout: config.request_timeout,
        default_api_timeout: config.default_api_timeout,
        retry_backoff: config.retry_backoff,
        retry_backoff_max: config.retry_backoff_max,
        poll_timeout: client.poll_timeout,
        service,
        per_batch: client.processing.per_batch,
        commit: match client.commit {
            // An interval of 0 commits in every iteration of poll(); iterations take time.
            Commit::Auto => CommitPolicy::Auto(config.auto_commit_interval.max(Span::from_millis(1))),
            Commit::Sync => CommitPolicy::Sync,
            Commit::Async => CommitPolicy::Async,
            Commit::Every(records) => CommitPolicy::Every(records),
            Commit::BeforeProcessing => CommitPolicy::BeforeProcessing,
            Commit::External => CommitPolicy::Never,
        },
        has_listener: client.on_revoke.is_some(),
        commit_on_revoke: client.on_revoke.is_some_and(|listener| listener.commit),
        listener_takes: client.on_revoke.map_or(Span::ZERO, |listener| listener.takes),
        real: scenario.model.real_client,
        validate_positions: scenario.model.validate_positions,
        passes: scenario.model.app_passes,
        commit_race: scenario.model.commit_race && ClientSwitches::of(scenario.kafka.clients).auto_commit_races,
        switches: ClientSwitches::of(scenario.kafka.clients),
        brokers: scenario.cluster.brokers,
        coordinator,
        names,
    }
}

/// A random processing time is a pure function of seed, group and record: the same record takes as long with everybody and each time, so two
/// configurations can be compared under the same randomness.
fn service(client: &scenario::Client, names: &Rc<Names>, cast: &Cast, seed: u64) -> Service {
    let sampler = Sampler::new(&client.processing.per_record);
    if let Some(span) = sampler.constant() {
        return Service::Constant(span);
    }
    let group: GroupId = client.group;
    let draws: Vec<Draws> = cast
        .all_partitions()
        .map(|partition| Draws::new(seed, &format!("processing/{}/{}", names.group(group), names.partition(partition))))
        .collect();
    let first_partition = cast.first_partition.clone();
    Service::Drawn(Rc::new(move |partition: TopicPartition, offset: Offset| {
        let TopicId(topic) = partition.topic;
        let index = first_partition[topic as usize] + partition.partition as usize;
        sampler.at(draws[index].at(offset.0, 0))
    }))
}
