//! The commands of a dialogue that are requests.

use groupsim::kafka::message::{
    ConsumerHeartbeat, GroupRequest, Heartbeat, JoinGroup, LeaveGroup, OffsetCommit, OffsetFetch, ProtocolEntry, Subscription, SyncGroup,
    TxnOffsetCommit,
};
use groupsim::terms::CommitKind;
use groupsim::units::{ClientId, InstanceId, MemberId, Offset, PatternId, Span, TopicId, TopicPartition};

use crate::{CLIENTS, TOPICS};

/// `key=value` among the words.
pub fn value<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// The words that are no `key=value`.
fn plain<'a>(words: &[&'a str]) -> impl Iterator<Item = &'a str> {
    words[1..].iter().copied().filter(|word| !word.contains('='))
}

pub fn request(words: &[&str]) -> GroupRequest {
    let who = plain(words).next().filter(|word| word.starts_with(|first| CLIENTS.contains(first)));
    let number = |key: &str, otherwise: i32| value(words, key).map_or(otherwise, |text| text.parse().expect("a number"));
    let (generation, instance) = (number("gen", -1), value(words, "instance").map(|name| InstanceId(name[1..].parse().expect("iN"))));
    let member = who.map(member);
    match words[0] {
        "join" => GroupRequest::Join(JoinGroup {
            client: client(who.expect("who joins")),
            member: member.filter(|_| who.is_some_and(|who| who.contains('#'))),
            instance,
            session_timeout: Span::from_millis(number("session", 45_000).unsigned_abs().into()),
            rebalance_timeout: Span::from_millis(number("rebalance", 300_000).unsigned_abs().into()),
            protocol_type: "consumer".into(),
            protocols: value(words, "protocols").unwrap_or("range").split(',').map(|name| protocol(name, value(words, "data"))).collect(),
            version: number("version", 9).unsigned_abs() as u16,
        }),
        "sync" => GroupRequest::Sync(SyncGroup {
            member,
            instance,
            generation,
            protocol_type: None,
            protocol: None,
            assignments: value(words, "assign").map(assignments).unwrap_or_default(),
        }),
        // `beat A epoch=2 owned=0,1`: what is not said has not changed; `owned=` and `pattern=` are nothing.
        "beat" => GroupRequest::ConsumerHeartbeat(ConsumerHeartbeat {
            member,
            epoch: number("epoch", 0),
            instance,
            rebalance_timeout: value(words, "rebalance").map(|millis| Span::from_millis(millis.parse().expect("milliseconds"))),
            topics: value(words, "topics").map(|names| list(names).map(topic).collect()),
            pattern: value(words, "pattern").map(|number| number.parse().ok().map(PatternId)),
            assignor: value(words, "assignor").map(Into::into),
            owned: value(words, "owned").map(|numbers| list(numbers).map(partition).collect()),
        }),
        "heartbeat" => GroupRequest::Heartbeat(Heartbeat { member, instance, generation }),
        "leave" => GroupRequest::Leave(LeaveGroup { members: plain(words).map(|who| (Some(self::member(who)), None)).collect() }),
        "commit" => GroupRequest::OffsetCommit(OffsetCommit {
            member,
            instance,
            generation,
            offsets: offsets(words),
            version: 9,
            kind: CommitKind::Sync,
        }),
        "commit-in-transaction" => GroupRequest::TxnOffsetCommit(TxnOffsetCommit {
            producer: number("producer", 1).unsigned_abs().into(),
            member,
            instance,
            generation,
            offsets: offsets(words),
        }),
        "fetch" => GroupRequest::OffsetFetch(OffsetFetch {
            member,
            member_epoch: number("epoch", -1),
            require_stable: value(words, "stable") != Some("no"),
            partitions: Some(plain(words).filter(|word| !word.starts_with(|first| CLIENTS.contains(first))).map(partition).collect()),
        }),
        "delete-group" => GroupRequest::DeleteGroup,
        other => panic!("no command {other}"),
    }
}

/// `A` is the first id of client A, `A#2` its second.
fn member(written: &str) -> MemberId {
    let number = written.split_once('#').map_or(1, |(_, number)| number.parse().expect("a number"));
    MemberId { client: client(written), number }
}

fn client(written: &str) -> ClientId {
    ClientId(CLIENTS.find(&written[..1]).expect("a client from A to F") as u32)
}

pub fn topic(name: &str) -> TopicId {
    TopicId(TOPICS.iter().position(|known| *known == name).expect("a topic from t to v") as u32)
}

/// What stands between commas, if anything.
fn list(written: &str) -> impl Iterator<Item = &str> {
    written.split(',').filter(|word| !word.is_empty())
}

/// `3` is partition 3 of t, `u3` of u.
fn partition(written: &str) -> TopicPartition {
    let letters = written.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let name = if letters.is_empty() { "t" } else { letters };
    TopicPartition { topic: topic(name), partition: written[letters.len()..].parse().expect("a partition") }
}

fn protocol(name: &str, data: Option<&str>) -> ProtocolEntry {
    let metadata = Subscription { topics: vec![TopicId(0)], user_data: data.map(Into::into), ..Subscription::default() };
    ProtocolEntry { name: name.into(), metadata }
}

/// `A:0,1;B:2`
fn assignments(written: &str) -> Vec<(MemberId, Vec<TopicPartition>)> {
    let one = |share: &str| {
        let (who, partitions) = share.split_once(':').expect("who:partitions");
        (member(who), list(partitions).map(partition).collect())
    };
    written.split(';').map(one).collect()
}

/// `0=50`
fn offsets(words: &[&str]) -> Vec<(TopicPartition, Offset, u32)> {
    let one = |word: &&str| {
        let (number, offset) = word.split_once('=')?;
        let is_partition = number.ends_with(|last: char| last.is_ascii_digit());
        is_partition.then(|| (partition(number), Offset(offset.parse().expect("an offset")), 0))
    };
    words.iter().filter_map(one).collect()
}
