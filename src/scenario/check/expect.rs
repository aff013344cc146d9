//! Expectations: names resolved, bounds worked out.

use std::ops::Range;

use super::super::Topic;
use super::super::expectation::{Bounds, Check, Expectation, LagKind, Period, When, WhichPartition};
use super::super::file::ScenarioFile;
use super::super::file::expect::{CountBounds, CountFile, ExpectFile, LagBounds, LagFile, LagOf, MomentFile, UnavailableFile};
use super::super::file::shapes::Duration;
use super::super::reader::cut;
use super::super::yaml::scalar;
use super::timeline::Stage;
use super::{Checker, Site};
use crate::error::line_of;
use crate::units::{ClientId, GroupId, Instant, Span, TopicId, TopicPartition};

pub const EXPECTATIONS_MAX: usize = 10_000;

const FACTS: [&str; 18] = [
    "produced",
    "processed.once",
    "duplicated",
    "extra",
    "lost",
    "skipped",
    "deleted",
    "unsettled",
    "lag",
    "backlog",
    "rebalances",
    "unavailable",
    "owner",
    "removed",
    "commits.failed",
    "failed",
    "livelock",
    "no.livelock",
];

impl Checker<'_> {
    pub fn expectations(&mut self, file: &ScenarioFile, root: Site<'_>, stage: &Stage<'_>, topics: &[Topic]) -> Vec<Expectation> {
        let site = root.child("expect");
        let mut expectations = Vec::with_capacity(file.expect.len());
        for (written, place) in file.expect.iter().zip(site.items()) {
            let facts: Vec<&str> = FACTS.into_iter().filter(|fact| place.has(fact)).collect();
            let [fact] = facts.as_slice() else {
                if facts.is_empty() && place.unreadable().next().is_some() {
                    continue;
                }
                let message =
                    if facts.is_empty() { "this expects nothing".to_owned() } else { format!("{} facts in one expectation", facts.len()) };
                let hint = format!("give it one of {}", FACTS.map(|fact| format!("`{fact}`")).join(", "));
                self.error_with_hint(place.key(), message, hint);
                continue;
            };
            self.refuse_parameters_of_other_facts(fact, place);
            let line = Some(line_of(self.source, place.node.span.start));
            if let Some(owners) = &written.owner {
                for (text, check) in self.owners(owners, written, place, stage, topics) {
                    expectations.push(Expectation { check, text, line });
                }
            } else if let Some(check) = self.one_check(written, fact, place, stage, topics) {
                expectations.push(Expectation { check, text: place.node.on_one_line(), line });
            }
        }
        if expectations.len() > EXPECTATIONS_MAX {
            self.error(site.key(), format!("{} expectations: the limit is {EXPECTATIONS_MAX}", expectations.len()));
        }
        expectations
    }

    fn refuse_parameters_of_other_facts(&mut self, fact: &str, site: Site<'_>) {
        let parameters: &[&str] = match fact {
            "lag" => &["after", "at", "within"],
            "owner" => &["at"],
            "livelock" | "no.livelock" => &[],
            "backlog" => &["at", "within"],
            "removed" | "commits.failed" | "failed" => &["after", "before"],
            "rebalances" | "unavailable" => &["after", "before", "within"],
            _ => &["within"],
        };
        for parameter in ["after", "before", "at", "within"] {
            if site.has(parameter) && !parameters.contains(&parameter) {
                self.error(site.child(parameter).key(), format!("`{parameter}` means nothing with `{fact}`"));
            }
        }
    }

    fn one_check(&mut self, written: &ExpectFile, fact: &str, site: Site<'_>, stage: &Stage<'_>, topics: &[Topic]) -> Option<Check> {
        let place = site.child(fact);
        if let Some(lag) = &written.lag {
            return self.lag(lag, written, site, place, stage);
        }
        if let Some(unavailable) = &written.unavailable {
            return self.unavailable(unavailable, written, site, stage, topics);
        }
        if matches!(fact, "removed" | "commits.failed" | "failed") {
            return self.incidents(written, site, place, stage);
        }
        if let Some(group) = &written.livelock {
            return self.group(Some(group), place, stage).map(|group| Check::Livelock { group: group.unwrap_or_default() });
        }
        if let Some(group) = &written.no_livelock {
            return self.group(Some(group), place, stage).map(|group| Check::NoLivelock { group: group.unwrap_or_default() });
        }
        let counts = [&written.produced, &written.processed_once, &written.duplicated, &written.extra, &written.lost];
        let more = [&written.skipped, &written.deleted, &written.unsettled, &written.backlog, &written.rebalances];
        let count = counts.into_iter().chain(more).flatten().next()?;
        let CountBounds { group, exactly, at_least, at_most } = match count {
            CountFile::Exactly(count) => CountBounds { exactly: Some(*count), ..CountBounds::default() },
            CountFile::Bounds(bounds) => bounds.clone(),
        };
        let bounds = self.bounds(exactly, at_least, at_most, written, place)?;
        let group = self.group(group.as_deref(), place.child("group"), stage)?;
        if fact == "backlog" && !matches!(written.at, None | Some(MomentFile::End)) {
            self.error_with_hint(site.child("at").value(), "a backlog is that of the end of the run phase", "use `lag` for other times");
        }
        Some(match fact {
            "produced" => Check::Produced { group, bounds },
            "processed.once" => Check::ProcessedOnce { group, bounds },
            "duplicated" => Check::Duplicated { group, bounds },
            "extra" => Check::Extra { group, bounds },
            "lost" => Check::Lost { group, bounds },
            "skipped" => Check::Skipped { group, bounds },
            "deleted" => Check::Deleted { group, bounds },
            "unsettled" => Check::Unsettled { group, bounds },
            "backlog" => Check::Backlog { group, bounds },
            _ => Check::Rebalances { group, period: self.period(written, site, stage), bounds },
        })
    }

    /// `None` is an error; `Some(None)` is all groups.
    pub(super) fn group(&mut self, name: Option<&str>, site: Site<'_>, stage: &Stage<'_>) -> Option<Option<GroupId>> {
        match name {
            None => Some(None),
            Some(name) => self.resolve(stage.groups, name, site.value()).map(|group| Some(GroupId(group))),
        }
    }

    pub(super) fn bounds(
        &mut self,
        exactly: Option<u64>,
        least: Option<u64>,
        most: Option<u64>,
        written: &ExpectFile,
        site: Site<'_>,
    ) -> Option<Bounds> {
        let unreadable = site.unreadable().next().is_some();
        if exactly.is_some() && (least.is_some() || most.is_some()) {
            self.error(site.child("exactly").key(), "`exactly` and another bound");
            return None;
        }
        if exactly.is_none() && least.is_none() && most.is_none() {
            if !unreadable {
                self.error_with_hint(site.key(), "no number is given", "give `exactly`, `at.least` or `at.most`");
            }
            return None;
        }
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            self.error(site.child("at.least").value(), "`at.least` is greater than `at.most`");
        }
        if written.within.is_some() && exactly.is_none() {
            self.error_with_hint(site.key(), "`within` goes with an exact number", "leave it out, or give the number that is meant");
        }
        let share = written.within.map_or(0, |share| share.0);
        Some(match exactly {
            None => Bounds { at_least: least, at_most: most },
            Some(number) => {
                let slack = u128::from(number) * u128::from(share) / 1_000_000_000;
                let slack = u64::try_from(slack).expect("a share is one at most");
                Bounds { at_least: Some(number - slack), at_most: Some(number.saturating_add(slack)) }
            }
        })
    }

    fn lag(&mut self, lag: &LagFile, written: &ExpectFile, site: Site<'_>, place: Site<'_>, stage: &Stage<'_>) -> Option<Check> {
        let LagBounds { group, of, exactly, at_least, at_most } = match lag {
            LagFile::Exactly(count) => LagBounds { exactly: Some(*count), ..LagBounds::default() },
            LagFile::Bounds(bounds) => bounds.clone(),
        };
        let bounds = self.bounds(exactly, at_least, at_most, written, place)?;
        let of = match of {
            Some(LagOf::Committed) => LagKind::Committed,
            Some(LagOf::Position) => LagKind::Position,
            None | Some(LagOf::Unprocessed) => LagKind::Unprocessed,
        };
        if written.at == Some(MomentFile::Settled) && stage.settle.is_zero() {
            let message = "there is no settle phase: `settle` is 0s";
            self.error_with_hint(site.child("at").value(), message, "`at: end` is the end of the run phase");
        }
        if site.has("at") && site.has("after") {
            self.error_with_hint(site.child("after").key(), "`at` and `after`", "give one of the two");
        }
        let when = match (written.at, written.after) {
            (None, None) => When::After(Instant::ZERO),
            (None, Some(after)) => When::After(self.within_run(after.0, site.child("after").value(), stage)),
            (Some(MomentFile::At(at)), _) => When::At(self.within_run(at.0, site.child("at").value(), stage)),
            (Some(MomentFile::End), _) => When::End,
            (Some(MomentFile::Settled), _) => When::Settled,
        };
        Some(Check::Lag { group: self.group(group.as_deref(), place.child("group"), stage)?, of, when, bounds })
    }

    /// From `after` on, until `before`.
    pub(super) fn period(&mut self, written: &ExpectFile, site: Site<'_>, stage: &Stage<'_>) -> Period {
        let mut instant = |written: Option<Duration>, key| written.map(|at| self.within_run(at.0, site.child(key).value(), stage));
        let (from, until) = (instant(written.after, "after"), instant(written.before, "before"));
        let period = Period { from: from.unwrap_or(Period::ALL.from), until: until.unwrap_or(Period::ALL.until) };
        if period.from >= period.until {
            self.error_with_hint(site.child("before").value(), "nothing is `after` and `before`", "`before` is the later of the two");
        }
        period
    }

    fn within_run(&mut self, span: Span, at: Range<usize>, stage: &Stage<'_>) -> Instant {
        if span > stage.end {
            self.error_with_hint(at, format!("at {span} the run phase is over"), format!("`duration` is {}", stage.end));
        }
        Instant::ZERO + span
    }

    fn unavailable(
        &mut self,
        unavailable: &UnavailableFile,
        written: &ExpectFile,
        site: Site<'_>,
        stage: &Stage<'_>,
        topics: &[Topic],
    ) -> Option<Check> {
        let nanos = |duration: Option<Duration>| duration.map(|duration| duration.0.as_nanos());
        let (exactly, least, most) = (nanos(unavailable.exactly), nanos(unavailable.at_least), nanos(unavailable.at_most));
        let period = self.period(written, site, stage);
        let site = site.child("unavailable");
        let bounds = self.bounds(exactly, least, most, written, site)?;
        let partition = match unavailable.partition.as_deref() {
            None | Some("longest") => WhichPartition::Longest,
            Some(name) => WhichPartition::Named(self.partition(name, site.child("partition").value(), stage, topics)?),
        };
        let group = self.group(unavailable.group.as_deref(), site.child("group"), stage)?;
        Some(Check::Unavailable { group, partition, period, bounds })
    }

    /// topic-partition.
    fn partition(&mut self, name: &str, at: Range<usize>, stage: &Stage<'_>, topics: &[Topic]) -> Option<TopicPartition> {
        let parts = name.rsplit_once('-').and_then(|(topic, partition)| Some((topic, partition.parse::<u32>().ok()?)));
        let Some((topic, partition)) = parts else {
            let hint = "write the topic, a `-` and a number, such as `orders-0`";
            self.error_with_hint(at, format!("`{}` is not a partition", cut(name)), hint);
            return None;
        };
        let later = topics.iter().position(|later| later.life > 1 && later.name == topic);
        let topic = match later {
            Some(later) => TopicId(u32::try_from(later).ok()?),
            None => TopicId(self.resolve(stage.topics, topic, at.clone())?),
        };
        let partitions = topics[topic.index()].most_partitions;
        if partition >= partitions {
            let hint = format!("its partitions are 0 to {}", partitions.saturating_sub(1));
            self.error_with_hint(at, format!("the topic has no partition {partition}"), hint);
            return None;
        }
        Some(TopicPartition { topic, partition })
    }

    /// Each partition of an `owner` is an expectation of its own.
    fn owners(
        &mut self,
        owners: &indexmap::IndexMap<String, String>,
        written: &ExpectFile,
        site: Site<'_>,
        stage: &Stage<'_>,
        topics: &[Topic],
    ) -> Vec<(String, Check)> {
        let (at, when) = match self.require(written.at, site, "an owner", "at", "at what time, such as `at: 20s`") {
            Some(MomentFile::At(at)) => {
                (self.within_run(at.0, site.child("at").value(), stage), super::super::quantity::write_duration(at.0))
            }
            Some(MomentFile::End) => (Instant::ZERO + stage.end, "end".to_owned()),
            Some(MomentFile::Settled) => {
                self.error_with_hint(site.child("at").value(), "owners are known at a time of the run phase", "such as `at: end`");
                return Vec::new();
            }
            None => return Vec::new(),
        };
        let place = site.child("owner");
        self.refuse_nothing("owner", place);
        if owners.len() == 1 && owners.contains_key("group") {
            self.error_with_hint(place.value(), "`owner` names no partition", "such as `owner: {orders-0: A}`");
        }
        let named = owners.get("group").map(|group| self.resolve(stage.groups, group, place.child("group").value()));
        let only = stage.groups.only();
        let group = named.map_or(only, |named| named).map(GroupId);
        let mut checks = Vec::new();
        for ((partition, owner), entry) in owners.iter().zip(place.children()).filter(|((key, _), _)| *key != "group") {
            let Some(found) = self.partition(partition, entry.key(), stage, topics) else { continue };
            let Some((group, client)) = self.owner(owner, group, entry, stage) else { continue };
            let prefix = owners.get("group").map_or(String::new(), |group| format!("group: {}, ", scalar(group, true)));
            let text = format!("{{owner: {{{prefix}{partition}: {}}}, at: {when}}}", scalar(owner, true));
            checks.push((text, Check::Owner { group, partition: found, client, at }));
        }
        checks
    }

    /// A member, a group/member, or `nobody`.
    fn owner(
        &mut self,
        owner: &str,
        group: Option<GroupId>,
        site: Site<'_>,
        stage: &Stage<'_>,
    ) -> Option<(Option<GroupId>, Option<ClientId>)> {
        if owner == "nobody" {
            return Some((group, None));
        }
        let full = match group {
            Some(group) if !owner.contains('/') => format!("{}/{owner}", stage.groups.name(group.index())),
            Some(_) | None => owner.to_owned(),
        };
        let client = self.member(&full, site.value(), stage)?;
        Some((Some(stage.cast.clients[client.index()].group), Some(client)))
    }
}
