//! Batches and requests of small producers, record by record.

use super::*;

/// Latencies in turn, the last one for ever; partitions in turn.
struct Script {
    latencies: VecDeque<u64>,
    partitions: u32,
}

impl ProducerDraws for Script {
    fn partition(&mut self, partitions: u32) -> u32 {
        self.partitions += 1;
        self.partitions % partitions
    }

    fn key(&mut self) -> u32 {
        0
    }

    fn gap(&mut self, _rate: Rate) -> Span {
        unreachable!("arrivals are even")
    }

    fn latency(&mut self) -> Span {
        let next = if self.latencies.len() > 1 { self.latencies.pop_front() } else { self.latencies.front().copied() };
        Span::from_millis(next.expect("one is left for ever"))
    }

    fn constant_latency(&self) -> Option<Span> {
        (self.latencies.len() == 1).then(|| Span::from_millis(self.latencies[0]))
    }
}

/// One broker, one partition, null keys of 100 bytes, 5 ms of linger.
fn config(plan: &[(u64, u64)]) -> ProducerConfig {
    let per_second = |records| Rate { records, per: Span::from_secs(1) };
    ProducerConfig {
        plan: plan.iter().map(|(at, records)| (Instant::from_millis(*at), per_second(*records))).collect(),
        poisson: false,
        keys: None,
        record_size: 100,
        batch_size: 16_384,
        sticks: Sticks::ForBytes,
        linger: Span::from_millis(5),
        max_in_flight: 5,
        acks: Some(Span::ZERO),
        replication: Span::ZERO,
        partitions: vec![(Instant::ZERO, 1)],
        leaders: vec![BrokerId(0)],
        reigns: Vec::new(),
        brokers: 1,
    }
}

/// A batch of a request, in milliseconds: when it was sent and seen, its size, and when its records were created.
struct Sent {
    at: u64,
    visible: u64,
    bytes: u32,
    created: Vec<u64>,
}

fn send_all(config: ProducerConfig, latencies: &[u64]) -> Vec<Sent> {
    let mut draws = Script { latencies: latencies.iter().copied().collect(), partitions: 0 };
    let mut producer = Producer::new(config, &mut draws);
    let mut sent = Vec::new();
    while let Some(delivery) = producer.next_delivery(&mut draws) {
        for request in 0..delivery.repeat {
            let later = delivery.every.times(request);
            for batch in &delivery.batches {
                let (first, records) = (request * u64::from(batch.records), u64::from(batch.records));
                sent.push(Sent {
                    at: (delivery.sent + later).as_millis(),
                    visible: (delivery.visible + later).as_millis(),
                    bytes: batch.bytes,
                    created: (first..first + records).map(|i| batch.created.at(i).as_millis()).collect(),
                });
            }
        }
    }
    sent
}

#[test]
fn a_batch_that_is_open_while_the_rate_changes_knows_when_each_record_came() {
    let linger = Span::from_secs(1);
    let sent = send_all(ProducerConfig { linger, ..config(&[(0, 10), (250, 50), (300, 0)]) }, &[1]);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].created, [0, 100, 200, 250, 270, 290]);
}

#[test]
fn a_batch_that_is_opened_when_another_one_closes_leaves_with_it_and_takes_nothing_from_the_future() {
    let linger = Span::from_secs(1);
    let two = ProducerConfig { partitions: vec![(Instant::ZERO, 2)], leaders: vec![BrokerId(0); 2], ..config(&[(0, 100), (1_000, 0)]) };
    let sent = send_all(ProducerConfig { linger, batch_size: 300, ..two }, &[1]);
    assert!(sent.iter().any(|batch| batch.created == [batch.at]), "some batch leaves as it is opened");
    assert!(sent.iter().all(|batch| batch.created.iter().all(|created| *created <= batch.at)), "records are created before they are sent");
    assert_eq!(sent.iter().map(|batch| batch.created.len()).sum::<usize>(), 100);
}

#[test]
fn no_request_overtakes_the_one_before_when_two_are_answered_at_once() {
    // The first answer takes so long that the second comes with it: two slots are free for three batches that are waiting.
    let two_in_flight = ProducerConfig { max_in_flight: 2, batch_size: 0, linger: Span::ZERO, ..config(&[(0, 100), (60, 0)]) };
    let sent = send_all(two_in_flight, &[1, 100, 1, 1, 1]);
    let times: Vec<u64> = sent.iter().map(|batch| batch.at).collect();
    assert_eq!(times, [0, 10, 101, 101, 103, 103]);
}

#[test]
fn a_keyed_record_that_opens_a_batch_is_as_small_as_any_first_record() {
    let keyed = ProducerConfig { keys: Some(vec!["k".to_owned()]), ..config(&[(0, 10), (2_000, 0)]) };
    let sent = send_all(ProducerConfig { linger: Span::from_secs(1), batch_size: 400, ..keyed }, &[1]);
    let sizes: Vec<(usize, u32)> = sent.iter().map(|batch| (batch.created.len(), batch.bytes)).collect();
    assert!(sizes[..6].iter().all(|size| *size == sizes[0]), "{sizes:?}");
}

