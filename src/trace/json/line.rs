//! One line of the trace: the fields of a fact, in a buffer.

use crate::trace::names::Names;
use crate::trace::times::{Created, Finished};
use crate::units::{ClientId, GroupId, InstanceId, Instant, MemberId, Offset, OffsetRange, ProducerId, Span, TopicId, TopicPartition};

/// The names as pieces of JSON, escaped once for a whole run.
#[derive(Debug)]
pub(super) struct EscapedNames {
    /// `"billing"`
    groups: Vec<String>,
    /// `"billing","client":"B"`
    clients: Vec<String>,
    /// `"B`, so that a number can follow.
    members: Vec<String>,
    /// `"orders"`
    topics: Vec<String>,
    /// `"orders-`, so that the partition can follow.
    partitions: Vec<String>,
    producers: Vec<String>,
    instances: Vec<String>,
}

impl EscapedNames {
    pub(super) fn new(names: &Names) -> Self {
        let all = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>();
        let client = |(group, name): &(GroupId, String)| format!("{},\"client\":{}", quoted(names.group(*group)), quoted(name));
        EscapedNames {
            groups: all(&names.groups),
            clients: names.clients.iter().map(client).collect(),
            members: names.clients.iter().map(|(_, name)| unclosed(name)).collect(),
            topics: all(&names.topics),
            partitions: names.topics.iter().map(|name| unclosed(name) + "-").collect(),
            producers: all(&names.producers),
            instances: all(&names.instances),
        }
    }
}

fn quoted(name: &str) -> String {
    serde_json::to_string(name).expect("every string is a JSON string")
}

/// Without the quote at the end.
fn unclosed(name: &str) -> String {
    let mut quoted = quoted(name);
    quoted.pop();
    quoted
}

/// An object in the making. Keys and words are ours and need no escape.
pub(super) struct Line<'a> {
    out: &'a mut Vec<u8>,
    names: &'a EscapedNames,
}

impl<'a> Line<'a> {
    pub(super) fn begin(out: &'a mut Vec<u8>, names: &'a EscapedNames, at: Instant, event: &str) -> Self {
        let mut line = Line { out, names };
        line.push("{\"at_ns\":");
        line.digits(at.as_nanos());
        line.word("event", event);
        line
    }

    pub(super) fn end(&mut self) {
        self.push("}");
    }

    pub(super) fn number(&mut self, key: &str, number: u64) -> &mut Self {
        self.key(key);
        self.digits(number);
        self
    }

    pub(super) fn count(&mut self, key: &str, count: u32) -> &mut Self {
        self.number(key, u64::from(count))
    }

    pub(super) fn instant(&mut self, key: &str, at: Instant) -> &mut Self {
        self.number(key, at.as_nanos())
    }

    pub(super) fn span(&mut self, key: &str, span: Span) -> &mut Self {
        self.number(key, span.as_nanos())
    }

    pub(super) fn offset(&mut self, offset: Offset) -> &mut Self {
        self.number("offset", offset.0)
    }

    pub(super) fn offsets(&mut self, offsets: OffsetRange) -> &mut Self {
        self.number("from", offsets.from.0).number("to", offsets.to.0)
    }

    pub(super) fn generation(&mut self, generation: i32) -> &mut Self {
        self.signed("generation", generation)
    }

    pub(super) fn epoch(&mut self, epoch: i32) -> &mut Self {
        self.signed("epoch", epoch)
    }

    pub(super) fn flag(&mut self, key: &str, flag: bool) -> &mut Self {
        self.raw(key, if flag { "true" } else { "false" })
    }

    pub(super) fn word(&mut self, key: &str, word: &str) -> &mut Self {
        self.key(key);
        self.push("\"");
        self.push(word);
        self.push("\"");
        self
    }

    /// Any text at all; null if there is none.
    pub(super) fn states(&mut self, old: &str, new: &str) -> &mut Self {
        self.word("old_state", old).word("new_state", new)
    }

    pub(super) fn text(&mut self, key: &str, text: Option<&str>) -> &mut Self {
        self.key(key);
        serde_json::to_writer(&mut *self.out, &text).expect("a Vec takes every byte");
        self
    }

    pub(super) fn producer(&mut self, producer: ProducerId) -> &mut Self {
        self.raw("producer", &self.names.producers[producer.index()])
    }

    pub(super) fn topic(&mut self, topic: TopicId) -> &mut Self {
        self.raw("topic", &self.names.topics[topic.index()])
    }

