//! What a producer sends when, as far as it is known beforehand.

use crate::scenario::{self, Scenario, Topic, Verb};
use crate::units::{Instant, Rate};

/// The producer's own steps and those of the timeline, then nothing from the end of the run phase on.
pub fn rate_plan(scenario: &Scenario, producer: &scenario::Producer) -> Vec<(Instant, Rate)> {
    let id = scenario.producers.iter().position(|other| other.name == producer.name).expect("the producer is one of the scenario's");
    let end = Instant::ZERO + scenario.duration;
    let mut plan: Vec<(Instant, Rate)> = producer.steps.iter().map(|step| (step.at, step.rate)).collect();
    for entry in &scenario.timeline {
        if let Verb::Rate { producer: whose, rate } = &entry.verb
            && (whose.index() == id || producer.continues == Some(*whose))
        {
            plan.push((entry.at, *rate));
        }
    }
    plan.sort_by_key(|(at, _)| *at);
    // Of several changes at one instant the last one holds.
    plan.reverse();
    plan.dedup_by_key(|(at, _)| *at);
    plan.reverse();
    plan.retain(|(at, _)| *at < end);
    let topic = &scenario.topics[producer.topic.index()];
    let mut plan = while_it_exists(plan, topic);
    if plan.last().is_none_or(|(at, _)| *at < end) {
        plan.push((end, Rate::ZERO));
    }
    plan
}

/// send() hands nothing over while the topic does not exist.
fn while_it_exists(plan: Vec<(Instant, Rate)>, topic: &Topic) -> Vec<(Instant, Rate)> {
    let (created, deleted) = (topic.created.unwrap_or(Instant::ZERO), topic.deleted.unwrap_or(Instant::NEVER));
    if created == Instant::ZERO && deleted == Instant::NEVER {
        return plan;
    }
    let at_creation = plan.iter().rev().find(|(at, _)| *at <= created).map_or(Rate::ZERO, |(_, rate)| *rate);
    let mut lasting = vec![(Instant::ZERO, if created == Instant::ZERO { at_creation } else { Rate::ZERO })];
    if created > Instant::ZERO {
        lasting.push((created, at_creation));
    }
    lasting.extend(plan.into_iter().filter(|(at, _)| *at > created && *at < deleted));
    if deleted < Instant::NEVER {
        lasting.push((deleted, Rate::ZERO));
    }
    lasting
}
