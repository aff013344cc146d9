//! What the consumer is subscribed to, and what follows when that changes while it runs (KafkaConsumer.subscribe, SubscriptionState).
//!
//! A classic member rejoins in the same poll(), a KIP-848 member tells its coordinator with the next heartbeat that is due. An application
//! that waits in poll() is woken up for it; one that is at work calls subscribe() before its next poll().

use super::leader::topics_of;
use super::{App, Consumer, ConsumerEffects};
use crate::client::membership::MemberState;
use crate::kafka::message::JoinAnswer;
use crate::kafka::request::Metadata;
use crate::terms::GroupProtocol;
use crate::trace::TraceEvent;
use crate::trace::topics::TopicChange;
use crate::units::{Instant, PatternId, TopicId, TopicPartition};

/// What the application calls subscribe() with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    Topics(Vec<TopicId>),
    /// A java.util.regex.Pattern: those of these topics that the client's metadata knows.
    Matching(Vec<TopicId>),
    /// A SubscriptionPattern: the coordinator knows what it means (KIP-848).
    Pattern(PatternId),
}

impl Wish {
    /// The topics that the group is told of.
    fn topics(&self, counts: &[u32]) -> Vec<TopicId> {
        match self {
            Wish::Topics(topics) => topics.clone(),
            Wish::Matching(topics) => topics.iter().copied().filter(|topic| counts[topic.index()] > 0).collect(),
            Wish::Pattern(_) => Vec::new(),
        }
    }
}

/// Metadata that is asked for before a rejoin.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Refresh {
    None,
    Asked,
    Done,
}

#[derive(Debug)]
pub struct Subscribed {
    wish: Wish,
    topics: Vec<TopicId>,
    /// The application is about to subscribe to something else.
    next: Option<Wish>,
    /// What the last JoinGroup told; a change since then takes another one.
    joined: Option<Vec<TopicId>>,
    /// This member leads the group, but has to look at topics first that it is not subscribed to itself.
    leads: Option<JoinAnswer>,
    refresh: Refresh,
    /// What the last heartbeats to tell them told of topics and pattern (KIP-848).
    told_topics: Vec<TopicId>,
    told_pattern: Option<PatternId>,
}

impl Subscribed {
    pub fn to(wish: Wish, metadata: &Metadata) -> Self {
        let topics = wish.topics(&metadata.counts);
        Subscribed {
            wish,
            topics,
            next: None,
            joined: None,
            leads: None,
            refresh: Refresh::None,
            told_topics: Vec::new(),
            told_pattern: None,
        }
    }

    pub fn topics(&self) -> &[TopicId] {
        &self.topics
    }

    pub fn pattern(&self) -> Option<PatternId> {
        match self.wish {
            Wish::Pattern(pattern) => Some(pattern),
            Wish::Topics(_) | Wish::Matching(_) => None,
        }
    }

    pub fn has(&self, topic: TopicId) -> bool {
        self.topics.contains(&topic)
    }

    /// Whether partitions of this topic may be assigned to it.
    pub fn accepts(&self, topic: TopicId) -> bool {
        match &self.wish {
            Wish::Topics(topics) | Wish::Matching(topics) => topics.contains(&topic),
            Wish::Pattern(_) => true,
        }
    }

    pub fn is_to_change(&self) -> bool {
        self.next.is_some()
    }

    /// What a heartbeat tells of topics and of a pattern: what has changed since the last one, or everything.
    pub fn news(&mut self, whole: bool) -> (Option<Vec<TopicId>>, Option<Option<PatternId>>) {
        let pattern = self.pattern();
        let topics = (whole || self.told_topics != self.topics).then(|| self.topics.clone());
        let told_pattern = (whole || self.told_pattern != pattern).then_some(pattern);
        self.told_topics.clone_from(&self.topics);
        self.told_pattern = pattern;
        (topics, told_pattern)
    }

    /// JoinGroup tells the topics as they are.
    pub fn join(&mut self) {
        self.joined = None;
        self.leads = None;
        self.refresh = Refresh::None;
    }

    pub fn await_metadata(&mut self, answer: JoinAnswer) {
        self.leads = Some(answer);
    }

    fn replace(&mut self, topics: Vec<TopicId>) {
        let former = std::mem::replace(&mut self.topics, topics);
        if former != self.topics {
            self.joined.get_or_insert(former);
        }
    }
}

impl Consumer {
    /// group.protocol
    pub fn protocol(&self) -> GroupProtocol {
        self.config.protocol
    }

    /// The application subscribes to something else as soon as it can.
    pub fn subscribe(&mut self, now: Instant, wish: Wish, fx: &mut ConsumerEffects) {
        self.subscription.next = Some(wish);
        self.settled = false;
        if matches!(self.app, App::Idle) {
            self.poll(now, fx);
        }
    }

