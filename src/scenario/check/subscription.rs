//! What consumers subscribe to: topics by name, all of them declared.

use std::ops::Range;

use regex::RegexBuilder;

use super::super::file::group::{EvaluatorFile, GroupFile, PatternFile, SubscriptionFile, TopicsFile};
use super::super::file::timeline::EntryFile;
use super::super::reader::cut;
use super::super::subscription::{ByPattern, Evaluator, Pattern, Subscription};
use super::super::{Client, Group, TimelineEntry, Verb};
use super::groups::Part;
use super::names::Names;
use super::timeline::{Stage, Told};
use super::{Checker, Site};
use crate::terms::GroupProtocol;
use crate::units::{PatternId, TopicId};

/// A compiled pattern that is larger is refused.
const PATTERN_BYTES_MAX: usize = 1 << 20;
const EXAMPLE: &str = "what it subscribes to, such as `topics: [orders]`";

/// A subscription as far as it is known without the protocol of whoever subscribes.
#[derive(Clone, Default)]
pub struct Wanted {
    pub topics: Vec<TopicId>,
    /// The regular expression, and who is said to evaluate it.
    pattern: Option<(String, Option<EvaluatorFile>)>,
}

impl Checker<'_> {
    /// Each member's own, or that of the group; and all topics of the group together.
    pub fn subscriptions(
        &mut self,
        group: &str,
        written: &GroupFile,
        site: Site<'_>,
        parts: &mut [Part<'_>],
        topics: &Names,
    ) -> Vec<TopicId> {
        let owner = format!("the group `{group}`");
        let says_nothing = |part: &Part<'_>| part.special.is_none_or(|(_, place)| !place.tries("topics"));
        let is_needed = parts.is_empty() || parts.iter().any(says_nothing);
        let common = match &written.topics {
            None if !is_needed => None,
            topics => self.require(topics.as_ref(), site, &owner, "topics", EXAMPLE),
        };
        let common = common.map(|common| self.subscription(&owner, common, site.child("topics"), topics));
        let mut all: Vec<TopicId> = common.iter().flat_map(|common| common.topics.iter().copied()).collect();
        for part in parts {
            let own = part.special.and_then(|(member, place)| Some((member.topics.as_ref()?, place)));
            let subscription = match own {
                Some((own, place)) => Some(self.subscription("the member", own, place.child("topics"), topics)),
                None => common.clone(),
            };
            if let Some(subscription) = subscription {
                add_missing(&mut all, &subscription.topics);
                part.wanted = subscription;
            }
        }
        all
    }

    /// Topics or a pattern, as a group, a member or a timeline entry has it.
    fn subscription(&mut self, owner: &str, written: &SubscriptionFile, place: Site<'_>, topics: &Names) -> Wanted {
        match written {
            SubscriptionFile::Topics(names) => Wanted { topics: self.topic_list(owner, names, place, topics), pattern: None },
            SubscriptionFile::Pattern(written) => self.pattern(written, place, topics),
        }
    }

    fn topic_list(&mut self, owner: &str, written: &TopicsFile, place: Site<'_>, topics: &Names) -> Vec<TopicId> {
        let names: Vec<(&str, Range<usize>)> = match written {
            TopicsFile::One(name) => vec![(name, place.value())],
            TopicsFile::List(names) => names.iter().map(String::as_str).zip(place.items().map(Site::value)).collect(),
        };
        if names.is_empty() {
            self.error(place.key(), format!("{owner} subscribes to nothing"));
        }
        let mut subscribed = Vec::new();
        for (name, at) in names {
            let Some(topic) = self.resolve(topics, name, at.clone()).map(TopicId) else { continue };
            if subscribed.contains(&topic) {
                self.error(at, format!("`{name}` stands here twice"));
            } else {
                subscribed.push(topic);
            }
        }
        subscribed
    }

    /// The whole name has to match, as with Java's Matcher#matches and RE2J's Pattern#matches.
    fn pattern(&mut self, written: &PatternFile, place: Site<'_>, topics: &Names) -> Wanted {
        let hint = "a regular expression, such as `pattern: \"orders-.*\"`";
        let text = self.require(written.pattern.as_ref(), place, "this subscription", "pattern", hint).cloned().unwrap_or_default();
        let compiled = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(PATTERN_BYTES_MAX).build();
        let matching = match &compiled {
            Ok(regex) => topics.all().filter(|(_, name)| regex.is_match(name)).map(|(id, _)| TopicId(id)).collect(),
            Err(error) => {
                let at = place.child("pattern").value();
                let message = format!("`{}` is not a regular expression: {}", cut(&text), reason(error));
                self.error_with_hint(at, message, "the syntax is that of RE2: no look-around and no references back");
                Vec::new()
            }
        };
        Wanted { topics: matching, pattern: Some((text, written.evaluated_by)) }
    }
}

