//! Whether everything is drained: every record read by its groups and, where they commit, committed; and nothing in anybody's hands.

use crate::scenario::Commit;
use crate::sim::Simulation;
use crate::trace::{Cast, TraceEvent};
use crate::units::{GroupId, Offset, TopicPartition};

/// How far each group is with each partition, as the facts tell.
#[derive(Debug)]
pub struct Drainage {
    pairs: Vec<Pair>,
    /// By group: where its pairs begin, and by partition index the place of the pair from there (`usize::MAX`: not subscribed).
    places: Vec<Vec<usize>>,
    /// Pairs before this one were drained when last looked at.
    cursor: usize,
}

#[derive(Debug)]
struct Pair {
    group: GroupId,
    partition: TopicPartition,
    processed: Option<Offset>,
    /// The furthest that reading was started from.
    position: Offset,
    committed: Option<Offset>,
    /// Records that members, or who was one, work on or will.
    in_hand: u64,
}

impl Drainage {
    pub fn new(cast: &Cast) -> Self {
        let mut pairs = Vec::new();
        let mut places = Vec::new();
        for (group, topics) in cast.group_topics.iter().enumerate() {
            let mut by_partition = vec![usize::MAX; cast.partition_count()];
            for partition in cast.all_partitions().filter(|partition| topics.contains(&partition.topic)) {
                by_partition[cast.index(partition)] = pairs.len();
                let group = GroupId(group as u32);
                pairs.push(Pair { group, partition, processed: None, position: Offset(0), committed: None, in_hand: 0 });
            }
            places.push(by_partition);
        }
        Drainage { pairs, places, cursor: 0 }
    }

    #[inline(always)]
    fn pair(&mut self, cast: &Cast, group: GroupId, partition: TopicPartition) -> &mut Pair {
        let place = self.places[group.index()][cast.index(partition)];
        &mut self.pairs[place]
    }

    #[inline(always)]
    pub fn note(&mut self, cast: &Cast, fact: &TraceEvent) {
        if let TraceEvent::Processed { client, partition, offsets, .. } = fact {
            let pair = self.pair(cast, cast.client_group[client.index()], *partition);
            pair.processed = Some(pair.processed.map_or(offsets.to, |to| to.max(offsets.to)));
            pair.in_hand -= offsets.len();
        } else if let TraceEvent::Polled { client, partition, offsets } = fact {
            self.pair(cast, cast.client_group[client.index()], *partition).in_hand += offsets.len();
        } else if let TraceEvent::Dropped { client, partition, offsets } = fact {
            self.pair(cast, cast.client_group[client.index()], *partition).in_hand -= offsets.len();
        } else if let TraceEvent::Committed { group, partition, offset, .. } = fact {
            self.pair(cast, *group, *partition).committed = Some(*offset);
        } else if let TraceEvent::PositionSet { client, partition, offset, .. } = fact {
            let pair = self.pair(cast, cast.client_group[client.index()], *partition);
            pair.position = pair.position.max(*offset);
        }
    }
}

impl Simulation<'_> {
    /// Producers have sent everything, and every group has read, processed and (if it commits) committed all of it.
    pub(super) fn drained(&mut self) -> bool {
        if self.producers.iter().any(|node| node.coming.is_some() || !node.deliveries.is_empty()) {
            return false;
        }
        let mut all = true;
        for _ in 0..2 {
            while let Some(pair) = self.drainage.pairs.get(self.drainage.cursor) {
                if !self.is_pair_drained(pair) {
                    all = false;
                    break;
                }
                self.drainage.cursor += 1;
            }
            if !all {
                return false;
            }
            // Seen to the end: once more from the start, since an early pair may have gone back meanwhile.
            self.drainage.cursor = 0;
        }
        true
    }

    fn is_pair_drained(&self, pair: &Pair) -> bool {
        let end = self.logs[self.cast.index(pair.partition)].high_watermark();
        let is_gone = self.topics_vanish && self.partitions[pair.partition.topic.index()] == 0;
        if end == Offset(0) || is_gone {
            return true;
        }
        if pair.in_hand > 0 {
            return false;
        }
        let group = &self.scenario.groups[pair.group.index()];
        if group.clients == 0 {
            return false;
        }
        let commits = self.scenario.clients[group.first_client.index()].commit != Commit::External;
        let is_settled = !commits || pair.committed == Some(end);
        let is_read = pair.processed.is_some_and(|processed| processed >= end);
        // A reset went past the rest, or it was committed unread: nobody will come back to it.
        let is_passed_over = pair.position >= end && (is_settled || pair.committed.is_none());
        is_read && is_settled || is_passed_over
    }
}
