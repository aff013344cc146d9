//! What the timeline sets to what it is already. That is allowed and most likely a slip, so there is a warning.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::file::timeline::{EntryFile, Factor};
use super::super::subscription::Subscription;
use super::super::{Arrivals, Client, RateStep, Scenario, TimelineEntry, Verb};
use super::ineffective::{Whole, members, modelled};
use super::{Checker, Site};
use crate::terms::GroupProperty;
use crate::units::{GroupId, Instant, Rate, Span};

const NORMAL: Factor = Factor(1000);

/// What is set when.
type GroupVerb = (Instant, GroupId, GroupProperty, Span);

/// How fast a member works since the timeline last said so, and until when.
#[derive(Copy, Clone)]
struct Speed {
    factor: Factor,
    until: Instant,
}

impl Checker<'_> {
    pub fn warn_of_the_repeated(&mut self, whole: &Whole<'_>) {
        self.repeated_group_configs(whole);
        self.repeated_speeds(whole);
        self.repeated_rates(whole);
        self.repeated_subscriptions(whole);
    }

    /// Of what is set several times at one moment only the last one counts.
    fn repeated_group_configs(&mut self, whole: &Whole<'_>) {
        let mut configs: Vec<_> = whole.scenario.groups.iter().map(|group| group.config).collect();
        let mut moments: BTreeMap<(Instant, GroupId, &str), Vec<_>> = BTreeMap::new();
        for ((at, group, property, value), place) in group_verbs(whole) {
            moments.entry((at, group, property.name())).or_default().push((property, value, place));
        }
        for ((_, group, _), mut set) in moments {
            let of_group = &whole.scenario.groups[group.index()];
            let times = set.len();
            let Some((property, value, place)) = set.pop().filter(|_| !whole.are_classic(members(of_group))) else { continue };
            let before = std::mem::replace(configs[group.index()].of_mut(property), value);
            if times > 1 {
                let (how_often, others) =
                    if times == 2 { ("twice".to_owned(), "the other one") } else { (format!("{times} times"), "the others") };
                let message = format!("{} of the group `{}` is set {how_often} at that time", property.name(), of_group.name);
                self.warning(place, message, format!("this one, the last in the file, holds: leave {others} out"));
            } else if before == value {
                let message = format!("the group `{}` has {} {} at that time", of_group.name, property.name(), value.as_millis());
                self.warning(place, message, "set it to something else, or leave this out");
            }
        }
    }

    /// A factor that holds already, and `factor: 1` that ends no other one. Lives do not matter: a speed outlives the process.
    fn repeated_speeds<'a>(&mut self, whole: &Whole<'a>) {
        let slow = |entry: &'a EntryFile| Some((entry.slow.as_deref()?, entry.factor?, entry.lasts));
        let mut speeds: BTreeMap<&str, Speed> = BTreeMap::new();
        for (at, entry, site) in entries(whole) {
            let Some((member, factor, lasts)) = slow(entry) else { continue };
            let until = lasts.map_or(Instant::NEVER, |lasts| at + lasts.0);
            // The end of an older slow-down is forgotten with it.
            let before = speeds.insert(member, Speed { factor, until }).filter(|speed| at < speed.until && speed.factor != NORMAL);
            if factor == NORMAL && before.is_none() {
                let message = format!("`{member}` is as fast as ever at that time, and `factor: 1` keeps it so");
                self.warning(site.child("factor").key(), message, "say how many times as long processing takes, such as `factor: 10`");
            } else if before.is_some_and(|before| before.factor == factor && before.until == until) {
                let message = format!("`{member}` is slowed down by that factor already at that time");
                self.warning(site.child("factor").key(), message, "choose another factor, or leave this out");
            }
        }
    }

    fn repeated_rates<'a>(&mut self, whole: &Whole<'a>) {
        let mut set: BTreeMap<&str, RateStep> = BTreeMap::new();
        for (at, entry, site) in entries(whole) {
            for ((name, rate), place) in entry.rate.iter().flatten().zip(site.child("rate").children()) {
                let step = RateStep { at, rate: rate.0 };
                let before = set.insert(name, step);
                if rate_before(whole, name, before, at) == Some(rate.0) {
                    let mut message = format!("the producer `{name}` has that rate at that time");
                    let mut hint = "set it to another rate, or leave this out";
                    if let Some(change) = begins_anew(whole, name, at).filter(|_| !rate.0.is_zero()) {
                        message = format!("{message}: only {change}");
                        hint = "set it to another rate, or leave this out for its records to go on as before";
                    }
                    self.warning(place.value(), message, hint);
                }
            }
        }
    }

    fn repeated_subscriptions(&mut self, whole: &Whole<'_>) {
        let clients = &whole.scenario.clients;
        let mut places = entries(whole).into_iter().filter(|(_, entry, _)| entry.subscribe.is_some()).map(|(.., site)| site);
        let mut known: Vec<Known<'_>> = clients.iter().map(Known::at_first).collect();
        for entry in &whole.scenario.timeline {
            if let Verb::Subscribe { client, to } = &entry.verb {
                let is_the_same = known[client.index()].subscribe(entry.at, to);
                if let Some(site) = places.next().filter(|_| is_the_same) {
                    let message = format!("`{}` is subscribed to that at that time", clients[client.index()].name);
                    self.warning(site.child("topics").value(), message, "subscribe it to something else, or leave this out");
                }
            } else {
                forget(&mut known, whole.scenario, entry);
            }
        }
    }
}

