//! Dialogues with the classic group coordinator, in text: a command, then everything the machine said.
//!
//! They show what the workbench cannot: answers that wait for writes, and the facts that go into the trace. A file is a list of blocks: commands,
//! `----`, what was said, an empty line. With `UPDATE_DIALOGUES=1` the files are written anew; read the difference.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use groupsim::kafka::coordinator::Coordinator;
use groupsim::kafka::coordinator::shard::{CoordinatorConfig, CoordinatorEffects, Ticket};
use groupsim::kafka::coordinator::timers::CoordinatorTimer;
use groupsim::kafka::message::{
    FetchedOffset, GroupRequest, GroupResponse, Heartbeat, JoinAnswer, JoinGroup, LeaveGroup, OffsetCommit, OffsetFetch, ProtocolEntry,
    Subscription, SyncGroup, TxnOffsetCommit,
};
use groupsim::kafka::release::Switches;
use groupsim::release::Release;
use groupsim::terms::CommitKind;
use groupsim::trace::Sink;
use groupsim::trace::names::Names;
use groupsim::trace::text::TextLines;
use groupsim::units::{ClientId, GroupId, InstanceId, Instant, MemberId, Offset, Span, TopicId, TopicPartition};

const GROUP: GroupId = GroupId(0);
const CLIENTS: &str = "ABCDEF";

#[test]
fn the_coordinator_says_what_the_dialogues_have() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues/classic"))
        .expect("the dialogues are part of the repository")
        .map(|entry| entry.expect("a readable directory").path())
        .collect();
    files.sort();
    assert!(files.len() >= 12, "there are {} dialogues", files.len());
    for file in files {
        let written = std::fs::read_to_string(&file).expect("a readable dialogue");
        let played = play(&written);
        if std::env::var_os("UPDATE_DIALOGUES").is_some() {
            std::fs::write(&file, &played).expect("a writable dialogue");
        } else {
            assert_eq!(played, written, "{}", file.display());
        }
    }
}

/// The whole file as it should be.
fn play(written: &str) -> String {
    let mut table = Table::new(&[]);
    let mut file = String::new();
    for block in written.split_terminator("\n\n") {
        let commands: Vec<&str> = block.lines().take_while(|line| *line != "----").collect();
        let mut said = String::new();
        for command in commands.iter().filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = command.split_whitespace().collect();
            if words[0] == "coordinator" {
                table = Table::new(&words[1..]);
            } else {
                table.play(&words);
            }
            said += &std::mem::take(&mut table.said);
        }
        let separator = if file.is_empty() { "" } else { "\n" };
        let dialogue = commands.iter().any(|line| !line.starts_with('#'));
        writeln!(file, "{separator}{}", commands.join("\n")).expect("a String takes everything");
        if dialogue {
            write!(file, "----\n{said}").expect("a String takes everything");
        }
    }
    file
}

/// A coordinator, a clock and the wake-ups that it asked for.
struct Table {
    coordinator: Coordinator,
    clock: Instant,
    wakes: BTreeMap<(Instant, u64), CoordinatorTimer>,
    asked: u64,
    tickets: u64,
    fx: CoordinatorEffects,
    said: String,
}

impl Table {
    fn new(words: &[&str]) -> Self {
        let release = Release::parse(value(words, "kafka").unwrap_or("4.3")).expect("a known release");
        let mut config = CoordinatorConfig::defaults(Switches::of(release));
        let millis = |key, span: &mut Span| {
            if let Some(millis) = value(words, key) {
                *span = Span::from_millis(millis.parse().expect("milliseconds"));
            }
        };
        millis("delay", &mut config.initial_rebalance_delay);
        millis("linger", &mut config.write_latency.linger);
        millis("replication", &mut config.write_latency.replication);
        millis("retention", &mut config.offsets_retention);
        config.max_size = value(words, "max-size").map_or(config.max_size, |size| size.parse().expect("a size"));
        let mut table = Table {
            coordinator: Coordinator::new(config),
            clock: Instant::ZERO,
            wakes: BTreeMap::new(),
            asked: 0,
            tickets: 0,
            fx: CoordinatorEffects::default(),
            said: String::new(),
        };
        table.coordinator.on_timer(Instant::ZERO, CoordinatorTimer::ExpireOffsets, &mut table.fx);
        table.listen();
        table
    }

    fn play(&mut self, words: &[&str]) {
        let now = self.clock;
        match words[0] {
            "to" => self.advance(Instant::from_millis(words[1].parse().expect("milliseconds"))),
            "unload" => self.coordinator.unload(now, &mut self.fx),
            "start-loading" => self.coordinator.start_loading(),
            "loaded" => self.coordinator.loaded(now, &mut self.fx),
            "end-transaction" => {
                let producer = value(words, "producer").expect("a producer").parse().expect("a number");
                self.coordinator.on_transaction_end(now, producer, words[1] == "commit", &mut self.fx);
            }
            _ => {
                self.tickets += 1;
                writeln!(self.said, "{:>12} ms  r{} {}", now.to_string(), self.tickets, words.join(" "))
                    .expect("a String takes everything");
                self.coordinator.on_request(now, Ticket(self.tickets), GROUP, request(words), &mut self.fx);
            }
        }
        self.listen();
    }

    /// As the simulator does it: a wake-up may be stale, and is never taken back.
    fn advance(&mut self, to: Instant) {
        while let Some(entry) = self.wakes.first_entry().filter(|entry| entry.key().0 <= to) {
            let ((at, _), timer) = entry.remove_entry();
            self.clock = at;
            self.coordinator.on_timer(at, timer, &mut self.fx);
            self.listen();
        }
        self.clock = to;
    }

