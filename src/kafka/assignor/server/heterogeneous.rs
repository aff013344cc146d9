//! `uniform` where members are subscribed to different topics. Origin: `UniformHeterogeneousAssignmentBuilder`.
//!
//! First the partitions that nobody has are handed out, then, topic by topic, the most loaded subscribers give to the least loaded. A
//! member's load is all that it has, of whatever topics. The result is not always balanced as a whole, in Kafka neither.

use std::cmp::Ordering;

use super::{MemberSpec, existing};
use crate::kafka::assignor::Assignment;
use crate::units::{TopicId, TopicPartition};

/// Kafka stops looking for improvements after so many passes.
const PASSES_MAX: usize = 16;

pub fn assign(partitions: &[u32], members: &[MemberSpec<'_>], subscribers: &[Vec<usize>]) -> Assignment {
    let mut builder = Builder::new(partitions, members, subscribers);
    let topics = topic_order(partitions, subscribers);
    for topic in &topics {
        builder.hand_out(*topic);
    }
    builder.balance(&topics);
    builder.assignment()
}

/// The topics with the most partitions for a subscriber first, as they matter most; of equal ones that with the fewest subscribers.
fn topic_order(partitions: &[u32], subscribers: &[Vec<usize>]) -> Vec<TopicId> {
    let mut order: Vec<TopicId> =
        existing(partitions).map(|(topic, _)| topic).filter(|topic| !subscribers[topic.index()].is_empty()).collect();
    let size = |topic: TopicId| (f64::from(partitions[topic.index()]), subscribers[topic.index()].len());
    order.sort_by(|a, b| {
        let ((a_partitions, a_subscribers), (b_partitions, b_subscribers)) = (size(*a), size(*b));
        let by_share = (b_partitions / b_subscribers as f64).total_cmp(&(a_partitions / a_subscribers as f64));
        by_share.then(a_subscribers.cmp(&b_subscribers)).then(a.cmp(b))
    });
    order
}

struct Builder<'a> {
    /// By topic and partition: the place of the member that has it.
    owners: Vec<Vec<Option<usize>>>,
    /// How many partitions each member has.
    loads: Vec<usize>,
    subscribers: &'a [Vec<usize>],
}