impl Checker<'_> {
    /// `subscribe: billing/A, topics: [orders]`
    pub fn subscribe_verb(&mut self, written: &EntryFile, site: Site<'_>, stage: &Stage<'_>, verbs: &mut Vec<Told>) {
        let Some(member) = &written.subscribe else { return };
        let place = site.child("subscribe").value();
        let client = self.member(member, place.clone(), stage);
        let owner = format!("`{member}`");
        let Some(topics) = self.require(written.topics.as_ref(), site, "`subscribe`", "topics", EXAMPLE) else { return };
        let place_of_topics = site.child("topics");
        let wanted = self.subscription(&owner, topics, place_of_topics, stage.topics);
        if let Some(client) = client {
            let protocol = stage.cast.clients[client.index()].config.protocol;
            let to = self.evaluated(wanted, protocol, place_of_topics);
            verbs.push((Verb::Subscribe { client, to }, owner, place));
        }
    }
}

/// What members subscribe to while they run belongs to their groups too.
pub fn add_later_topics(groups: &mut [Group], clients: &[Client], timeline: &[TimelineEntry]) {
    for entry in timeline {
        if let Verb::Subscribe { client, to } = &entry.verb {
            let group = clients[client.index()].group;
            add_missing(&mut groups[group.index()].topics, &to.topics);
        }
    }
}

/// Adds what a subscription brings to all that a group is ever subscribed to.
fn add_missing(all: &mut Vec<TopicId>, topics: &[TopicId]) {
    for topic in topics {
        if !all.contains(topic) {
            all.push(*topic);
        }
    }
}

impl Checker<'_> {
    /// Who evaluates a pattern hangs on the protocol of the member.
    pub fn evaluated(&mut self, wanted: Wanted, protocol: GroupProtocol, place: Site<'_>) -> Subscription {
        let Wanted { topics, pattern } = wanted;
        let Some((text, written)) = pattern else { return Subscription { topics, pattern: None } };
        let evaluated_by = match (written, protocol) {
            (Some(EvaluatorFile::Client), _) | (None, GroupProtocol::Classic) => Evaluator::Client,
            (Some(EvaluatorFile::Brokers) | None, GroupProtocol::Consumer) => Evaluator::Brokers,
            (Some(EvaluatorFile::Brokers), GroupProtocol::Classic) => {
                let hint = "add `group.protocol: consumer`, or leave `evaluated.by` out";
                self.error_with_hint(place.child("evaluated.by").value(), "brokers do not evaluate patterns of classic groups", hint);
                Evaluator::Client
            }
        };
        let known = self.patterns.iter().position(|known| known.text == text);
        let place = known.unwrap_or_else(|| {
            self.patterns.push(Pattern { text, topics: topics.clone() });
            self.patterns.len() - 1
        });
        let pattern = PatternId(u32::try_from(place).expect("there are no more patterns than members and entries"));
        Subscription { topics, pattern: Some(ByPattern { pattern, evaluated_by }) }
    }
}

/// The last line of the message, which says what is wrong; those before it draw where.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
