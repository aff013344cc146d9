//! Plays the steps of one script.
//!
//! Time moves only when a step advances it. A timer that is armed without delay fires inside the step and is not listed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::kafka::coordinator::Coordinator;
use crate::kafka::coordinator::shard::{Answer, CoordinatorEffects, Ticket};
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::message::{GroupRequest, GroupResponse, JoinAnswer};
use crate::terms::ErrorCode;
use crate::trace::TraceEvent;
use crate::units::{GroupId, Instant};
use crate::workbench::names::Names;
use crate::workbench::operation::{Advance, Body, Operation, Request, Topic, TransactionMarker, TransactionResult};
use crate::workbench::script::{Script, Step};
use crate::workbench::{answer, request, snapshot};

/// The one group of a script.
const GROUP: GroupId = GroupId(0);

/// So many timers may fire in one advance: a script that asks for more shall fail, not hang.
const TIMERS_MAX: u32 = 1_000_000;

pub struct Player {
    coordinator: Coordinator,
    names: Names,
    topics: BTreeSet<String>,
    clock: Instant,
    /// How many timers were armed when the clock came to this moment.
    armed_before: u64,
    asked: BTreeSet<u64>,
    parked: BTreeSet<u64>,
    /// Fetches of offsets that read without writing: KafkaApis turns what they throw into an answer.
    reads: BTreeSet<u64>,
    fx: CoordinatorEffects,
    state: Option<Value>,
    timers: Option<Value>,
}

/// What a step brings about.
#[derive(Default)]
struct Outcome {
    resp: Option<Value>,
    out: Vec<Value>,
}

impl Player {
    pub fn new(script: &Script) -> Self {
        let mut coordinator = Coordinator::new(script.config);
        let mut names = Names::of_script(script);
        for (topic, partitions) in &script.topics {
            coordinator.on_topic_image(names.topic(topic), *partitions);
        }
        let armed_before = coordinator.timers().arming();
        Player {
            coordinator,
            names,
            topics: script.topics.iter().map(|(topic, _)| topic.clone()).collect(),
            clock: Instant::ZERO,
            armed_before,
            asked: BTreeSet::new(),
            parked: BTreeSet::new(),
            reads: BTreeSet::new(),
            fx: CoordinatorEffects::default(),
            state: None,
            timers: None,
        }
    }

    /// Requests that were never answered.
    pub fn parked(&self) -> Vec<u64> {
        self.parked.iter().copied().collect()
    }

    pub fn step(&mut self, step: &Step) -> Result<Value, String> {
        let at = self.clock.as_millis();
        if let Some(told) = step.at.filter(|told| *told != at) {
            return Err(format!("\"at\" is {told}, but the clock shows {at}: only \"advance\" moves it"));
        }
        let mut outcome = Outcome::default();
        let mut rid = None;
        match &step.operation {
            Operation::Advance(advance) => self.advance(advance, &mut outcome)?,
            Operation::Request(request) => {
                rid = Some(self.new_rid(request.rid)?);
                self.request(request, &mut outcome);
            }
            Operation::TransactionMarker(marker) => {
                rid = Some(self.new_rid(marker.rid)?);
                self.end_transaction(marker, &mut outcome);
            }
            Operation::TopicCreate(topic) => self.create_topic(topic)?,
            Operation::TopicGrow(topic) => {
                self.known_topic(topic)?;
                self.set_topic(topic);
            }
            Operation::TopicDelete(topic) => self.delete_topic(topic, &mut outcome)?,
            Operation::CoordinatorFailover => self.fail_over(&mut outcome),
        }
        self.fire_undelayed(rid, &mut outcome)?;
        Ok(self.shown(step, at, rid, outcome))
    }

    fn advance(&mut self, advance: &Advance, outcome: &mut Outcome) -> Result<(), String> {
        let to = Instant::from_millis(advance.to);
        if to < self.clock {
            return Err(format!("do.to: {} lies in the past, the clock shows {}", advance.to, self.clock.as_millis()));
        }
        let mut fired = 0;
        while let Some((at, arming, _)) = self.coordinator.timers().next() {
            if at > to || advance.exclusive && at == to {
                break;
            }
            fired += 1;
            if fired > TIMERS_MAX {
                return Err(format!("more than {TIMERS_MAX} timers fire on the way to {}: advance less at once", advance.to));
            }
            self.move_clock(at.max(self.clock));
            self.fire(arming <= self.armed_before, None, outcome);
        }
        self.move_clock(to);
        Ok(())
    }

    fn move_clock(&mut self, to: Instant) {
        if to > self.clock {
            self.clock = to;
            self.armed_before = self.coordinator.timers().arming();
        }
    }

    /// Fires the timers that were armed at this moment for this moment.
    fn fire_undelayed(&mut self, rid: Option<u64>, outcome: &mut Outcome) -> Result<(), String> {
        for _ in 0..TIMERS_MAX {
            // Timers that an exclusive advance left for later are older, and so in front.
            let undelayed = |(at, arming, _): &(Instant, u64, CoordinatorTimer)| *at <= self.clock && *arming > self.armed_before;
            let Some((_, _, timer)) = self.coordinator.timers().iter().take_while(|(at, _, _)| *at <= self.clock).find(undelayed) else {
                return Ok(());
            };
            self.coordinator.fire(self.clock, timer, &mut self.fx);
            self.collect(rid, outcome);
        }
        Err(format!("more than {TIMERS_MAX} timers fire without a delay"))
    }

