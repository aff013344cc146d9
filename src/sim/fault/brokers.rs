//! Brokers that die and come back, and what becomes of what they lead.
//!
//! The connections of a broker that dies are reset; what was on its way to it is lost. The shards that it coordinates are unloaded, and loaded
//! again by whoever leads their partition next.
//!
//! Not modelled: an orderly shutdown, which would move the leaders at once; a host that dies without a word.

use crate::scenario::Cluster;
use crate::sim::Simulation;
use crate::sim::fault::Due;
use crate::sim::leadership::reigning;
use crate::sim::network::ConnectionId;
use crate::trace::TraceEvent;
use crate::trace::fault::Fault;
use crate::units::{BrokerId, GroupId, Instant, Span, TopicPartition};

impl Simulation<'_> {
    pub(super) fn broker_dies(&mut self, broker: BrokerId, lasts: Option<Span>) {
        let end = Instant::ZERO + self.scenario.duration;
        let until = lasts.map_or(end, |lasts| (self.now + lasts).min(end));
        self.faults.down[broker.index()] = Some(until);
        self.emit(TraceEvent::Fault(Fault::BrokerDied { broker, until }));
        self.schedule_fault(until, Due::Return(broker));
        for at in 0..self.connections.len() {
            let connection = ConnectionId(at as u32);
            let link = &mut self.connections[at];
            if link.broker == broker && !link.dead {
                link.die();
                let is_open = link.open;
                self.drop_session(connection);
                if is_open {
                    self.break_later(connection);
                }
            }
        }
        for shard in 0..self.coordinators.len() {
            if self.shard_brokers[shard] == broker {
                self.loads[shard] += 1;
                self.coordinators[shard].unload(self.now, &mut self.coordinator_fx);
                self.after_coordinator(shard as u32);
            }
        }
    }

    pub(super) fn broker_returns(&mut self, broker: BrokerId) {
        if self.faults.down[broker.index()].is_some_and(|until| until <= self.now) {
            self.faults.down[broker.index()] = None;
            self.emit(TraceEvent::Fault(Fault::BrokerReturned { broker }));
        }
    }

    pub(in crate::sim) fn is_down(&self, broker: BrokerId) -> bool {
        self.faults.down[broker.index()].is_some()
    }

    /// Something has got a leader, or lost it.
    pub(super) fn leaders_change(&mut self) {
        let partitions: Vec<TopicPartition> = self.cast.all_partitions().collect();
        for (index, partition) in partitions.into_iter().enumerate() {
            let change = self.leadership.of_partition(index).iter().find(|(at, _)| *at == self.now);
            if let Some((_, Some(broker))) = change
                && self.exists(partition)
            {
                let broker = *broker;
                self.emit(TraceEvent::Fault(Fault::LeaderElected { partition, broker }));
            }
        }
        for shard in 0..self.coordinators.len() {
            let change = self.leadership.of_shard(shard).iter().find(|(at, _)| *at == self.now);
            if let Some((_, Some(broker))) = change {
                self.shard_brokers[shard] = *broker;
                self.coordinators[shard].start_loading();
                self.loads[shard] += 1;
                let Cluster { load_time, .. } = self.scenario.cluster;
                self.schedule_fault(self.now + load_time, Due::Loaded { shard: shard as u32, load: self.loads[shard] });
            }
        }
    }

    /// A broker has read the records of a shard, unless it died meanwhile.
    pub(super) fn on_loaded(&mut self, shard: u32, load: u32) {
        if self.loads[shard as usize] != load {
            return;
        }
        let broker = self.shard_brokers[shard as usize];
        for group in 0..self.shards.len() {
            if self.shards[group] == shard {
                self.emit(TraceEvent::Fault(Fault::CoordinatorLoaded { group: GroupId(group as u32), broker }));
            }
        }
        self.coordinators[shard as usize].loaded(self.now, &mut self.coordinator_fx);
        self.after_coordinator(shard);
    }

    /// Who leads a partition at the moment.
    pub(in crate::sim) fn leader_of(&self, partition: TopicPartition) -> Option<BrokerId> {
        let first = crate::kafka::placement::leader(partition, self.scenario.cluster.brokers);
        reigning(self.leadership.of_partition(self.cast.index(partition)), self.now).unwrap_or(Some(first))
    }

    /// The group's coordinator, if its broker lives.
    pub(in crate::sim) fn coordinator_of(&self, group: GroupId) -> Option<BrokerId> {
        let shard = self.shards[group.index()] as usize;
        let first = self.shard_brokers[shard];
        reigning(self.leadership.of_shard(shard), self.now).unwrap_or(Some(first))
    }
}
