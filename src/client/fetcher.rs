//! Assigned partitions, their positions, and the fetched records that wait for poll() (SubscriptionState, AbstractFetch, FetchCollector).

use std::collections::VecDeque;

use crate::kafka::fetch::{FetchEntry, Fetched};
use crate::units::{BrokerId, Offset, OffsetRange, TopicId, TopicPartition};

/// `SubscriptionState.FetchStates`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Phase {
    /// The committed offset is not known yet.
    Initializing,
    /// Nothing is committed: auto.offset.reset has to find a position.
    AwaitReset {
        asked: bool,
    },
    /// The committed position's leader epoch has to be confirmed.
    AwaitValidation {
        asked: bool,
    },
    Fetching,
}

/// A partition that this consumer owns.
#[derive(Clone, Debug)]
pub struct Owned {
    pub partition: TopicPartition,
    /// `None` while it has none.
    pub leader: Option<BrokerId>,
    pub phase: Phase,
    /// The next offset that poll() returns; meaningful from `Fetching` on.
    pub position: Offset,
    /// About to be revoked: neither fetched nor returned.
    pub pending_revocation: bool,
    /// The application is subscribed to its topic no longer, and that is enough to stop it.
    pub unsubscribed: bool,
    /// Its first Fetch was sent.
    pub fetch_told: bool,
}

impl Owned {
    fn is_fetchable(&self) -> bool {
        self.phase == Phase::Fetching && !self.pending_revocation && !self.unsubscribed
    }
}

/// Records of one partition that poll() returns together.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Slice {
    pub partition: TopicPartition,
    pub offsets: OffsetRange,
}

/// A Fetch to one broker.
#[derive(Copy, Clone, Debug, Default)]
struct Pipe {
    /// The number of the last Fetch that was sent.
    number: u32,
    in_flight: bool,
}

#[derive(Debug)]
pub struct Fetcher {
    /// In the order in which they are asked for.
    owned: Vec<Owned>,
    /// Fetched and not yet drained, in order of arrival. The front one may be empty: drained exactly when the last poll's budget ran out, it
    /// counts as buffered until the next poll.
    buffer: VecDeque<Fetched>,
    pipes: Vec<Pipe>,
    /// Partitions whose first Fetch was not told yet.
    untold: usize,
    spare: Vec<FetchEntry>,
    /// The last Fetch, to this broker, named everything that is owned, and since then nothing but records came and went: so will the next one.
    steady: Option<BrokerId>,
    /// KAFKA-17182: no Fetch to a broker that leads a buffered partition.
    spare_buffered_brokers: bool,
}

impl Fetcher {
    pub fn new(brokers: usize, spare_buffered_brokers: bool) -> Self {
        Fetcher {
            owned: Vec::new(),
            buffer: VecDeque::new(),
            pipes: vec![Pipe::default(); brokers],
            untold: 0,
            spare: Vec::new(),
            steady: None,
            spare_buffered_brokers,
        }
    }

    pub fn owned(&self) -> &[Owned] {
        &self.owned
    }

    pub fn owned_mut(&mut self) -> &mut [Owned] {
        self.steady = None;
        &mut self.owned
    }

    pub fn find_mut(&mut self, partition: TopicPartition) -> Option<&mut Owned> {
        self.steady = None;
        self.owned.iter_mut().find(|owned| owned.partition == partition)
    }

    pub fn partitions(&self) -> Box<[TopicPartition]> {
        let mut partitions: Box<[TopicPartition]> = self.owned.iter().map(|owned| owned.partition).collect();
        partitions.sort_unstable();
        partitions
    }

    /// Gives everything up.
    pub fn clear(&mut self) {
        self.steady = None;
        self.owned.clear();
        self.untold = 0;
        self.buffer.clear();
    }

    /// subscribe() was called: partitions of other topics stop, and go on if they are subscribed to again before they are given up. Both
    /// come back.
    pub fn subscribe(&mut self, is_subscribed: impl Fn(TopicId) -> bool) -> (Box<[TopicPartition]>, Box<[TopicPartition]>) {
        self.steady = None;
        let (mut stopped, mut resumed) = (Vec::new(), Vec::new());
        for owned in &mut self.owned {
            let unsubscribed = !is_subscribed(owned.partition.topic);
            if std::mem::replace(&mut owned.unsubscribed, unsubscribed) == unsubscribed {
                continue;
            }
            if unsubscribed {
                stopped.push(owned.partition);
            } else if !owned.pending_revocation {
                owned.fetch_told = false;
                resumed.push(owned.partition);
            }
        }
        self.untold = self.owned.iter().filter(|owned| !owned.fetch_told).count();
        stopped.sort_unstable();
        resumed.sort_unstable();
        (stopped.into(), resumed.into())
    }

