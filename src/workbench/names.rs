//! Names in scripts and the ids that stand for them.
//!
//! Ids that the coordinator gives out are called `m1`, `m2`, … in that order. A script may also use an id that the coordinator never gave
//! out; such a name is taken from then on, and the coordinator's next id gets the next free one.
//!
//! The coordinator goes by the order of ids: topics by creation, instances and members that give themselves an id by their names, and then
//! the ids that it gave out, in that order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::units::{ClientId, InstanceId, MemberId, TopicId, TopicPartition};
use crate::workbench::operation::Operation;
use crate::workbench::script::Script;

/// The owner of all ids that the coordinator did not give out.
const NOBODY: ClientId = ClientId(0);
/// The owner of all others, whichever client asked: so they sort as they were given.
const ANYBODY: ClientId = ClientId(1);

#[derive(Default)]
pub struct Names {
    topics: Table,
    former_topics: BTreeMap<TopicId, TopicId>,
    instances: Table,
    members: BTreeMap<Arc<str>, MemberId>,
    member_names: BTreeMap<MemberId, Arc<str>>,
    foreign: u32,
    given: u32,
}

impl Names {
    /// The names of a script that it gives ids to beforehand.
    pub fn of_script(script: &Script) -> Self {
        let mut names = Names::default();
        for (topic, _) in &script.topics {
            names.topic(topic);
        }
        let (mut instances, mut members) = (BTreeSet::new(), BTreeSet::new());
        for step in &script.steps {
            match &step.operation {
                Operation::TopicCreate(topic) => {
                    names.topic(&topic.topic);
                }
                Operation::Request(request) => request.body.tell_names(&mut instances, &mut members),
                Operation::Advance(_)
                | Operation::TransactionMarker(_)
                | Operation::TopicGrow(_)
                | Operation::TopicDelete(_)
                | Operation::CoordinatorFailover => {}
            }
        }
        for instance in instances {
            names.instance(instance);
        }
        for member in members.into_iter().filter(|name| !is_given_name(name)) {
            names.member(Some(member));
        }
        names
    }

    pub fn topic(&mut self, name: &str) -> TopicId {
        TopicId(self.topics.id(name))
    }

    pub fn client(&self) -> ClientId {
        ANYBODY
    }

    /// A topic was deleted and created again: what is left of the first one goes under another number.
    pub fn former_topic(&mut self, number: TopicId, topic: TopicId) {
        self.former_topics.insert(number, topic);
    }

    pub fn instance(&mut self, name: &str) -> InstanceId {
        InstanceId(self.instances.id(name))
    }

    /// The empty member id is none.
    pub fn member(&mut self, name: Option<&str>) -> Option<MemberId> {
        let name = name.filter(|name| !name.is_empty())?;
        if let Some(known) = self.members.get(name) {
            return Some(*known);
        }
        self.foreign += 1;
        let id = MemberId { client: NOBODY, number: self.foreign };
        self.name_member(id, name.into());
        Some(id)
    }

    /// Names an id that the coordinator gives out.
    pub fn learn(&mut self, id: MemberId) {
        while !self.member_names.contains_key(&id) {
            self.given += 1;
            let name: Arc<str> = format!("m{}", self.given).into();
            if !self.members.contains_key(&name) {
                self.name_member(id, name);
            }
        }
    }

    pub fn of_topic(&self, id: TopicId) -> &str {
        self.topics.name(self.former_topics.get(&id).unwrap_or(&id).0)
    }

    pub fn of_instance(&self, id: InstanceId) -> &str {
        self.instances.name(id.0)
    }

    pub fn of_member(&self, id: MemberId) -> &str {
        self.member_names.get(&id).expect("every id is named before it is shown")
    }

    /// `topic/partition`.
    pub fn of_partition(&self, at: TopicPartition) -> String {
        format!("{}/{}", self.of_topic(at.topic), at.partition)
    }

    fn name_member(&mut self, id: MemberId, name: Arc<str>) {
        self.members.insert(name.clone(), id);
        self.member_names.insert(id, name);
    }
}

/// Such as the coordinator's ids are called by.
fn is_given_name(name: &str) -> bool {
    name.strip_prefix('m').is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Names as dense numbers.
#[derive(Default)]
struct Table {
    names: Vec<Arc<str>>,
    ids: BTreeMap<Arc<str>, u32>,
}

impl Table {
    fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).expect("a line has fewer names than that");
        let name: Arc<str> = name.into();
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    fn name(&self, id: u32) -> &str {
        &self.names[id as usize]
    }
}