/// What is known of a member's subscription, from the file alone.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Known<'a> {
    /// It does not run: its next life begins with its own subscription.
    Down,
    To(&'a Subscription),
    /// What it is told by then may come to nothing, or later.
    DeafUntil(Instant),
    /// Its lives begin at times that only the run shows.
    Restarted,
}

impl<'a> Known<'a> {
    fn at_first(client: &'a Client) -> Self {
        if client.start.is_some() { Known::To(&client.subscription) } else { Known::Down }
    }

    /// It is told to subscribe to that. True if it has already.
    fn subscribe(&mut self, at: Instant, to: &'a Subscription) -> bool {
        match self {
            Known::To(before) if *before == to => return true,
            Known::To(_) => *self = Known::To(to),
            Known::DeafUntil(until) if *until < at => *self = Known::To(to),
            Known::Down | Known::DeafUntil(_) | Known::Restarted => {}
        }
        false
    }

    fn become_deaf(&mut self, until: Instant) {
        match self {
            Known::Down | Known::To(_) => *self = Known::DeafUntil(until),
            Known::DeafUntil(before) => *before = until.max(*before),
            Known::Restarted => {}
        }
    }

    /// Nothing outlives a crash but the restarts that are to come.
    fn go_down(&mut self) {
        if *self != Known::Restarted {
            *self = Known::Down;
        }
    }
}

/// Something happens to processes: what they are subscribed to may change with it.
fn forget<'a>(known: &mut [Known<'a>], scenario: &'a Scenario, entry: &TimelineEntry) {
    let of = |group: GroupId| members(&scenario.groups[group.index()]);
    match entry.verb {
        Verb::Crash(client) => known[client.index()].go_down(),
        Verb::Start { client, .. } if known[client.index()] == Known::Down => {
            known[client.index()] = Known::To(&scenario.clients[client.index()].subscription);
        }
        Verb::Pause { client, lasts } => known[client.index()].become_deaf(entry.at + lasts),
        // It may be closing for long, and a new life begins only after that.
        Verb::Stop(client) => known[client.index()].become_deaf(Instant::NEVER),
        // Whom it starts and whom it stops depends on who runs by then.
        Verb::Scale { group, .. } => known[of(group)].iter_mut().for_each(|known| known.become_deaf(Instant::NEVER)),
        Verb::RollingRestart { group, .. } => known[of(group)].fill(Known::Restarted),
        _ => {}
    }
}

/// In the order of time, those of one moment in that of the file; each with its place.
fn entries<'a>(whole: &Whole<'a>) -> Vec<(Instant, &'a EntryFile, Site<'a>)> {
    let written = whole.file.timeline.iter().zip(whole.root.child("timeline").items());
    let mut entries: Vec<_> = written.filter_map(|(entry, site)| Some((Instant::ZERO + entry.at?.0, entry, site))).collect();
    entries.sort_by_key(|(at, ..)| *at);
    entries
}

