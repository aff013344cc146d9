//! The assignors without a simulation: topics and members in, who gets what out, for `groupsim assign`.
//!
//! [`batch`] answers questions in JSON Lines, [`balance`] measures an answer.

use std::collections::{BTreeMap, BTreeSet};

use crate::kafka::assignor::server::{MemberSpec, ServerAssignor};
use crate::kafka::assignor::{AssignError, Assignment, Assignor, Claim, Member, Topic};
use crate::kafka::release::Switches;
use crate::release::Release;
use crate::units::{TopicId, TopicPartition};

pub mod balance;
pub mod batch;
mod line;

/// Of all topics together.
pub const PARTITIONS_MAX: u64 = 100_000;
pub const TOPICS_MAX: usize = 10_000;
pub const MEMBERS_MAX: usize = 10_000;
/// Of all members together: the topics that each is subscribed to.
pub const SUBSCRIPTIONS_MAX: usize = 10_000_000;

/// An assignor, on whichever side.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Strategy {
    Client(Assignor),
    Server(ServerAssignor),
}

impl Strategy {
    pub const ALL: [Strategy; 6] = [
        Strategy::Client(Assignor::Range),
        Strategy::Client(Assignor::RoundRobin),
        Strategy::Client(Assignor::Sticky),
        Strategy::Client(Assignor::CooperativeSticky),
        Strategy::Server(ServerAssignor::Range),
        Strategy::Server(ServerAssignor::Uniform),
    ];

    /// Kafka's name for it, with `server-` in front of those of the broker.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::Client(assignor) => assignor.name(),
            Strategy::Server(ServerAssignor::Range) => "server-range",
            Strategy::Server(ServerAssignor::Uniform) => "server-uniform",
        }
    }

    pub const fn summary(self) -> &'static str {
        match self {
            Strategy::Client(assignor) => assignor.summary(),
            Strategy::Server(assignor) => assignor.summary(),
        }
    }

    /// Brokers assign since KIP-848.
    pub fn exists_in(self, release: Release) -> bool {
        match self {
            Strategy::Client(_) => true,
            Strategy::Server(_) => release >= Release::V4_0_0,
        }
    }

    pub fn named(text: &str) -> Option<Strategy> {
        Strategy::ALL.into_iter().find(|strategy| strategy.name() == text)
    }
}

/// A member as it asks for partitions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Subscriber {
    pub id: String,
    pub instance: Option<String>,
    pub topics: Vec<TopicId>,
    /// On the client side what it had, on the broker's side its previous target.
    pub owned: Vec<TopicPartition>,
    /// In which `owned` was its own.
    pub generation: Option<i32>,
    /// With `sticky`, which tells of `owned` in its user data: the generation in the subscription itself.
    pub subscription_generation: Option<i32>,
}

/// Who is to share what. Topics without partitions are topics that do not exist.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Question {
    /// In the order in which a broker goes through them.
    topics: Vec<(String, u32)>,
    numbers: BTreeMap<String, TopicId>,
    /// In the order of their arrival.
    members: Vec<Subscriber>,
    ids: BTreeSet<String>,
    /// Of all members.
    subscriptions: usize,
}

/// Why a question makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Senseless {
    #[error("the topic `{0}` is there twice")]
    TopicTwice(String),
    #[error("the member `{0}` is there twice")]
    MemberTwice(String),
    #[error("the member `{0}` is subscribed to `{1}` twice")]
    SubscribedTwice(String, String),
    #[error("the member `{0}` owns `{1}-{2}` twice")]
    OwnedTwice(String, String, u32),
    #[error("the member `{0}` owns `{1}-{2}`, and `{1}` has no such partition")]
    BeyondTheEnd(String, String, u32),
    #[error("{0} partitions: the limit of all topics together is {PARTITIONS_MAX}")]
    TooManyPartitions(u64),
    #[error("more than {TOPICS_MAX} topics")]
    TooManyTopics,
    #[error("more than {MEMBERS_MAX} members")]
    TooManyMembers,
    #[error("more than {SUBSCRIPTIONS_MAX} subscriptions of all members together")]
    TooManySubscriptions,
}

impl Question {
    pub fn new(topics: Vec<(String, u32)>) -> Result<Question, Senseless> {
        let total: u64 = topics.iter().map(|(_, partitions)| u64::from(*partitions)).sum();
        if total > PARTITIONS_MAX {
            return Err(Senseless::TooManyPartitions(total));
        }
        let mut question = Question::default();
        for (name, partitions) in topics {
            if question.numbers.contains_key(&name) {
                return Err(Senseless::TopicTwice(name));
            }
            question.number(&name)?;
            question.topics.last_mut().expect("it has just been added").1 = partitions;
        }
        Ok(question)
    }