    fn listen(&mut self) {
        for (at, timer) in self.fx.wakes.drain(..) {
            self.asked += 1;
            self.wakes.insert((at, self.asked), timer);
        }
        let mut lines = TextLines::new(names(), Vec::new());
        for fact in self.fx.facts.drain(..) {
            lines.record(self.clock, &fact);
        }
        let text = lines.finish().expect("a Vec takes everything");
        self.said += std::str::from_utf8(&text).expect("lines are text");
        for answer in self.fx.sends.drain(..) {
            let Ticket(number) = answer.ticket;
            writeln!(self.said, "{:>12} ms  r{number} <- {}", self.clock.to_string(), shown(&answer.response))
                .expect("a String takes everything");
        }
    }
}

fn names() -> Names {
    Names {
        groups: vec!["g".to_owned()],
        clients: CLIENTS.chars().map(|name| (GROUP, name.to_string())).collect(),
        topics: vec!["t".to_owned()],
        producers: Vec::new(),
        instances: (0..4).map(|number| format!("i{number}")).collect(),
    }
}

/// `key=value` among the words.
fn value<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// The words that are no `key=value`.
fn plain<'a>(words: &[&'a str]) -> impl Iterator<Item = &'a str> {
    words[1..].iter().copied().filter(|word| !word.contains('='))
}

fn request(words: &[&str]) -> GroupRequest {
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
            member: None,
            member_epoch: -1,
            require_stable: value(words, "stable") != Some("no"),
            partitions: Some(plain(words).map(|number| partition(number.parse().expect("a partition"))).collect()),
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

fn partition(number: u32) -> TopicPartition {
    TopicPartition { topic: TopicId(0), partition: number }
}

fn protocol(name: &str, data: Option<&str>) -> ProtocolEntry {
    let metadata = Subscription { topics: vec![TopicId(0)], user_data: data.map(Into::into), ..Subscription::default() };
    ProtocolEntry { name: name.into(), metadata }
}

/// `A:0,1;B:2`
fn assignments(written: &str) -> Vec<(MemberId, Vec<TopicPartition>)> {
    let one = |share: &str| {
        let (who, partitions) = share.split_once(':').expect("who:partitions");
        (member(who), partitions.split(',').map(|number| partition(number.parse().expect("a partition"))).collect())
    };
    written.split(';').map(one).collect()
}

/// `0=50`
fn offsets(words: &[&str]) -> Vec<(TopicPartition, Offset, u32)> {
    let one = |word: &&str| {
        let (number, offset) = word.split_once('=')?;
        Some((partition(number.parse().ok()?), Offset(offset.parse().expect("an offset")), 0))
    };
    words.iter().filter_map(one).collect()
}

fn shown(response: &GroupResponse) -> String {
    match response {
        GroupResponse::Join(answer) => shown_join(answer),
        GroupResponse::Sync(answer) => match &answer.assignment {
            Some(partitions) => format!("{} {}", answer.error, names().partitions(partitions)),
            None => format!("{} no assignment", answer.error),
        },
        GroupResponse::Heartbeat(error) | GroupResponse::DeleteGroup(error) => error.to_string(),
        GroupResponse::Leave { error, members } => {
            let each: Vec<String> = members.iter().map(|(who, _, error)| format!("{} {error}", name(*who))).collect();
            format!("{error}: {}", each.join(", "))
        }
        GroupResponse::OffsetCommit(partitions) | GroupResponse::TxnOffsetCommit(partitions) => {
            let each: Vec<String> = partitions.iter().map(|(at, error)| format!("{} {error}", names().partition(*at))).collect();
            each.join(", ")
        }
        GroupResponse::OffsetFetch(answer) => {
            let offset = |fetched: FetchedOffset| match fetched {
                FetchedOffset::Committed(offset) => offset.to_string(),
                FetchedOffset::Nothing => "nothing".to_owned(),
                FetchedOffset::Unstable => "unstable".to_owned(),
            };
            let each: Vec<String> =
                answer.offsets.iter().map(|(at, fetched)| format!("{} {}", names().partition(*at), offset(*fetched))).collect();
            format!("{}: {}", answer.error, each.join(", "))
        }
        GroupResponse::ConsumerHeartbeat(answer) => {
            let given = answer.assignment.as_ref().map(|partitions| format!(" {}", names().partitions(partitions)));
            format!("{} epoch {}{}", answer.error, answer.epoch, given.unwrap_or_default())
        }
        GroupResponse::OffsetDelete { error, .. } => error.to_string(),
    }
}

fn shown_join(answer: &JoinAnswer) -> String {
    let mut shown = format!("{} for {}, generation {}", answer.error, name(answer.member), answer.generation);
    if let Some(leader) = answer.leader {
        write!(shown, ", leader {}", name(Some(leader))).expect("a String takes everything");
    }
    if !answer.members.is_empty() {
        let list: Vec<String> = answer.members.iter().map(|one| name(Some(one.member))).collect();
        write!(shown, ", members {}", list.join(" ")).expect("a String takes everything");
    }
    if answer.skip_assignment {
        shown += ", skips the assignment";
    }
    shown
}

fn name(member: Option<MemberId>) -> String {
    member.map_or("nobody".to_owned(), |member| names().member(member).to_string())
}