#[test]
fn a_train_is_not_late_because_its_first_request_had_to_wait() {
    // The second request waits at the broker, which is at the first one for 20 ms.
    let acks = Some(Span::from_millis(20));
    let sent = send_all(ProducerConfig { acks, ..config(&[(0, 100), (10, 1), (3_000, 0)]) }, &[1]);
    let seen: Vec<(u64, u64)> = sent.iter().map(|batch| (batch.at, batch.visible)).collect();
    assert_eq!(seen, [(5, 6), (15, 26), (1_015, 1_016), (2_015, 2_016)]);
}

/// A batch as a reader sees it: when, where, how large, and when each record was created.
type Seen = (u64, u32, u32, Vec<u64>);

/// What is seen of a producer, and how often a convoy of more than one train was among it. Convoys are asked for first, up to the moment
/// that `is_due` allows, if that is given.
fn seen(config: ProducerConfig, is_due: Option<fn(Instant) -> bool>) -> (Vec<Seen>, usize) {
    let mut draws = Script { latencies: VecDeque::from([1]), partitions: 0 };
    let mut producer = Producer::new(config, &mut draws);
    let (mut seen, mut convoys) = (Vec::new(), 0);
    let mut see = |first: Instant, batch: &Batch, every: Span, requests: u64| {
        for request in 0..requests {
            let (from, records) = (request * u64::from(batch.records), u64::from(batch.records));
            let created = (from..from + records).map(|i| batch.created.at(i).as_millis()).collect();
            seen.push(((first + every.times(request)).as_millis(), batch.partition, batch.bytes, created));
        }
    };
    loop {
        let mut trains = Vec::new();
        let every = producer.shape.map_or(Span::ZERO, |shape| shape.every);
        let requests = is_due.map_or(0, |is_due| producer.convoy(&mut draws, is_due, &mut trains));
        convoys += usize::from(trains.len() > 1);
        for train in &trains {
            see(train.visible, &train.batch, every, requests);
        }
        let Some(delivery) = producer.next_delivery(&mut draws) else { return (seen, convoys) };
        assert_eq!(delivery.batches.len(), 1);
        see(delivery.visible, &delivery.batches[0], delivery.every, delivery.repeat);
    }
}

#[test]
fn a_convoy_says_what_its_trains_would_say_one_by_one() {
    // Trains of a fourth of a second; the rate changes twice in the middle of one, and a partition is added in the middle of another.
    let plan = [(0, 1_000), (20_100, 500), (41_700, 0)];
    let partitions = vec![(Instant::ZERO, 3), (Instant::from_millis(30_100), 4)];
    let several = ProducerConfig { partitions, leaders: vec![BrokerId(0); 4], batch_size: 16_384, ..config(&plan) };
    let (one_by_one, none) = seen(several.clone(), None);
    assert_eq!((one_by_one.iter().map(|batch| batch.3.len()).sum::<usize>(), none), (20_100 + 10_800, 0));
    let until_ten_seconds: fn(Instant) -> bool = |visible| visible < Instant::from_millis(10_000);
    for is_due in [until_ten_seconds, |_| true] {
        let (in_convoys, convoys) = seen(several.clone(), Some(is_due));
        assert!(convoys > 0, "there are convoys");
        assert_eq!(in_convoys, one_by_one);
    }
}

/// By record: its partition. Of a producer whose every new batch has another partition.
fn partitions_before_3_3(linger: u64, records: u64) -> Vec<u32> {
    let config = ProducerConfig {
        sticks: Sticks::ToBatch,
        linger: Span::from_millis(linger),
        partitions: vec![(Instant::ZERO, 3)],
        leaders: vec![BrokerId(0); 3],
        ..config(&[(0, 10), (100 * records, 0)])
    };
    let mut draws = Script { latencies: [1].into(), partitions: 0 };
    let mut producer = Producer::new(config, &mut draws);
    let mut seen = Vec::new();
    while let Some(delivery) = producer.next_delivery(&mut draws) {
        for batch in &delivery.batches {
            seen.extend(std::iter::repeat_n((batch.created.at(0), batch.partition), (batch.records as usize) * delivery.repeat as usize));
        }
    }
    seen.sort_unstable();
    seen.into_iter().map(|(_, partition)| partition).collect()
}

#[test]
fn before_3_3_each_new_batch_goes_to_another_partition() {
    // Each record is a batch; the draws are 1 of 3, and then 0, 1, 0, … of the two others.
    let single = partitions_before_3_3(0, 40);
    assert_eq!((single.len(), &single[..4]), (40, &[1, 0, 2, 0][..]));
    assert!(single.windows(2).all(|pair| pair[0] != pair[1]));
    // Ten records come in a second of linger.
    let lingered = partitions_before_3_3(1000, 40);
    assert!(lingered.chunks(10).all(|batch| batch.iter().all(|partition| *partition == batch[0])), "{lingered:?}");
    assert!(lingered.chunks(10).collect::<Vec<_>>().windows(2).all(|pair| pair[0][0] != pair[1][0]), "{lingered:?}");
}
