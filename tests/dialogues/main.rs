//! Dialogues with the group coordinator, in text: a command, then everything the machine said.
//!
//! They show what the workbench cannot: answers that wait for writes, and the facts that go into the trace. A file is a list of blocks: commands,
//! `----`, what was said, an empty line. With `UPDATE_DIALOGUES=1` the files are written anew; read the difference.
//!
//! `classic/` has the groups of the classic protocol, `consumer/` those of KIP-848 and those that change from one to the other.

mod answer;
mod request;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use answer::shown;
use groupsim::kafka::coordinator::Coordinator;
use groupsim::kafka::coordinator::shard::{CoordinatorConfig, CoordinatorEffects, Ticket};
use groupsim::kafka::coordinator::timers::CoordinatorTimer;
use groupsim::kafka::release::Switches;
use groupsim::release::Release;
use groupsim::terms::MigrationPolicy;
use groupsim::trace::Sink;
use groupsim::trace::names::Names;
use groupsim::trace::text::TextLines;
use groupsim::units::{GroupId, Instant, Span, TopicId};
use request::{request, topic, value};

const GROUP: GroupId = GroupId(0);
const CLIENTS: &str = "ABCDEF";
const TOPICS: [&str; 3] = ["t", "u", "v"];

#[test]
fn coordinators_of_classic_groups_say_what_the_dialogues_have() {
    assert_eq!(check("classic"), 34);
}

#[test]
fn coordinators_of_consumer_groups_say_what_the_dialogues_have() {
    assert_eq!(check("consumer"), 30);
}

/// How many dialogues of the folder came out as they stand there, all of them or panic.
fn check(folder: &str) -> usize {
    let mut files: Vec<PathBuf> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues").join(folder))
        .expect("the dialogues are part of the repository")
        .map(|entry| entry.expect("a readable directory").path())
        .collect();
    files.sort();
    for file in &files {
        let written = std::fs::read_to_string(file).expect("a readable dialogue");
        let played = play(&written);
        if std::env::var_os("UPDATE_DIALOGUES").is_some() {
            std::fs::write(file, &played).expect("a writable dialogue");
        } else {
            assert_eq!(played, written, "{}", file.display());
        }
    }
    files.len()
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
        millis("beat-interval", &mut config.consumer.heartbeat_interval);
        millis("consumer-session", &mut config.consumer.session_timeout);
        millis("assignment-interval", &mut config.consumer.assignment_interval);
        let size = |key, size: u32| value(words, key).map_or(size, |written| written.parse().expect("a size"));
        config.max_size = size("max-size", config.max_size);
        config.consumer.max_size = size("consumer-max-size", config.consumer.max_size);
        config.consumer.migration = match value(words, "migration").unwrap_or("bidirectional") {
            "bidirectional" => MigrationPolicy::Bidirectional,
            "upgrade" => MigrationPolicy::Upgrade,
            "downgrade" => MigrationPolicy::Downgrade,
            "disabled" => MigrationPolicy::Disabled,
            other => panic!("no migration policy {other}"),
        };
        let mut table = Table {
            coordinator: Coordinator::new(config),
            clock: Instant::ZERO,
            wakes: BTreeMap::new(),
            asked: 0,
            tickets: 0,
            fx: CoordinatorEffects::default(),
            said: String::new(),
        };
        // Pattern 0 matches every topic that there ever is, pattern 1 all but the first.
        let topics: Vec<TopicId> = (0..TOPICS.len() as u32).map(TopicId).collect();
        table.coordinator.know_patterns(vec![topics.clone(), topics[1..].to_vec()]);
        table.coordinator.on_timer(Instant::ZERO, CoordinatorTimer::ExpireOffsets, &mut table.fx);
        table.listen();
        table
    }

    fn play(&mut self, words: &[&str]) {
        let now = self.clock;
        match words[0] {
            "to" => self.advance(Instant::from_millis(words[1].parse().expect("milliseconds"))),
            "topics" => {
                for written in &words[1..] {
                    let (name, partitions) = written.split_once('=').expect("topic=partitions");
                    self.coordinator.on_topic_image(topic(name), partitions.parse().expect("a number"));
                }
            }
            "delete-topic" => self.coordinator.on_topic_deleted(now, topic(words[1]), &mut self.fx),
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
        self.fx.facts.iter().for_each(|(_, fact)| lines.record(self.clock, fact));
        self.fx.facts.clear();
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
        topics: TOPICS.map(str::to_owned).to_vec(),
        producers: Vec::new(),
        instances: (0..4).map(|number| format!("i{number}")).collect(),
    }
}
