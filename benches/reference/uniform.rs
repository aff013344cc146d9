//! The broker's uniform assignor in the shapes of Kafka's own benchmark (ServerSideAssignorBenchmark), beside what Kafka's developers reported
//! for it (apache/kafka#15883, #16088, #17133, #17385, #19677), on machines of theirs.
//!
//! As there, each of the topics has members x partitions / topics partitions, rounded down: 100 x 5 over 1,000 topics are none at all. Members
//! with different subscriptions are in five blocks with a fifth of the topics each; in an incremental assignment one member is new.

use std::hint::black_box;

use groupsim::kafka::assignor::server::{MemberSpec, ServerAssignor};
use groupsim::kafka::release::Switches;
use groupsim::release::Release;
use groupsim::units::{TopicId, TopicPartition};

use crate::parts::per_item;

/// So many members with so many partitions each, of so many topics.
struct Shape {
    members: usize,
    partitions: usize,
    topics: usize,
    kind: Kind,
    /// What was reported for it, in milliseconds.
    kafka: f64,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    Alike,
    Blocks,
    Incremental,
}

const SHAPES: [Shape; 6] = [
    Shape { members: 100, partitions: 5, topics: 1_000, kind: Kind::Alike, kafka: 0.066 },
    Shape { members: 5_000, partitions: 10, topics: 1_000, kind: Kind::Alike, kafka: 1.71 },
    Shape { members: 5_000, partitions: 50, topics: 1_000, kind: Kind::Alike, kafka: 7.49 },
    Shape { members: 10_000, partitions: 10, topics: 1_000, kind: Kind::Alike, kafka: 4.31 },
    Shape { members: 100, partitions: 5, topics: 10, kind: Kind::Blocks, kafka: 0.059 },
    Shape { members: 10_000, partitions: 10, topics: 100, kind: Kind::Incremental, kafka: 14.7 },
];

const BLOCKS: usize = 5;

pub fn report() {
    for shape in &SHAPES {
        let millis = shape.millis();
        let kind = match shape.kind {
            Kind::Alike => "",
            Kind::Blocks => " in five blocks",
            Kind::Incremental => ", one of them new",
        };
        println!(
            "uniform, {} members{kind} x {} partitions of {} topics: {millis:.3} ms; {} ms were reported for Kafka",
            shape.members, shape.partitions, shape.topics, shape.kafka
        );
    }
}

impl Shape {
    fn millis(&self) -> f64 {
        let partitions = vec![(self.members * self.partitions / self.topics) as u32; self.topics];
        let topics: Vec<TopicId> = (0..self.topics as u32).map(TopicId).collect();
        let ids: Vec<String> = (0..self.members).map(|place| format!("member{place}")).collect();
        let switches = Switches::of(Release::default());
        let nothing = vec![Vec::new(); self.members];
        let targets = match self.kind {
            Kind::Alike | Kind::Blocks => nothing,
            Kind::Incremental => {
                let earlier = self.specs(&topics, &ids[..self.members - 1], &nothing);
                let mut targets = ServerAssignor::Uniform.assign(switches, &partitions, &earlier);
                targets.push(Vec::new());
                targets
            }
        };
        let members = self.specs(&topics, &ids, &targets);
        per_item(5, |_| drop(black_box(ServerAssignor::Uniform.assign(switches, &partitions, black_box(&members))))) / 1e6
    }

    fn specs<'a>(&self, topics: &'a [TopicId], ids: &'a [String], targets: &'a [Vec<TopicPartition>]) -> Vec<MemberSpec<'a>> {
        let spec = |(place, (id, target)): (usize, (&'a String, &'a Vec<TopicPartition>))| {
            let topics = match self.kind {
                Kind::Alike | Kind::Incremental => topics,
                Kind::Blocks => topics.chunks(topics.len().div_ceil(BLOCKS)).nth(place / ids.len().div_ceil(BLOCKS)).unwrap_or(&[]),
            };
            MemberSpec { id, instance: None, topics, target }
        };
        ids.iter().zip(targets).enumerate().map(spec).collect()
    }
}