    /// The number of a topic, also of one that does not exist.
    pub fn number(&mut self, name: &str) -> Result<TopicId, Senseless> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        if self.topics.len() >= TOPICS_MAX {
            return Err(Senseless::TooManyTopics);
        }
        let number = TopicId(self.topics.len() as u32);
        self.topics.push((name.to_owned(), 0));
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }

    pub fn add(&mut self, member: Subscriber) -> Result<(), Senseless> {
        if self.members.len() >= MEMBERS_MAX {
            return Err(Senseless::TooManyMembers);
        }
        self.subscriptions += member.topics.len();
        if self.subscriptions > SUBSCRIPTIONS_MAX {
            return Err(Senseless::TooManySubscriptions);
        }
        if !self.ids.insert(member.id.clone()) {
            return Err(Senseless::MemberTwice(member.id));
        }
        let mut topics = BTreeSet::new();
        if let Some(twice) = member.topics.iter().find(|topic| !topics.insert(**topic)) {
            return Err(Senseless::SubscribedTwice(member.id, self.topic(*twice).to_owned()));
        }
        let mut owned = BTreeSet::new();
        for at in &member.owned {
            let (name, partitions) = &self.topics[at.topic.index()];
            if !owned.insert(at) {
                return Err(Senseless::OwnedTwice(member.id, name.clone(), at.partition));
            }
            if *partitions > 0 && at.partition >= *partitions {
                return Err(Senseless::BeyondTheEnd(member.id, name.clone(), at.partition));
            }
        }
        self.members.push(member);
        Ok(())
    }

    pub fn members(&self) -> &[Subscriber] {
        &self.members
    }

    pub fn topic(&self, topic: TopicId) -> &str {
        &self.topics[topic.index()].0
    }

    /// Every topic with its partitions, existing or not.
    pub fn topics(&self) -> impl Iterator<Item = (TopicId, u32)> {
        (0..).map(TopicId).zip(self.topics.iter().map(|(_, partitions)| *partitions))
    }

    /// By member, in the order in which they were added; each share by topic name and partition.
    pub fn answer(&self, strategy: Strategy, release: Release) -> Result<Assignment, AssignError> {
        let mut assignment = match strategy {
            Strategy::Client(assignor) => self.ask_client(assignor)?,
            Strategy::Server(assignor) => self.ask_server(assignor, release),
        };
        for share in &mut assignment {
            share.sort_by_key(|at| (self.topic(at.topic), at.partition));
        }
        Ok(assignment)
    }

    fn ask_client(&self, assignor: Assignor) -> Result<Assignment, AssignError> {
        let topics: Vec<Topic<'_>> = self.topics.iter().map(|(name, partitions)| Topic { name, partitions: *partitions }).collect();
        let members: Vec<Member<'_>> = self.members.iter().map(|member| member.for_client(assignor)).collect();
        assignor.assign(&topics, &members)
    }

    fn ask_server(&self, assignor: ServerAssignor, release: Release) -> Assignment {
        let partitions: Vec<u32> = self.topics.iter().map(|(_, partitions)| *partitions).collect();
        // Members may both claim a partition; a broker has it in one target only.
        let mut taken = BTreeSet::new();
        let mut target = |member: &Subscriber| member.owned.iter().copied().filter(|partition| taken.insert(*partition)).collect();
        let targets: Vec<Vec<TopicPartition>> = self.members.iter().map(&mut target).collect();
        let members: Vec<MemberSpec<'_>> = self.members.iter().zip(&targets).map(|(member, target)| member.for_server(target)).collect();
        assignor.assign(Switches::of(release), &partitions, &members)
    }
}

impl Subscriber {
    /// Each assignor reads what is owned elsewhere.
    fn for_client(&self, assignor: Assignor) -> Member<'_> {
        let plain = Member { id: &self.id, instance: self.instance.as_deref(), topics: &self.topics, ..Member::default() };
        match assignor {
            Assignor::Range | Assignor::RoundRobin => plain,
            Assignor::Sticky => Member {
                generation: self.subscription_generation,
                user_data: Some(Claim { partitions: &self.owned, generation: self.generation }),
                ..plain
            },
            Assignor::CooperativeSticky => Member { owned: &self.owned, generation: self.generation, ..plain },
        }
    }

    fn for_server<'a>(&'a self, target: &'a [TopicPartition]) -> MemberSpec<'a> {
        MemberSpec { id: &self.id, instance: self.instance.as_deref(), topics: &self.topics, target }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_found_by_its_name() {
        for strategy in Strategy::ALL {
            assert_eq!(Strategy::named(strategy.name()), Some(strategy));
            assert!(!strategy.summary().is_empty());
        }
        assert_eq!(Strategy::named("uniform"), None);
    }

    #[test]
    fn a_partition_that_two_members_claim_has_one_owner_afterwards() {
        let mut question = Question::new(vec![("t".to_owned(), 3)]).expect("a topic");
        let topic = question.number("t").expect("t is a topic");
        for id in ["a", "b"] {
            let owned = [0, 1].map(|partition| TopicPartition { topic, partition }).to_vec();
            question.add(Subscriber { id: id.to_owned(), topics: vec![topic], owned, ..Subscriber::default() }).expect("a new member");
        }
        for strategy in Strategy::ALL {
            let shares = question.answer(strategy, Release::default()).expect("it answers").concat();
            let once: BTreeSet<TopicPartition> = shares.iter().copied().collect();
            assert_eq!(once.len(), shares.len(), "{}", strategy.name());
            assert!(strategy == Strategy::Client(Assignor::CooperativeSticky) || once.len() == 3, "{}", strategy.name());
        }
    }
}
