//! Subscriptions by regular expression, which the coordinator resolves (subscribedTopicRegex, KIP-848).
//!
//! A heartbeat that finds something to resolve has it done beside the event loop; the outcome is a write of its own, which bumps the group
//! epoch if a pattern matches other topics than before. So who brings a pattern first gets nothing in the answer, and the target follows at
//! the next heartbeat of any member. Origin: GroupMetadataManager#maybeUpdateRegularExpressions, #refreshRegularExpressions,
//! #handleRegularExpressionsResult.
//!
//! Not modelled: the time that it takes beside the event loop (it is done with the heartbeat's own event); a member that names topics and
//! brings a pattern at once; INVALID_REGULAR_EXPRESSION, since a scenario with a bad pattern is refused when it is read.

use std::collections::{BTreeMap, BTreeSet};

use crate::kafka::coordinator::shard::Turn;
use crate::kafka::coordinator::writes::Deferred;
use crate::kafka::group::consumer::ConsumerGroup;
use crate::terms::EpochReason;
use crate::units::{Instant, MemberId, PatternId, Span, TopicId};

/// No group is resolved more often.
const LEAST_INTERVAL: Span = Span::from_secs(10);

/// What the patterns of a group match, as far as that is known.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    topics: BTreeMap<PatternId, BTreeSet<TopicId>>,
    /// Somebody has subscribed with one.
    are_used: bool,
    /// All of them at once, the last time.
    at: Option<Instant>,
    /// How many topics had been created by then.
    creations: u64,
}

impl ConsumerGroup {
    /// A member subscribes with this pattern: to what it is known to match. True if that is known.
    pub(super) fn subscribed_by(&mut self, pattern: PatternId) -> (BTreeSet<TopicId>, bool) {
        self.patterns.are_used = true;
        let known = self.patterns.topics.get(&pattern);
        (known.cloned().unwrap_or_default(), known.is_some())
    }

    /// Nobody subscribes with it any more.
    pub(super) fn forget_unused_patterns(&mut self) {
        if self.patterns.topics.is_empty() {
            return;
        }
        let used = self.used_patterns();
        self.patterns.topics.retain(|pattern, _| used.contains(pattern));
        if self.patterns.topics.is_empty() {
            self.patterns.at = None;
        }
    }

    /// A heartbeat was handled: patterns are resolved if there is a reason to, and not too soon after the last time.
    pub(super) fn maybe_resolve_patterns(&mut self, heartbeat_of: MemberId, turn: &mut Turn<'_>) {
        if !self.patterns.are_used {
            return;
        }
        let used = self.used_patterns();
        if used.is_empty() || self.patterns.at.is_some_and(|at| turn.now <= at + LEAST_INTERVAL) {
            return;
        }
        let config = turn.config();
        let is_old =
            |at: Instant| config.switches.consumer.patterns_are_refreshed && turn.now > at + config.consumer.regex_refresh_interval;
        let is_due = used.len() != self.patterns.topics.len()
            || self.patterns.creations < turn.shard.topics.creations()
            || self.patterns.at.is_some_and(is_old);
        if is_due {
            self.resolve_patterns(used, heartbeat_of, turn);
        }
    }

    fn resolve_patterns(&mut self, used: BTreeSet<PatternId>, heartbeat_of: MemberId, turn: &mut Turn<'_>) {
        let topics = &turn.shard.topics;
        let matched = |pattern: &PatternId| topics.matched_by(*pattern).filter(|topic| topics.get(*topic).is_some()).collect();
        let resolved: BTreeMap<PatternId, BTreeSet<TopicId>> = used.iter().map(|pattern| (*pattern, matched(pattern))).collect();
        let nothing = BTreeSet::new();
        let has_changed = resolved.iter().any(|(pattern, topics)| self.patterns.topics.get(pattern).unwrap_or(&nothing) != topics);
        for member in self.members.values_mut() {
            if let Some(pattern) = member.pattern {
                member.topics.clone_from(&resolved[&pattern]);
            }
        }
        self.patterns = Resolved { topics: resolved, are_used: true, at: Some(turn.now), creations: topics.creations() };
        if has_changed {
            self.refresh_due = true;
            self.maybe_bump(Some(EpochReason::PatternResolved), heartbeat_of, turn);
        }
        turn.write(Deferred::Nothing);
    }

    fn used_patterns(&self) -> BTreeSet<PatternId> {
        self.members.values().filter_map(|member| member.pattern).collect()
    }
}