    pub(super) fn group(&mut self, group: GroupId) -> &mut Self {
        self.raw("group", &self.names.groups[group.index()])
    }

    /// With the group in which the client's name is unique.
    pub(super) fn client(&mut self, client: ClientId) -> &mut Self {
        self.raw("group", &self.names.clients[client.index()])
    }

    pub(super) fn instance(&mut self, instance: Option<InstanceId>) -> &mut Self {
        self.raw("instance", instance.map_or("null", |instance| &self.names.instances[instance.index()]))
    }

    pub(super) fn member(&mut self, key: &str, member: Option<MemberId>) -> &mut Self {
        self.key(key);
        match member {
            Some(member) => self.member_name(member),
            None => self.push("null"),
        }
        self
    }

    pub(super) fn replaced(&mut self, old: MemberId, new: MemberId) -> &mut Self {
        self.member("member", Some(new)).member("old_member", Some(old))
    }

    pub(super) fn partition(&mut self, partition: TopicPartition) -> &mut Self {
        self.key("partition");
        self.partition_name(partition);
        self
    }

    pub(super) fn partitions(&mut self, partitions: &[TopicPartition]) -> &mut Self {
        self.key("partitions");
        self.list("[", partitions, "]", |line, partition| line.partition_name(*partition));
        self
    }

    pub(super) fn topics(&mut self, topics: &[TopicId]) -> &mut Self {
        self.key("topics");
        self.list("[", topics, "]", |line, topic| line.push(&line.names.topics[topic.index()]));
        self
    }

    pub(super) fn revoking(&mut self, partitions: &[TopicPartition]) -> &mut Self {
        self.key("revoking");
        self.list("[", partitions, "]", |line, at| line.partition_name(*at));
        self
    }

    pub(super) fn assigned(&mut self, assigned: &[(MemberId, Box<[TopicPartition]>)]) -> &mut Self {
        self.key("assigned");
        self.list("{", assigned, "}", |line, (member, partitions)| {
            line.member_name(*member);
            line.push(":");
            line.list("[", partitions, "]", |line, partition| line.partition_name(*partition));
        });
        self
    }

    pub(super) fn created(&mut self, created: &Created) -> &mut Self {
        self.key("created");
        match created {
            Created::Even { pace, index } => {
                self.push("{\"origin_ns\":");
                self.digits(pace.origin.as_nanos());
                self.push(",\"spacing_ns\":[");
                self.digits(pace.spacing.0);
                self.push(",");
                self.digits(pace.spacing.1);
                self.push("],\"index\":");
                self.digits(*index);
                self.push("}");
            }
            Created::Listed(times) => self.listed(times),
        }
        self
    }

    pub(super) fn finished(&mut self, finished: &Finished) -> &mut Self {
        self.key("finished");
        match finished {
            Finished::Even { first, each } => {
                self.push("{\"first_ns\":");
                self.digits(first.as_nanos());
                self.push(",\"each_ns\":");
                self.digits(each.as_nanos());
                self.push("}");
            }
            Finished::Listed(times) => self.listed(times),
        }
        self
    }

    fn listed(&mut self, times: &[Instant]) {
        self.push("{\"listed_ns\":");
        self.list("[", times, "]", |line, at| line.digits(at.as_nanos()));
        self.push("}");
    }

    fn list<T>(&mut self, open: &str, items: &[T], close: &str, mut write: impl FnMut(&mut Self, &T)) {
        self.push(open);
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.push(",");
            }
            write(self, item);
        }
        self.push(close);
    }

    fn member_name(&mut self, member: MemberId) {
        self.push(&self.names.members[member.client.index()]);
        if member.number > 1 {
            self.push("#");
            self.digits(u64::from(member.number));
        }
        self.push("\"");
    }

    fn partition_name(&mut self, at: TopicPartition) {
        self.push(&self.names.partitions[at.topic.index()]);
        self.digits(u64::from(at.partition));
        self.push("\"");
    }

    fn signed(&mut self, key: &str, number: i32) -> &mut Self {
        self.key(key);
        if number < 0 {
            self.push("-");
        }
        self.digits(u64::from(number.unsigned_abs()));
        self
    }

    fn raw(&mut self, key: &str, json: &str) -> &mut Self {
        self.key(key);
        self.push(json);
        self
    }

    fn key(&mut self, key: &str) {
        self.push(",\"");
        self.push(key);
        self.push("\":");
    }

    fn digits(&mut self, number: u64) {
        serde_json::to_writer(&mut *self.out, &number).expect("a Vec takes every byte");
    }

    #[inline]
    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}
