//! The client-side assignors against the answers of Kafka's own classes (tests/vectors/README.md).

use std::collections::{BTreeMap, BTreeSet};

use groupsim::kafka::assignor::{AssignError, Assignor, Member, Topic};
use groupsim::units::TopicId;
use serde::Deserialize;

/// One call of an assignor. Fields that range and round robin do not look at are left unread.
#[derive(Deserialize)]
struct Call {
    topics: BTreeMap<String, u32>,
    members: Vec<Subscriber>,
    expected: Option<BTreeMap<String, BTreeSet<(String, u32)>>>,
    expected_error: Option<String>,
}

#[derive(Deserialize)]
struct Subscriber {
    id: String,
    instance_id: Option<String>,
    topics: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    assignor: String,
    #[serde(flatten)]
    call: Call,
}

#[derive(Deserialize)]
struct Sequence {
    id: String,
    assignor: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    event: String,
    #[serde(flatten)]
    call: Call,
}

#[test]
fn range_assigns_as_kafka_does() {
    assert_eq!(check_cases(include_str!("vectors/cases-range.jsonl"), Assignor::Range), 126);
}

#[test]
fn round_robin_assigns_as_kafka_does() {
    assert_eq!(check_cases(include_str!("vectors/cases-roundrobin.jsonl"), Assignor::RoundRobin), 127);
}

#[test]
fn range_follows_a_group_through_its_rebalances_as_kafka_does() {
    assert_eq!(check_sequences(include_str!("vectors/sequences-range.jsonl"), Assignor::Range), (16, 75));
}

#[test]
fn round_robin_follows_a_group_through_its_rebalances_as_kafka_does() {
    assert_eq!(check_sequences(include_str!("vectors/sequences-roundrobin.jsonl"), Assignor::RoundRobin), (16, 68));
}

/// How many lines were checked.
fn check_cases(lines: &str, assignor: Assignor) -> usize {
    for line in lines.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        assert_eq!(Assignor::named(&case.assignor), Some(assignor));
        check(assignor, &case.call, &case.id);
    }
    lines.lines().count()
}

/// How many sequences and steps were checked.
fn check_sequences(lines: &str, assignor: Assignor) -> (usize, usize) {
    let mut steps = 0;
    for line in lines.lines() {
        let sequence: Sequence = serde_json::from_str(line).unwrap();
        assert_eq!(Assignor::named(&sequence.assignor), Some(assignor));
        for step in &sequence.steps {
            check(assignor, &step.call, &format!("{}: {}", sequence.id, step.event));
        }
        steps += sequence.steps.len();
    }
    (lines.lines().count(), steps)
}

fn check(assignor: Assignor, call: &Call, what: &str) {
    let (names, subscriptions) = resolve(call);
    let topics: Vec<Topic<'_>> =
        names.iter().map(|name| Topic { name, partitions: call.topics.get(*name).copied().unwrap_or(0) }).collect();
    let members: Vec<Member<'_>> = call
        .members
        .iter()
        .zip(&subscriptions)
        .map(|(member, topics)| Member { id: &member.id, instance: member.instance_id.as_deref(), topics })
        .collect();
    let answer = assignor.assign(&topics, &members);
    match (&call.expected, &call.expected_error) {
        (Some(expected), None) => {
            let assignment = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
            let mut got = BTreeMap::new();
            for (member, partitions) in call.members.iter().zip(assignment) {
                let set: BTreeSet<(String, u32)> = partitions.iter().map(|at| (names[at.topic.index()].to_owned(), at.partition)).collect();
                assert_eq!(set.len(), partitions.len(), "{what}: {} has a partition twice", member.id);
                got.insert(member.id.clone(), set);
            }
            assert_eq!(&got, expected, "{what}");
        }
        (None, Some(error)) => {
            assert!(error.starts_with("IllegalArgumentException"), "{what}: {error}");
            assert_eq!(answer, Err(AssignError::NoMembers), "{what}");
        }
        (Some(_), Some(_)) | (None, None) => panic!("{what}: expects an assignment or an error"),
    }
}

/// All topic names, those without metadata included, and each member's subscription as places among them.
fn resolve(call: &Call) -> (Vec<&str>, Vec<Vec<TopicId>>) {
    let mut names: Vec<&str> = call.topics.keys().map(String::as_str).collect();
    let mut subscriptions = Vec::new();
    for member in &call.members {
        let mut places = Vec::new();
        for topic in &member.topics {
            let place = names.iter().position(|name| name == topic).unwrap_or_else(|| {
                names.push(topic);
                names.len() - 1
            });
            places.push(TopicId(place as u32));
        }
        subscriptions.push(places);
    }
    (names, subscriptions)
}
