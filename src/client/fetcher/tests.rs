//! Fetches, buffers and the order in which poll() hands records out.

use super::*;
use crate::units::TopicId;

fn at(partition: u32) -> TopicPartition {
    TopicPartition { topic: TopicId(0), partition }
}

fn fetched(partition: u32, from: u64, to: u64) -> Fetched {
    Fetched { partition: at(partition), offsets: OffsetRange::new(Offset(from), Offset(to)) }
}

/// Three partitions with positions at 0, led by one broker.
fn fetcher(spare: bool) -> Fetcher {
    let mut fetcher = Fetcher::new(1, spare);
    fetcher.assign((0..3).map(|partition| (at(partition), Some(BrokerId(0)))));
    fetcher.owned_mut().iter_mut().for_each(|owned| owned.phase = Phase::Fetching);
    fetcher
}

fn poll(fetcher: &mut Fetcher) -> Vec<(u32, u64)> {
    let mut slices = Vec::new();
    fetcher.collect(500, &mut slices);
    slices.iter().map(|slice| (slice.partition.partition, slice.offsets.len())).collect()
}

fn asked(fetcher: &mut Fetcher) -> Option<Vec<u32>> {
    let (_, entries) = fetcher.prepare(BrokerId(0))?;
    Some(entries.iter().map(|entry| entry.partition.partition).collect())
}

#[test]
fn records_come_partition_by_partition_in_order_of_arrival() {
    let mut fetcher = fetcher(true);
    fetcher.receive(BrokerId(0), 0, &[fetched(0, 0, 1200), fetched(1, 0, 300), fetched(2, 0, 300)]);
    assert_eq!(poll(&mut fetcher), [(0, 500)]);
    assert_eq!(poll(&mut fetcher), [(0, 500)]);
    assert_eq!(poll(&mut fetcher), [(0, 200), (1, 300)]);
    assert_eq!(poll(&mut fetcher), [(2, 300)]);
}

#[test]
fn before_4_0_drained_partitions_are_asked_for_while_others_are_buffered() {
    let mut fetcher = fetcher(false);
    fetcher.receive(BrokerId(0), 0, &[fetched(0, 0, 700), fetched(1, 0, 300), fetched(2, 0, 300)]);
    poll(&mut fetcher);
    assert_eq!(poll(&mut fetcher), [(0, 200), (1, 300)]);
    assert_eq!(asked(&mut fetcher), Some(vec![0]), "1 was drained exactly at the budget and still counts as buffered");
}

#[test]
fn since_4_0_a_broker_with_buffered_partitions_gets_no_fetch() {
    let mut fetcher = fetcher(true);
    fetcher.receive(BrokerId(0), 0, &[fetched(0, 0, 700), fetched(1, 0, 300)]);
    poll(&mut fetcher);
    assert_eq!(asked(&mut fetcher), None);
    assert_eq!(poll(&mut fetcher), [(0, 200), (1, 300)]);
    assert_eq!(asked(&mut fetcher), None, "1 was drained exactly at the budget");
    assert_eq!(poll(&mut fetcher), []);
    assert_eq!(asked(&mut fetcher), Some(vec![0, 1, 2]));
    assert_eq!(asked(&mut fetcher), None, "one is on its way");
}

#[test]
fn records_at_another_position_or_of_a_partition_given_up_are_dropped() {
    let mut fetcher = fetcher(true);
    fetcher.receive(BrokerId(0), 0, &[fetched(0, 5, 10), fetched(1, 0, 5)]);
    fetcher.find_mut(at(1)).expect("1 is owned").pending_revocation = true;
    assert_eq!(poll(&mut fetcher), []);
    fetcher.clear();
    fetcher.receive(BrokerId(0), 0, &[fetched(2, 0, 5)]);
    assert_eq!(poll(&mut fetcher), []);
}

#[test]
fn a_round_at_once_is_what_its_steps_are_one_by_one() {
    let leader = BrokerId(0);
    let ready = || {
        let mut fetcher = fetcher(false);
        let (number, entries) = fetcher.prepare(leader).expect("there is something to be read");
        assert_eq!(fetcher.first_fetches(&entries).len(), 3);
        (fetcher, number)
    };
    let (mut step_by_step, number) = ready();
    assert!(step_by_step.receive(leader, number, &[fetched(1, 0, 5)]));
    assert_eq!(poll(&mut step_by_step), [(1, 5)]);
    let next = step_by_step.prepare(leader).map(|(number, _)| number);

    let (mut at_once, number) = ready();
    assert_eq!(at_once.go_round(leader, number, &fetched(1, 0, 5)), next);
    assert_eq!(at_once.consumed(), step_by_step.consumed());
    assert!(at_once.only_waits() && step_by_step.only_waits());

    // Of another Fetch, from elsewhere, or after something else has changed: one by one.
    let number = next.expect("there is more to be read");
    assert_eq!(at_once.go_round(leader, number - 1, &fetched(1, 5, 6)), None);
    assert_eq!(at_once.go_round(leader, number, &fetched(1, 0, 5)), None);
    at_once.forget_in_flight();
    assert_eq!(at_once.go_round(leader, number, &fetched(1, 5, 6)), None);
    assert!(!at_once.only_waits());
}