impl<'a> Builder<'a> {
    /// From the previous targets, without what the members are not subscribed to.
    fn new(partitions: &[u32], members: &[MemberSpec<'_>], subscribers: &'a [Vec<usize>]) -> Self {
        let mut owners: Vec<Vec<Option<usize>>> = partitions.iter().map(|count| vec![None; *count as usize]).collect();
        for (place, member) in members.iter().enumerate() {
            let is_subscribed = |topic: TopicId| subscribers[topic.index()].binary_search(&place).is_ok();
            for at in member.target.iter().filter(|at| is_subscribed(at.topic)) {
                if let Some(owner) = owners[at.topic.index()].get_mut(at.partition as usize) {
                    *owner = Some(place);
                }
            }
        }
        let mut loads = vec![0; members.len()];
        for owner in owners.iter().flatten().flatten() {
            loads[*owner] += 1;
        }
        Builder { owners, loads, subscribers }
    }

    /// The partitions of a topic that nobody has go to its least loaded subscribers.
    fn hand_out(&mut self, topic: TopicId) {
        if self.owners[topic.index()].iter().all(Option::is_some) {
            return;
        }
        let mut scale = Scale::of(&self.subscribers[topic.index()], &self.loads);
        for owner in self.owners[topic.index()].iter_mut().filter(|owner| owner.is_none()) {
            let taker = scale.least_loaded();
            *owner = Some(taker);
            self.loads[taker] += 1;
        }
    }

    /// Goes around the topics until nothing has changed for a whole round.
    fn balance(&mut self, topics: &[TopicId]) {
        let shared: Vec<TopicId> = topics.iter().copied().filter(|topic| self.subscribers[topic.index()].len() >= 2).collect();
        let mut last_changed = None;
        for _ in 0..PASSES_MAX {
            for &topic in &shared {
                if last_changed == Some(topic) {
                    return;
                }
                if self.balance_topic(topic) || last_changed.is_none() {
                    last_changed = Some(topic);
                }
            }
        }
    }

    /// True if a partition has moved. What a member gives is the last partition that it has of the topic.
    fn balance_topic(&mut self, topic: TopicId) -> bool {
        let mut scale = Scale::of(&self.subscribers[topic.index()], &self.loads);
        if scale.is_level() {
            return false;
        }
        let mut held = self.held(topic);
        let mut moved = false;
        while let Some(giver) = scale.most_loaded() {
            if scale.is_level() {
                break;
            }
            let Some(partition) = held[giver].pop() else {
                scale.exclude_most_loaded();
                continue;
            };
            let taker = scale.least_loaded();
            if scale.is_level() {
                break;
            }
            self.owners[topic.index()][partition] = Some(taker);
            self.loads[giver] -= 1;
            self.loads[taker] += 1;
            moved = true;
        }
        moved
    }

    /// The partitions of a topic, ascending, by the member that has them.
    fn held(&self, topic: TopicId) -> Vec<Vec<usize>> {
        let mut held = vec![Vec::new(); self.loads.len()];
        for (partition, owner) in self.owners[topic.index()].iter().enumerate() {
            if let Some(owner) = owner {
                held[*owner].push(partition);
            }
        }
        held
    }

    fn assignment(&self) -> Assignment {
        let mut assignment = vec![Vec::new(); self.loads.len()];
        for (topic, owners) in self.owners.iter().enumerate() {
            for (partition, owner) in owners.iter().enumerate() {
                if let Some(owner) = owner {
                    assignment[*owner].push(TopicPartition { topic: TopicId(topic as u32), partition: partition as u32 });
                }
            }
        }
        assignment
    }
}

/// The subscribers of a topic by load, then place. Who gives comes from the upper end, who takes from the lower one; on each side a range of
/// members of one load is gone through, then the load changes by one and the range grows by those who have it.
///
/// ```text
///   load      2  2 | 3  5 | 6  6          after two moves:   3  3  3 | 5  5  5
///   member    A  B   C  D   E  F                             A  B  C   D  E  F
///             `low'         `high'                           `-low-'   `-high'
/// ```
struct Scale {
    members: Vec<usize>,
    /// At the beginning, in the order of `members`.
    loads: Vec<usize>,
    low_load: usize,
    low_end: usize,
    low_next: usize,
    high_load: usize,
    high_start: usize,
    high_end: usize,
    /// The member before this place is next.
    high_next: usize,
}

impl Scale {
    fn of(subscribers: &[usize], loads: &[usize]) -> Scale {
        let mut members = subscribers.to_vec();
        members.sort_by_key(|member| (loads[*member], *member));
        let loads: Vec<usize> = members.iter().map(|member| loads[*member]).collect();
        let (low_load, high_load) = (loads[0], loads[loads.len() - 1]);
        let low_end = loads.partition_point(|load| *load <= low_load);
        let high_start = loads.partition_point(|load| *load < high_load);
        let end = members.len();
        Scale { members, loads, low_load, low_end, low_next: 0, high_load, high_start, high_end: end, high_next: end }
    }

    fn is_level(&self) -> bool {
        self.high_load.saturating_sub(self.low_load) <= 1
    }

    fn least_loaded(&mut self) -> usize {
        if self.low_next == self.low_end {
            self.low_load += 1;
            self.low_next = 0;
            while self.low_end < self.loads.len() && self.loads[self.low_end] <= self.low_load {
                self.low_end += 1;
            }
        }
        self.low_next += 1;
        self.members[self.low_next - 1]
    }

    /// `None` if all were excluded.
    fn most_loaded(&mut self) -> Option<usize> {
        if self.high_next == self.high_start {
            self.high_load = match (self.high_start.cmp(&self.high_end), self.high_start.checked_sub(1)) {
                (Ordering::Less, _) => self.high_load - 1,
                (Ordering::Equal | Ordering::Greater, below) => self.loads[below?],
            };
            while self.high_start > 0 && self.loads[self.high_start - 1] >= self.high_load {
                self.high_start -= 1;
            }
            self.high_next = self.high_end;
        }
        self.high_next -= 1;
        Some(self.members[self.high_next])
    }

    /// The member that [`Scale::most_loaded`] has just named has nothing to give.
    fn exclude_most_loaded(&mut self) {
        self.high_end -= 1;
        self.members.swap(self.high_next, self.high_end);
    }
}
