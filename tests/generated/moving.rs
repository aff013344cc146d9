//! Subscriptions that differ and change, and topics that come and go: draws of their own, so that other scenarios stay what they are.

use crate::dice::Dice;

pub struct Moving {
    dice: Dice,
    /// By topic: partitions as declared, and whether it exists; `None`: the timeline has not touched it.
    topics: Vec<(u64, Option<bool>)>,
}

impl Moving {
    pub fn new(seed: u64) -> Self {
        Moving { dice: Dice::new(seed ^ 0x5ab5), topics: Vec::new() }
    }

    pub fn declare(&mut self, topics: &[u64]) {
        self.topics = topics.iter().map(|partitions| (*partitions, None)).collect();
    }

    /// What a group, a member or subscribe() wants.
    pub fn subscription(&mut self) -> String {
        match self.dice.between(0, 5) {
            0 => "{pattern: \"t.*\"}".to_owned(),
            1 => format!("{{pattern: \"t[0-{}]\", evaluated.by: client}}", self.dice.between(0, 2)),
            _ => {
                let all = 0..self.topics.len() as u64;
                let mut some: Vec<String> = all.filter(|_| self.dice.chance(60)).map(|topic| format!("t{topic}")).collect();
                if some.is_empty() {
                    some.push("t0".to_owned());
                }
                format!("[{}]", some.join(", "))
            }
        }
    }

    /// What a member says of topics, or nothing.
    pub fn of_member(&mut self) -> String {
        if self.dice.chance(40) { format!(", topics: {}", self.subscription()) } else { String::new() }
    }

    /// Whether a topic may grow.
    pub fn may_grow(&mut self, topic: u64) -> bool {
        let (_, exists) = &mut self.topics[topic as usize];
        *exists.get_or_insert(true)
    }

    /// An entry about topics or about what a running member wants of them, instead of another one; and the topics with their partitions.
    pub fn entry(&mut self, member: Option<&str>, topics: &mut [u64]) -> Option<String> {
        if !self.dice.chance(45) {
            return None;
        }
        if let Some(member) = member.filter(|_| self.dice.chance(50)) {
            return Some(format!("subscribe: {member}, topics: {}", self.subscription()));
        }
        let topic = self.dice.between(0, topics.len() as u64 - 1) as usize;
        let (declared, exists) = self.topics[topic];
        let creates = match exists {
            Some(exists) => !exists,
            None => self.dice.chance(50),
        };
        self.topics[topic].1 = Some(creates);
        topics[topic] = declared;
        Some(format!("{}.topic: t{topic}", if creates { "create" } else { "delete" }))
    }
}