    /// Those marked for revocation.
    pub fn pending_revocation(&self) -> Box<[TopicPartition]> {
        let mut marked: Box<[TopicPartition]> =
            self.owned.iter().filter(|owned| owned.pending_revocation).map(|owned| owned.partition).collect();
        marked.sort_unstable();
        marked
    }

    /// Gives some up, listed in ascending order.
    pub fn release(&mut self, partitions: &[TopicPartition]) {
        self.steady = None;
        let is_given_up = |partition: &TopicPartition| partitions.binary_search(partition).is_ok();
        self.owned.retain(|owned| !is_given_up(&owned.partition));
        self.buffer.retain(|fetched| !is_given_up(&fetched.partition));
        self.untold = self.owned.iter().filter(|owned| !owned.fetch_told).count();
    }

    /// A partition that is to be read was not in a Fetch yet.
    pub fn awaits_first_fetch(&self) -> bool {
        self.untold > 0 && self.owned.iter().any(|owned| !owned.fetch_told && owned.is_fetchable())
    }

    /// Has these partitions and no others, in this order; what was owned before stays as it is, positions of others are to be found.
    pub fn assign(&mut self, partitions: impl Iterator<Item = (TopicPartition, Option<BrokerId>)>) {
        self.steady = None;
        let mut kept = std::mem::take(&mut self.owned);
        kept.sort_unstable_by_key(|owned| owned.partition);
        let take = |(partition, leader)| match kept.binary_search_by_key(&partition, |owned| owned.partition) {
            Ok(place) => kept[place].clone(),
            Err(_) => Owned {
                partition,
                leader,
                phase: Phase::Initializing,
                position: Offset(0),
                pending_revocation: false,
                unsubscribed: false,
                fetch_told: false,
            },
        };
        self.owned = partitions.map(take).collect();
        self.untold = self.owned.iter().filter(|owned| !owned.fetch_told).count();
    }

    /// Those of a Fetch that are in one for the first time since they are owned.
    pub fn first_fetches(&mut self, entries: &[FetchEntry]) -> Vec<FetchEntry> {
        if self.untold == 0 {
            return Vec::new();
        }
        let mut first = Vec::new();
        // They are in the order of those that are owned.
        let mut all = self.owned.iter_mut();
        for entry in entries {
            let owned = all.find(|owned| owned.partition == entry.partition);
            if owned.is_some_and(|owned| !std::mem::replace(&mut owned.fetch_told, true)) {
                self.untold -= 1;
                first.push(*entry);
            }
        }
        first
    }

    /// Takes the buffer of a Fetch back.
    pub fn recycle(&mut self, entries: Vec<FetchEntry>) {
        self.spare = entries;
    }

    /// Positions that a commit without arguments covers: `SubscriptionState.allConsumed`.
    pub fn consumed(&self) -> Vec<(TopicPartition, Offset)> {
        let mut consumed: Vec<_> =
            self.owned.iter().filter(|owned| owned.phase == Phase::Fetching).map(|owned| (owned.partition, owned.position)).collect();
        consumed.sort_unstable();
        consumed
    }

    pub fn has_all_positions(&self) -> bool {
        self.owned.iter().all(|owned| owned.phase == Phase::Fetching)
    }

    /// A Fetch answer came: its records wait for poll(). One CompletedFetch a partition, in answer order. False: nobody waited for it.
    pub fn receive(&mut self, broker: BrokerId, number: u32, records: &[Fetched]) -> bool {
        let pipe = &mut self.pipes[broker.index()];
        let is_awaited = pipe.number == number && pipe.in_flight;
        if pipe.number == number {
            pipe.in_flight = false;
        }
        self.buffer.extend(records);
        is_awaited
    }

    /// The connection to a broker broke, or it does not lead what it was asked for: requests on their way will not be answered.
    pub fn unanswered(&mut self, broker: BrokerId) {
        self.steady = None;
        self.pipes[broker.index()].in_flight = false;
        for owned in self.owned.iter_mut().filter(|owned| owned.leader == Some(broker)) {
            match &mut owned.phase {
                Phase::AwaitReset { asked } | Phase::AwaitValidation { asked } => *asked = false,
                Phase::Initializing | Phase::Fetching => {}
            }
        }
    }

    /// Takes over who leads what. True if everything that is owned has a leader.
    pub fn lead(&mut self, leader_of: impl Fn(TopicPartition) -> Option<BrokerId>) -> bool {
        self.lead_by(|owned| leader_of(owned.partition));
        self.owned.iter().all(|owned| owned.leader.is_some())
    }