    /// subscribe(). The metadata of its topics is asked for anew; since 4.1 partitions of other topics stop at once.
    pub(super) fn change_subscription(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let Some(next) = self.subscription.next.take() else { return };
        let topics = next.topics(&self.metadata);
        let is_first = |topic: &TopicId| self.config.names.topic(*topic) == self.config.names.topic_in_kafka(*topic);
        let told = topics.iter().copied().filter(is_first).collect();
        fx.emit(TraceEvent::Topics(TopicChange::Subscribed { client: self.config.client, topics: told }));
        if next == self.subscription.wish {
            return;
        }
        self.subscription.wish = next;
        self.subscription.replace(topics);
        if self.config.switches.unsubscribed_partitions_stop {
            self.stop_or_resume_partitions(fx);
        }
        if self.config.real {
            self.ask_for_metadata(now, fx);
        }
    }

    /// Metadata came: the client's own pattern may match other topics than before.
    pub(super) fn match_pattern(&mut self) {
        if self.subscription.refresh == Refresh::Asked {
            self.subscription.refresh = Refresh::Done;
        }
        if matches!(self.subscription.wish, Wish::Matching(_)) {
            let topics = self.subscription.wish.topics(&self.metadata);
            self.subscription.replace(topics);
        }
    }

    /// A classic member with a pattern asks for metadata before it rejoins, so that a topic that all of them find costs fewer rebalances.
    /// True if it has to wait for it.
    pub(super) fn awaits_metadata_to_join(&mut self, now: Instant, fx: &mut ConsumerEffects) -> bool {
        let is_fresh = now < self.leadership.refreshed_at + self.config.retry_backoff;
        if !self.config.real || is_fresh || !matches!(self.subscription.wish, Wish::Matching(_)) {
            return false;
        }
        if self.subscription.refresh == Refresh::None {
            self.subscription.refresh = Refresh::Asked;
            self.ask_for_metadata(now, fx);
        }
        self.subscription.refresh == Refresh::Asked
    }

    /// Partitions that go on after all were as good as given up: for whoever follows the run they are assigned anew.
    fn stop_or_resume_partitions(&mut self, fx: &mut ConsumerEffects) {
        let Consumer { fetcher, subscription, .. } = self;
        let by_list = matches!(subscription.wish, Wish::Topics(_));
        let (stopped, resumed) = fetcher.subscribe(|topic| !by_list || subscription.has(topic));
        let client = self.config.client;
        if !stopped.is_empty() {
            fx.emit(TraceEvent::RevocationPending { client, partitions: stopped });
        }
        if let (false, Some(member)) = (resumed.is_empty(), self.membership.member) {
            fx.emit(TraceEvent::Assigned { client, member, generation: self.membership.generation, partitions: resumed });
        }
    }

    /// A member rejoins if it is subscribed to something else than it told the group.
    pub(super) fn check_subscription(&mut self) {
        let Subscribed { topics, joined, .. } = &self.subscription;
        let has_changed = |joined: &Vec<TopicId>| joined.len() != topics.len() || joined.iter().any(|topic| !topics.contains(topic));
        self.membership.rejoin_needed |= joined.as_ref().is_some_and(has_changed);
    }

    /// What it owns of topics that it is not subscribed to any more.
    pub(super) fn unsubscribed(&self) -> Box<[TopicPartition]> {
        let mut partitions: Box<[TopicPartition]> =
            self.fetcher.owned().iter().map(|owned| owned.partition).filter(|partition| !self.subscription.has(partition.topic)).collect();
        partitions.sort_unstable();
        partitions
    }

    /// It is subscribed to a name that no topic has: it asks for metadata again and again, until there is one (Metadata.handleMetadataResponse).
    pub(super) fn lacks_topics(&self) -> bool {
        let names = &self.config.names;
        if !matches!(self.subscription.wish, Wish::Topics(_)) {
            return false;
        }
        let exists = |topic: &TopicId| self.metadata[topic.index()] > 0;
        let namesake = |one: &TopicId, other: &TopicId| names.topic_in_kafka(*one) == names.topic_in_kafka(*other);
        let topics = self.subscription.topics();
        let mut missing = topics.iter().filter(|topic| !exists(topic));
        missing.any(|topic| !topics.iter().any(|other| exists(other) && namesake(topic, other)))
    }

    /// A leader whose group reads topics that it is not subscribed to itself asks for metadata in each rebalance, and assigns when it is there
    /// (ConsumerCoordinator.updateGroupSubscription).
    pub(super) fn knows_topics_of(&self, answer: &JoinAnswer) -> bool {
        !self.config.real || !self.membership.leader || topics_of(answer).into_iter().all(|topic| self.subscription.has(topic))
    }

    pub(super) fn lead_with_fresh_metadata(&mut self, now: Instant, fx: &mut ConsumerEffects) {
        let Some(answer) = self.subscription.leads.take() else { return };
        if self.membership.state == MemberState::Completing && self.membership.generation == answer.generation {
            self.sync(now, &answer, fx);
        }
    }
}
