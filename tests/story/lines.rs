//! A played scenario as lines to look things up in: what the tests of the protocol's times have in common.

use groupsim::scenario::Scenario;
use groupsim::trace::text::TextLines;

/// A fact: when, about whom, and how the text trace words it.
pub struct Line {
    pub nanos: u64,
    pub actor: String,
    pub what: String,
}

/// What happened, in order.
pub struct Story(pub Vec<Line>);

/// A scenario without a settle phase, and with an ideal client unless it has a `model:`; `rest` is what else there is to say.
pub fn load(rest: &str) -> Scenario {
    let rest: Vec<&str> = rest.lines().map(|line| line.strip_prefix("        ").unwrap_or(line)).collect();
    let rest = rest.join("\n");
    let model = if rest.contains("model:") { "" } else { "model: {client: ideal}\n" };
    let text = format!("name: story\nsettle: 0s\n{model}{rest}");
    let (scenario, _) = groupsim::scenario::load(&text, "story.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    scenario
}

pub fn play(rest: &str) -> Story {
    let scenario = load(rest);
    let mut lines = TextLines::new(scenario.names(), Vec::new());
    groupsim::run::play(&scenario, scenario.seed, &mut lines);
    Story::read(&String::from_utf8(lines.finish().expect("memory takes lines")).expect("lines are text"))
}

/// `       12006 ms  M1  revocation pending orders-0..3`
fn read_line(line: &str) -> Line {
    let (at, rest) = line.trim_start().split_once(" ms").expect("a line begins with its time");
    let (actor, what) = rest.trim_start().split_once(' ').expect("then comes an actor");
    Line { nanos: nanos(at), actor: actor.to_owned(), what: what.trim_start().to_owned() }
}

/// Of milliseconds with up to six decimals.
fn nanos(millis: &str) -> u64 {
    let (whole, rest) = millis.split_once('.').unwrap_or((millis, ""));
    format!("{whole}{rest:0<6}").parse().expect("a time is a number")
}

impl Story {
    pub fn read(text: &str) -> Story {
        Story(text.lines().map(read_line).collect())
    }

    /// When such lines happened, in nanoseconds; `what` is the beginning of the line.
    pub fn times(&self, actor: &str, what: &str) -> Vec<u64> {
        self.0.iter().filter(|line| line.actor == actor && line.what.starts_with(what)).map(|line| line.nanos).collect()
    }
}
