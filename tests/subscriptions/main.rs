//! Members of one group with different subscriptions, and subscriptions that change while the group runs, under each protocol.

mod errors;
mod members;
mod patterns;
#[path = "../story/lines.rs"]
mod story;
mod topics;

use groupsim::metrics::OwnerSpan;
use groupsim::report::Run;
use groupsim::scenario::{Scenario, load};
use groupsim::units::{Instant, Span};

/// The properties of a group for each way to rebalance.
const PROTOCOLS: [&str; 3] =
    ["partition.assignment.strategy: range", "partition.assignment.strategy: cooperative-sticky", "group.protocol: consumer"];

struct Played {
    scenario: Scenario,
    run: Run,
}

fn play(text: &str) -> Played {
    let (scenario, _) = load(text, "subscriptions.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let run = groupsim::run::play(&scenario, scenario.seed, &mut ());
    assert_eq!(run.violations, [], "{text}");
    Played { scenario, run }
}

impl Played {
    /// Who had a partition of the first group at that second; nobody: `-`.
    fn owner(&self, partition: &str, second: u64) -> &str {
        let at = Instant::ZERO + Span::from_secs(second);
        let (topic, number) = partition.rsplit_once('-').expect("topic-partition");
        let is_meant = |at: groupsim::units::TopicPartition| {
            self.scenario.topics[at.topic.index()].name == topic && at.partition.to_string() == number
        };
        let measured = self.run.measurements.groups[0].partitions.iter().find(|measured| is_meant(measured.partition));
        let has = |span: &&OwnerSpan| span.from <= at && at < span.to;
        let owner = measured.expect("the group reads it").owners.iter().rev().find(has);
        owner.map_or("-", |span| &self.scenario.clients[span.client.index()].name)
    }

    /// The owners of all partitions of a topic at that second.
    fn owners(&self, topic: &str, second: u64) -> String {
        let topics = self.scenario.topics.iter().find(|declared| declared.name == topic).expect("a declared topic");
        (0..topics.most_partitions).map(|partition| self.owner(&format!("{topic}-{partition}"), second)).collect::<Vec<_>>().join(" ")
    }
}
