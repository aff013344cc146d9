//! How much was produced, and how much of it consumers could see when the run phase ended.
//!
//! A fold over the trace, beside the ledger and the measurements: those know what each group should have processed, this one knows the
//! topics, read or not.

use crate::fold::{Append, Fold, Known};
use crate::trace::{Cast, TraceEvent};
use crate::units::{Instant, TopicId};

/// What the producers of each topic did in the run phase.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Production {
    /// By topic.
    pub topics: Vec<Produced>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Produced {
    /// Handed to `send()`.
    pub sent: u64,
    /// Below the high watermark at the end of the run phase.
    pub visible: u64,
}

/// Follows a run.
pub struct ProductionFold {
    producer_topic: Vec<TopicId>,
    run_end: Instant,
    production: Production,
}

impl Production {
    /// Handed to `send()`, over all topics.
    pub fn sent(&self) -> u64 {
        self.topics.iter().map(|topic| topic.sent).sum()
    }

    /// Records of these topics that were still on their way to the brokers, or not yet replicated, when the run phase ended.
    pub fn on_the_way(&self, topics: &[TopicId]) -> u64 {
        topics.iter().map(|topic| &self.topics[topic.index()]).map(|topic| topic.sent.saturating_sub(topic.visible)).sum()
    }
}

impl ProductionFold {
    /// The run phase ends at `run_end`, which is included.
    pub fn new(cast: &Cast, run_end: Instant) -> Self {
        let topics = vec![Produced::default(); cast.partitions.len()];
        ProductionFold { producer_topic: cast.producer_topic.clone(), run_end, production: Production { topics } }
    }

    pub fn finish(self) -> Production {
        self.production
    }
}

impl Fold for ProductionFold {
    #[inline(always)]
    fn appended(&mut self, _at: Instant, append: &Append<'_>) {
        self.production.topics[append.partition.topic.index()].visible += append.visible_by(self.run_end);
    }

    fn told(&mut self, _at: Instant, event: &TraceEvent, _known: &Known) {
        if let TraceEvent::ProducerStopped { producer, sent } = event {
            self.production.topics[self.producer_topic[producer.index()].index()].sent += sent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::Folding;
    use crate::trace::Sink;
    use crate::trace::times::Created;
    use crate::units::{Offset, Pace, ProducerId, Rate, Span, TopicPartition};

    #[test]
    fn a_batch_that_is_not_visible_at_the_end_of_the_run_phase_is_on_the_way() {
        let cast = Cast { first_partition: vec![0], partitions: vec![(1, 1)], producer_topic: vec![TopicId(0)], ..Cast::default() };
        let mut folding = Folding::new(&cast, ProductionFold::new(&cast, Instant::from_millis(1000)));
        let pace = Pace::new(Instant::ZERO, Rate { records: 1000, per: Span::from_secs(1) });
        let append = |delay| TraceEvent::Appended {
            producer: ProducerId(0),
            partition: TopicPartition { topic: TopicId(0), partition: 0 },
            first: Offset(0),
            per_batch: 10,
            batches: 100,
            created: Created::Even { pace, index: 0 },
            delay: Span::from_millis(delay),
        };
        folding.record(Instant::from_millis(1000), &append(11));
        folding.record(Instant::from_millis(1000), &TraceEvent::ProducerStopped { producer: ProducerId(0), sent: 1000 });
        let production = folding.finish().0.finish();
        // The batch of 990 ms is visible at 1001 ms.
        assert_eq!(production.topics, [Produced { sent: 1000, visible: 990 }]);
        assert_eq!(production.on_the_way(&[TopicId(0)]), 10);
    }
}