    fn fire(&mut self, listed: bool, rid: Option<u64>, outcome: &mut Outcome) {
        let Some(timer) = self.coordinator.fire_next(self.clock, &mut self.fx) else { return };
        let wrote =
            self.fx.facts.iter().any(|(_, fact)| matches!(fact, TraceEvent::OffsetExpired { .. } | TraceEvent::GroupDeleted { .. }));
        let key = match timer {
            CoordinatorTimer::ExpireOffsets => wrote.then(|| "expire-offsets".to_owned()),
            other => snapshot::key(&self.names, other),
        };
        if let Some(key) = key.filter(|_| listed) {
            outcome.out.push(json!({ "at": self.clock.as_millis(), "timer": key }));
        }
        self.collect(rid, outcome);
    }

    fn request(&mut self, request: &Request, outcome: &mut Outcome) {
        self.parked.insert(request.rid);
        let message = request::message(&mut self.names, &request.body);
        let ticket = Ticket(request.rid);
        if matches!(&request.body, Body::OffsetFetch(fetch) if !fetch.require_stable) {
            self.reads.insert(request.rid);
        }
        if let Some(error) = request.refused() {
            let mut response = message.refusal(error);
            if let (GroupRequest::Join(join), GroupResponse::Join(answer)) = (&message, &mut response) {
                answer.member = join.member;
            }
            self.fx.send(Answer { ticket, response });
            return self.collect(Some(request.rid), outcome);
        }
        self.coordinator.on_request(self.clock, ticket, GROUP, message, &mut self.fx);
        self.collect(Some(request.rid), outcome);
    }

    fn end_transaction(&mut self, marker: &TransactionMarker, outcome: &mut Outcome) {
        let commit = marker.result == TransactionResult::Commit;
        self.coordinator.on_transaction_end(self.clock, marker.producer_id, commit, &mut self.fx);
        outcome.resp = Some(json!({ "error": ErrorCode::None.name() }));
        self.collect(Some(marker.rid), outcome);
    }

    fn fail_over(&mut self, outcome: &mut Outcome) {
        self.coordinator.unload(self.clock, &mut self.fx);
        self.coordinator.start_loading();
        self.coordinator.loaded(self.clock, &mut self.fx);
        self.collect(None, outcome);
    }

    fn create_topic(&mut self, topic: &Topic) -> Result<(), String> {
        if !self.topics.insert(topic.topic.clone()) {
            return Err(format!("do.topic: {:?} exists; topic_grow adds partitions", topic.topic));
        }
        self.set_topic(topic);
        Ok(())
    }

    fn set_topic(&mut self, topic: &Topic) {
        let id = self.names.topic(&topic.topic);
        if let Some(former) = self.coordinator.on_topic_image(id, topic.partitions) {
            self.names.former_topic(former, id);
        }
    }

    fn known_topic(&self, topic: &Topic) -> Result<(), String> {
        if self.topics.contains(&topic.topic) {
            return Ok(());
        }
        let known: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        Err(format!("do.topic: there is no {:?}; there are {}", topic.topic, known.join(", ")))
    }

    fn delete_topic(&mut self, topic: &Topic, outcome: &mut Outcome) -> Result<(), String> {
        self.known_topic(topic)?;
        self.topics.remove(&topic.topic);
        let id = self.names.topic(&topic.topic);
        self.coordinator.on_topic_deleted(self.clock, id, &mut self.fx);
        self.collect(None, outcome);
        Ok(())
    }

    fn new_rid(&mut self, rid: u64) -> Result<u64, String> {
        if self.asked.insert(rid) { Ok(rid) } else { Err(format!("do.rid: {rid} was used before; every request has its own")) }
    }

    /// Takes in what the coordinator just said. The completions of one event stand in the order of their requests.
    fn collect(&mut self, rid: Option<u64>, outcome: &mut Outcome) {
        self.fx.wakes.clear();
        for (_, fact) in self.fx.facts.iter() {
            if let TraceEvent::MemberPending { member: new, .. }
            | TraceEvent::MemberAdded { member: new, .. }
            | TraceEvent::MemberReplaced { new, .. } = fact
            {
                self.names.learn(*new);
            }
        }
        self.fx.facts.clear();
        self.fx.sends.sort_by_key(|answer| answer.ticket);
        for done in self.fx.sends.drain(..) {
            let Ticket(number) = done.ticket;
            if let GroupResponse::Join(JoinAnswer { member: Some(member), .. }) = done.response {
                self.names.learn(member);
            }
            let resp = answer::shown(&self.names, &done.response, self.reads.contains(&number));
            self.parked.remove(&number);
            if rid == Some(number) {
                outcome.resp = Some(resp);
            } else {
                outcome.out.push(json!({ "at": self.clock.as_millis(), "rid": number, "resp": resp }));
            }
        }
    }

    fn shown(&mut self, step: &Step, at: u64, rid: Option<u64>, outcome: Outcome) -> Value {
        let mut shown = Map::new();
        let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
        put("n", step.number.clone());
        put("at", at.into());
        put("do", step.told.clone());
        match outcome.resp {
            Some(resp) => put("resp", resp),
            None if rid.is_some() => put("parked", true.into()),
            None => None,
        };
        if !outcome.out.is_empty() {
            put("out", outcome.out.into());
        }
        let state = snapshot::state(&self.names, &self.coordinator, GROUP);
        if self.state.as_ref() != Some(&state) {
            put("state", state.clone());
            self.state = Some(state);
        }
        let timers = snapshot::timers(&self.names, &self.coordinator);
        if self.timers.as_ref() != Some(&timers) {
            put("timers", timers.clone());
            self.timers = Some(timers);
        }
        Value::Object(shown)
    }
}
