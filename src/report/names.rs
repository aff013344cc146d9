//! Ids back to the names that the scenario gave them.

use crate::scenario::{Releases, Scenario};
use crate::terms::Peers;
use crate::units::{BrokerId, ClientId, MemberId, TopicPartition};

pub fn client(scenario: &Scenario, id: ClientId) -> &str {
    &scenario.clients[id.index()].name
}

/// `B` in its first life, then `B#2`, …: the member id as Kafka's coordinator knows it.
pub fn member(scenario: &Scenario, id: MemberId) -> String {
    let name = client(scenario, id.client);
    if id.number <= 1 { name.to_owned() } else { format!("{name}#{}", id.number) }
}

pub fn partition(scenario: &Scenario, at: TopicPartition) -> String {
    format!("{}-{}", scenario.topics[at.topic.index()].name, at.partition)
}

pub fn broker(BrokerId(number): BrokerId) -> String {
    format!("broker {number}")
}

/// Whom a client cannot reach.
pub fn peers(peers: Peers) -> String {
    match peers {
        Peers::Coordinator => "its coordinator".to_owned(),
        Peers::Leaders => "the leaders".to_owned(),
        Peers::All => "all brokers".to_owned(),
        Peers::Broker(id) => broker(id),
    }
}

/// Neighbours drawn together, the topic named once, long lists cut: `orders-0..5,7`, `orders-0,2,4,6 and 43 more`, both ends of a run
/// included as in traces.
pub fn partitions(scenario: &Scenario, all: &[TopicPartition]) -> String {
    const PIECES_SHOWN: usize = 4;
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let runs: Vec<&[TopicPartition]> = sorted
        .chunk_by(|a, b| a.topic == b.topic && a.partition + 1 == b.partition)
        .flat_map(|run| run.chunks(if run.len() == 2 { 1 } else { run.len() }))
        .collect();
    let shown = if runs.len() == PIECES_SHOWN + 1 { runs.len() } else { runs.len().min(PIECES_SHOWN) };
    let mut topic = None;
    let mut pieces = Vec::new();
    for run in &runs[..shown] {
        let first = match topic {
            Some(same) if same == run[0].topic => run[0].partition.to_string(),
            Some(_) => format!(" {}", partition(scenario, run[0])),
            None => partition(scenario, run[0]),
        };
        topic = Some(run[0].topic);
        pieces.push(if run.len() == 1 { first } else { format!("{first}..{}", run[run.len() - 1].partition) });
    }
    let hidden: usize = runs[shown..].iter().map(|run| run.len()).sum();
    let more = if hidden > 0 { format!(" and {hidden} more") } else { String::new() };
    pieces.join(",") + &more
}

/// Names in a row, long lists cut: `A`, `A and B`, `A, B, C and 14 more`.
pub fn list(names: &[String], shown: usize) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] if names.len() <= shown + 1 => format!("{} and {last}", before.join(", ")),
        _ => format!("{} and {} more", names[..shown].join(", "), names.len() - shown),
    }
}

/// `4.3.1`, or both where brokers and clients differ.
pub fn releases(releases: Releases) -> String {
    let Releases { brokers, clients } = releases;
    if brokers == clients {
        return brokers.name().to_owned();
    }
    format!("{} (brokers), {} (clients)", brokers.name(), clients.name())
}
