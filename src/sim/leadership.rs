//! Who leads what, and when: known beforehand, since only the timeline kills brokers.
//!
//! A broker that dies takes what it leads with it. When the controller has waited broker.session.timeout.ms for its heartbeats, the next of the
//! replicas that lives takes over and keeps the lead; without one, the partition waits for its broker.
//!
//! Not modelled: the interval of the broker's heartbeats (the last one counts as sent at its death), ISR (a returned replica is in sync at
//! once, and nothing that was acknowledged is lost: an acks=1 producer is as safe as an acks=all one), the election of preferred leaders
//! (a returned broker leads nothing that it lost), ZooKeeper's session time-out in 2.8, and KRaft's wait of a crashed broker for the end of
//! its old session before it may register again.

use crate::kafka::placement;
use crate::scenario::{Scenario, Verb};
use crate::trace::Cast;
use crate::units::{BrokerId, Instant, Span};

/// From an instant on, this broker leads; or nobody.
pub type Reign = (Instant, Option<BrokerId>);

/// A broker that is away from an instant to another.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Outage {
    broker: BrokerId,
    from: Instant,
    until: Instant,
}

#[derive(Debug, Default)]
pub struct Leadership {
    /// By partition index; empty where the first replica leads all the time.
    partitions: Vec<Vec<Reign>>,
    /// By shard of the coordinator.
    shards: Vec<Vec<Reign>>,
    /// When something changes.
    changes: Vec<Instant>,
}

impl Leadership {
    /// `shards`: the partition of `__consumer_offsets` of each.
    pub fn new(scenario: &Scenario, cast: &Cast, shards: &[u32]) -> Self {
        let outages = outages(scenario);
        let brokers = scenario.cluster.brokers;
        let detection = scenario.cluster.config.broker_session_timeout;
        let reigns = |first: BrokerId, replicas: u32| {
            let replicas: Vec<BrokerId> = (0..replicas.min(brokers)).map(|next| BrokerId((first.0 + next) % brokers)).collect();
            reigns(&replicas, &outages, detection)
        };
        let partitions: Vec<Vec<Reign>> = cast
            .all_partitions()
            .map(|at| reigns(placement::leader(at, brokers), scenario.topics[at.topic.index()].replication_factor))
            .collect();
        let shards: Vec<Vec<Reign>> = shards.iter().map(|shard| reigns(placement::coordinator(*shard, brokers), 3)).collect();
        let mut changes: Vec<Instant> = partitions.iter().chain(&shards).flatten().map(|(at, _)| *at).collect();
        changes.sort_unstable();
        changes.dedup();
        Leadership { partitions, shards, changes }
    }

    /// No broker ever dies.
    pub fn is_fixed(&self) -> bool {
        self.changes.is_empty()
    }

    pub fn changes(&self) -> &[Instant] {
        &self.changes
    }

    pub fn of_partition(&self, index: usize) -> &[Reign] {
        &self.partitions[index]
    }

    pub fn of_shard(&self, shard: usize) -> &[Reign] {
        &self.shards[shard]
    }
}

/// Who leads at a moment, if the reigns say it.
pub fn reigning(reigns: &[Reign], now: Instant) -> Option<Option<BrokerId>> {
    reigns.iter().rev().find(|(from, _)| *from <= now).map(|(_, leader)| *leader)
}

/// Before the settle phase every broker is back.
fn outages(scenario: &Scenario) -> Vec<Outage> {
    let end = Instant::ZERO + scenario.duration;
    let mut outages = Vec::new();
    for entry in &scenario.timeline {
        if let Verb::BrokerDown { broker, lasts } = entry.verb {
            outages.push(Outage { broker, from: entry.at, until: lasts.map_or(end, |lasts| (entry.at + lasts).min(end)) });
        }
    }
    outages
}

fn reigns(replicas: &[BrokerId], outages: &[Outage], detection: Span) -> Vec<Reign> {
    let ours: Vec<&Outage> = outages.iter().filter(|outage| replicas.contains(&outage.broker)).collect();
    let mut times: Vec<Instant> = ours.iter().flat_map(|outage| [outage.from, outage.from + detection, outage.until]).collect();
    times.sort_unstable();
    times.dedup();
    let absence =
        |broker: BrokerId, at: Instant| ours.iter().find(|outage| outage.broker == broker && outage.from <= at && at < outage.until);
    let mut leader = replicas[0];
    let mut told = Some(leader);
    let mut reigns = Vec::new();
    for at in times {
        if absence(leader, at).is_some_and(|outage| at >= outage.from + detection) {
            let living = replicas.iter().find(|replica| absence(**replica, at).is_none());
            leader = living.copied().unwrap_or(leader);
        }
        let serves = absence(leader, at).is_none().then_some(leader);
        if serves != told {
            reigns.push((at, serves));
            told = serves;
        }
    }
    reigns
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: BrokerId = BrokerId(0);
    const B: BrokerId = BrokerId(1);

    fn seconds(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    fn check(replicas: &[BrokerId], outages: &[(BrokerId, u64, u64)], expected: &[(u64, Option<BrokerId>)]) {
        let outages: Vec<Outage> =
            outages.iter().map(|(broker, from, until)| Outage { broker: *broker, from: seconds(*from), until: seconds(*until) }).collect();
        let expected: Vec<Reign> = expected.iter().map(|(at, leader)| (seconds(*at), *leader)).collect();
        assert_eq!(reigns(replicas, &outages, Span::from_secs(9)), expected);
    }

    #[test]
    fn the_next_replica_takes_over_when_the_controller_notices_and_keeps_the_lead() {
        check(&[A, B], &[(A, 10, 40)], &[(10, None), (19, Some(B))]);
    }

    #[test]
    fn a_broker_that_is_back_before_anybody_noticed_leads_on() {
        check(&[A, B], &[(A, 10, 15)], &[(10, None), (15, Some(A))]);
    }

    #[test]
    fn a_partition_without_another_replica_waits_for_its_broker() {
        check(&[A], &[(A, 10, 40), (B, 12, 20)], &[(10, None), (40, Some(A))]);
    }

    #[test]
    fn with_all_replicas_gone_the_first_to_return_leads() {
        check(&[A, B], &[(A, 10, 60), (B, 12, 30)], &[(10, None), (30, Some(B))]);
    }
}