    fn lead_by(&mut self, leader_of: impl Fn(&Owned) -> Option<BrokerId>) {
        self.steady = None;
        for owned in &mut self.owned {
            let leader = leader_of(owned);
            if leader != owned.leader {
                owned.leader = leader;
                if let Phase::AwaitReset { asked } | Phase::AwaitValidation { asked } = &mut owned.phase {
                    *asked = false;
                }
            }
        }
    }

    /// This broker does not lead any more what it led, and nobody knows who does.
    pub fn dethrone(&mut self, broker: BrokerId) {
        self.lead_by(|owned| owned.leader.filter(|leader| *leader != broker));
    }

    /// Whether the Fetch that is on its way to a broker will ever be answered is unknown: another one may go.
    pub fn forget_in_flight(&mut self) {
        self.steady = None;
        self.pipes.iter_mut().for_each(|pipe| pipe.in_flight = false);
    }

    /// Nothing waits for poll().
    pub fn is_drained(&self) -> bool {
        self.buffer.is_empty()
    }

    /// A Fetch to a broker is on its way.
    pub fn awaits_answer(&self, broker: BrokerId) -> bool {
        self.pipes[broker.index()].in_flight
    }

    /// The Fetch to be sent to a broker, if one may go: every fetchable partition that is not buffered, from its position.
    pub fn prepare(&mut self, broker: BrokerId) -> Option<(u32, Vec<FetchEntry>)> {
        if self.pipes[broker.index()].in_flight {
            return None;
        }
        let any_buffered = !self.buffer.is_empty();
        let buffered = |partition: TopicPartition| any_buffered && self.buffer.iter().any(|fetched| fetched.partition == partition);
        let mut entries = std::mem::take(&mut self.spare);
        entries.clear();
        for owned in self.owned.iter().filter(|owned| owned.leader == Some(broker) && owned.is_fetchable()) {
            match (buffered(owned.partition), self.spare_buffered_brokers) {
                (true, true) => {
                    entries.clear();
                    break;
                }
                (true, false) => {}
                (false, _) => entries.push(FetchEntry { partition: owned.partition, from: owned.position }),
            }
        }
        if entries.is_empty() {
            self.spare = entries;
            return None;
        }
        self.steady = Some(broker).filter(|_| entries.len() == self.owned.len());
        let pipe = &mut self.pipes[broker.index()];
        pipe.in_flight = true;
        pipe.number += 1;
        Some((pipe.number, entries))
    }

    /// There is nothing to return, and nothing to ask for but what was asked for.
    pub fn only_waits(&self) -> bool {
        self.buffer.is_empty() && self.steady.is_some_and(|broker| self.pipes[broker.index()].in_flight)
    }

    /// One round at once, for an answer whose records poll() returns all: what [`Fetcher::receive`], [`Fetcher::collect`] and
    /// [`Fetcher::prepare`] would do one after the other. The number of the next Fetch, which names the partitions of the last one from where
    /// they are. `None`, and nothing happens: if they are needed.
    pub fn go_round(&mut self, broker: BrokerId, number: u32, fetched: &Fetched) -> Option<u32> {
        let pipe = &mut self.pipes[broker.index()];
        if self.steady != Some(broker) || !self.buffer.is_empty() || !pipe.in_flight || pipe.number != number {
            return None;
        }
        let owned = self.owned.iter_mut().find(|owned| owned.partition == fetched.partition)?;
        if owned.position != fetched.offsets.from {
            return None;
        }
        owned.position = fetched.offsets.to;
        pipe.number += 1;
        Some(pipe.number)
    }

    /// Up to `budget` records for poll(): partition by partition in the order of arrival (`FetchCollector.collectFetch`).
    pub fn collect(&mut self, budget: u64, slices: &mut Vec<Slice>) {
        let mut left = budget;
        if self.buffer.front().is_some_and(|front| front.offsets.is_empty()) {
            self.buffer.pop_front();
        }
        while left > 0 {
            let Some(front) = self.buffer.front_mut() else { break };
            let usable = self.owned.iter().position(|owned| owned.partition == front.partition).filter(|at| {
                let owned = &self.owned[*at];
                owned.is_fetchable() && owned.position == front.offsets.from
            });
            let Some(at) = usable else {
                self.buffer.pop_front();
                continue;
            };
            let taken = front.offsets.len().min(left);
            let offsets = OffsetRange::new(front.offsets.from, front.offsets.from + taken);
            slices.push(Slice { partition: front.partition, offsets });
            self.owned[at].position = offsets.to;
            front.offsets.from = offsets.to;
            left -= taken;
            if front.offsets.is_empty() && left > 0 {
                self.buffer.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests;