/// What is set, in the order of time, each with the place where it is written.
fn group_verbs(whole: &Whole<'_>) -> Vec<(GroupVerb, Range<usize>)> {
    let mut places = Vec::new();
    for (_, entry, site) in entries(whole) {
        for ((_, properties), place) in entry.group_config.iter().flatten().zip(site.child("group.config").children()) {
            places.extend(modelled(properties).map(|property| place.child(property.name()).key()));
        }
    }
    let verbs = whole.scenario.timeline.iter().filter_map(|entry| {
        let Verb::GroupConfig { group, property, value } = entry.verb else { return None };
        Some((entry.at, group, property, value))
    });
    verbs.zip(places).collect()
}

/// The rate of a producer just before that moment, if nothing else happens to it then. `set`: what the timeline last said.
fn rate_before(whole: &Whole<'_>, name: &str, set: Option<RateStep>, at: Instant) -> Option<Rate> {
    let producer = whole.scenario.producers.iter().find(|producer| producer.name == name)?;
    let steps = producer.steps.iter().copied().filter(|step| step.at <= at);
    let latest = steps.chain(set).max_by_key(|step| step.at)?;
    (latest.at < at).then_some(latest.rate)
}

/// What a rate changes that is the same as before: nothing where nothing can be sent.
fn begins_anew(whole: &Whole<'_>, name: &str, at: Instant) -> Option<&'static str> {
    let Scenario { producers, topics, .. } = whole.scenario;
    let producer = producers.iter().find(|producer| producer.name == name)?;
    let topic = topics[producer.topic.index()].name_in_kafka();
    let is_sent = topics.iter().any(|life| life.name_in_kafka() == topic && life.exists(at) && life.created != Some(at));
    is_sent.then_some(match producer.arrivals {
        Arrivals::Even => "its even pace begins anew",
        Arrivals::Poisson => "the gap to its next record is drawn anew",
    })
}

#[cfg(test)]
mod tests {
    use super::super::warned::check;
    use crate::scenario::load;

    #[test]
    fn what_is_set_again_changes_nothing() {
        let group = |own: &str| format!("g: {{topics: t, members: 2, config: {{group.protocol: consumer}}{own}}}");
        let set = |at: &str, seconds: u32| format!("{{at: {at}, group.config: {{g: {{consumer.session.timeout.ms: {seconds}s}}}}}}");
        let has = |millis: u32| format!("the group `g` has consumer.session.timeout.ms {millis} at that time");
        check("", &group(""), &set("30s", 45), &[(&has(45_000), "consumer.session.timeout.ms")]);
        let own = group(", group.config: {consumer.session.timeout.ms: 50s}");
        check("", &own, &set("30s", 50), &[(&has(50_000), "consumer.session.timeout.ms")]);
        check("", &own, &set("30s", 45), &[]);
        // In the order of time, not of the file.
        let entries = [set("50s", 50), set("30s", 50), set("40s", 55)].join(", ");
        check("", &group(""), &entries, &[]);
        let entries = [set("50s", 55), set("30s", 50), set("40s", 55)].join(", ");
        check("", &group(""), &entries, &[(&has(55_000), "consumer.session.timeout.ms")]);
    }

    #[test]
    fn slow_at_normal_speed_is_good_for_ending_another_slow_phase_only() {
        let slow = |at: &str, rest: &str| format!("{{at: {at}, slow: g/A, {rest}}}");
        let group = "g: {topics: t, members: [A, B]}";
        let same = ("`g/A` is as fast as ever at that time, and `factor: 1` keeps it so", "factor");
        check("", group, &slow("1m", "factor: 1, for: 10s"), &[same]);
        check("", group, &(slow("1m", "factor: 1.0") + ", " + &slow("50s", "factor: 3, for: 10s")), &[same]);
        check("", group, &(slow("1m", "factor: 1") + ", " + &slow("50s", "factor: 3")), &[]);
        check("", group, "{at: 50s, slow: g/B, factor: 3}, {at: 1m, slow: g/A, factor: 1}", &[same]);
        check("", group, &[slow("30s", "factor: 3"), slow("40s", "factor: 1"), slow("50s", "factor: 1")].join(", "), &[same]);
        check("", group, &[slow("30s", "factor: 3"), slow("40s", "factor: 5, for: 10s"), slow("1m", "factor: 1")].join(", "), &[same]);
    }

    #[test]
    fn the_newest_slow_down_holds_until_its_own_end() {
        let slow = |at: &str, rest: &str| format!("{{at: {at}, slow: g/A, {rest}}}");
        let told =
            |entries: &[String], expected: &[(&str, &str)]| check("", "g: {topics: t, members: [A, B]}", &entries.join(", "), expected);
        let same = ("`g/A` is slowed down by that factor already at that time", "factor");
        told(&[slow("30s", "factor: 40"), slow("60s", "factor: 1"), slow("90s", "factor: 40")], &[]);
        told(&[slow("30s", "factor: 3"), slow("60s", "factor: 5, for: 10s"), slow("90s", "factor: 5")], &[]);
        told(&[slow("30s", "factor: 3"), slow("60s", "factor: 5, for: 10s"), slow("90s", "factor: 3")], &[]);
        told(&[slow("30s", "factor: 3"), slow("60s", "factor: 5"), slow("90s", "factor: 5")], &[same]);
        // It ends later, or then at all.
        told(&[slow("30s", "factor: 5, for: 30s"), slow("60s", "factor: 5, for: 30s")], &[]);
        // The next life is as slow.
        let lives = ["{at: 40s, crash: g/A}".to_owned(), "{at: 50s, start: g/A}".to_owned()];
        told(&[&[slow("30s", "factor: 5")], lives.as_slice(), &[slow("60s", "factor: 5")]].concat(), &[same]);
        // The end of the older one, at 90 s, ends the newer one no more.
        let newer = [slow("60s", "factor: 5"), slow("2m", "factor: 1")];
        told(&[&[slow("30s", "factor: 3, for: 1m")], lives.as_slice(), &newer].concat(), &[]);
    }

    #[test]
    fn a_rate_or_a_subscription_or_a_speed_that_holds_already_is_warned_of() {
        let of = |head: &str, timeline: &str, expected: &[(&str, &str)]| {
            check(&format!("producers: {{p: {head}}}"), "g: {topics: t, members: [A, B]}", timeline, expected);
        };
        let rate = ("the producer `p` has that rate at that time: only its even pace begins anew", "10/s");
        of("{topic: t, rate: 10/s}", "{at: 30s, rate: {p: 10/s}}", &[rate]);
        of("{topic: t, rate: 10/s}", "{at: 40s, rate: {p: 10/s}}, {at: 30s, rate: {p: 20/s}}", &[]);
        of("{topic: t, rate: 20/s}", "{at: 40s, rate: {p: 10/s}}, {at: 30s, rate: {p: 10/s}}", &[rate]);
        let steps = "{topic: t, steps: [{at: 0s, rate: 20/s}, {at: 35s, rate: 10/s}]}";
        of(steps, "{at: 40s, rate: {p: 10/s}}", &[rate]);
        of(steps, "{at: 35s, rate: {p: 20/s}}, {at: 30s, rate: {p: 10/s}}", &[]);
        let drawn = ("the producer `p` has that rate at that time: only the gap to its next record is drawn anew", "10/s");
        of("{topic: t, rate: 10/s, arrivals: poisson}", "{at: 30s, rate: {p: 10/s}}", &[drawn]);
        // Nothing is sent then.
        let idle = |rate| ("the producer `p` has that rate at that time", rate);
        of("{topic: t, steps: [{at: 0s, rate: 0/s}, {at: 1m, rate: 5/s}]}", "{at: 30s, rate: {p: 0/s}}", &[idle("0/s")]);
        of("{topic: t, rate: 10/s}", "{at: 30s, rate: {p: 10/s}}, {at: 1m, create.topic: t}", &[idle("10/s")]);
        of("{topic: t, rate: 10/s}", "{at: 30s, create.topic: t}, {at: 1m, rate: {p: 10/s}}", &[rate]);
        let subscribed = ("`A` is subscribed to that at that time", "t");
        let plain = "{topic: t, rate: 10/s}";
        of(plain, "{at: 30s, subscribe: g/A, topics: t}", &[subscribed]);
        of(plain, "{at: 10s, rolling.restart: g, every: 10s, down: 1s}, {at: 30s, subscribe: g/A, topics: t}", &[]);
        of(plain, "{at: 10s, crash: g/A}, {at: 20s, start: g/A}, {at: 30s, subscribe: g/A, topics: t}", &[subscribed]);
        let slow = ("`g/A` is slowed down by that factor already at that time", "factor");
        of(plain, "{at: 30s, slow: g/A, factor: 3}, {at: 40s, slow: g/A, factor: 3}", &[slow]);
        of(plain, "{at: 30s, slow: g/A, factor: 3}, {at: 40s, slow: g/A, factor: 3, for: 10s}", &[]);
        of(plain, "{at: 30s, slow: g/A, factor: 3}, {at: 40s, slow: g/A, factor: 4}", &[]);
    }

    #[test]
    fn of_two_values_for_one_moment_the_last_one_holds() {
        let set = |seconds: u32| format!("{{at: 30s, group.config: {{g: {{consumer.session.timeout.ms: {seconds}s}}}}}}");
        let group = "g: {topics: t, members: 2, config: {group.protocol: consumer}}";
        let twice = ("consumer.session.timeout.ms of the group `g` is set twice at that time", "consumer.session.timeout.ms");
        check("", group, &[set(50), set(55)].join(", "), &[twice]);
        let others = "{at: 30s, group.config: {g: {consumer.heartbeat.interval.ms: 6s}}}".to_owned();
        check("", group, &[set(50), others].join(", "), &[]);
        // It is the last one that is pointed at, and once.
        let thrice = ("consumer.session.timeout.ms of the group `g` is set 3 times at that time", "consumer.session.timeout.ms");
        check("", group, &[set(50), set(55), set(58)].join(", "), &[thrice]);
        check("", group, &[set(50), set(50), set(58)].join(", "), &[thrice]);
        let place = |entries: &[String]| {
            let text = format!("duration: 5m\ntopics: {{t: 2}}\ngroups: {{{group}}}\ntimeline: [{}]\n", entries.join(", "));
            let (_, problems) = load(&text, "demo.yaml").unwrap_or_else(|problems| panic!("{problems}"));
            problems.list.into_iter().map(|problem| text[problem.span.unwrap_or(0..0).start..].to_owned()).collect::<Vec<_>>()
        };
        assert!(place(&[set(50), set(55), set(58)])[0].starts_with("consumer.session.timeout.ms: 58s"));
    }

    /// How often somebody is told to subscribe to what it is subscribed to already.
    #[track_caller]
    fn check_subscription(timeline: &str, expected: usize) {
        let group = "{topics: t, processing: 1s, members: {A: , B: , C: , D: {start: never}}}";
        let text = format!(
            "duration: 5m\ntopics: {{t: 2, pay: 2}}\ngroups: {{g: {group}, h: {{topics: pay, members: 1}}}}\ntimeline: [{timeline}]\n"
        );
        let (_, problems) = load(&text, "demo.yaml").unwrap_or_else(|problems| panic!("{problems}"));
        let told = problems.list.iter().filter(|problem| problem.message.ends_with("is subscribed to that at that time"));
        assert_eq!(told.count(), expected, "{timeline}");
    }

    #[test]
    fn whoever_may_begin_a_new_life_or_miss_what_it_is_told_is_not_warned_of() {
        let pay = |at: &str, member: &str| format!("{{at: {at}, subscribe: g/{member}, topics: pay}}");
        let of = |before: &str, member: &str, between: &str, expected| {
            check_subscription(&[before, &pay("30s", member), between, &pay("3m", member)].join(", "), expected);
        };
        let roll = "{at: 10s, rolling.restart: g, every: 20s, down: 5s}";
        let nothing = "{at: 1m, slow: g/A, factor: 2}";
        of(nothing, "C", nothing, 1);
        of(roll, "C", nothing, 0);
        of(nothing, "C", &roll.replace("10s", "1m"), 0);
        // What a member that is closing is told is lost on it.
        of("{at: 20s, stop: g/A}, {at: 21s, start: g/A}", "A", nothing, 0);
        of("{at: 20s, crash: g/A}, {at: 21s, start: g/A}", "A", nothing, 1);
        of("{at: 20s, stop: g/A}, {at: 21s, crash: g/A}, {at: 22s, start: g/A}", "A", nothing, 1);
        of("{at: 20s, start: g/D}", "D", nothing, 1);
        of(nothing, "A", "{at: 1m, crash: g/A}, {at: 61s, start: g/A}", 0);
        of(nothing, "A", "{at: 1m, stop: g/A}, {at: 61s, start: g/A}", 0);
        of(nothing, "B", "{at: 1m, scale: {g: 1}}, {at: 2m, scale: {g: 3}}", 0);
        of(nothing, "A", "{at: 1m, pause: g/A, for: 9s}", 0);
        of("{at: 20s, pause: g/A, for: 10s}", "A", nothing, 0);
        of("{at: 20s, pause: g/A, for: 9s}", "A", nothing, 1);
    }
}
