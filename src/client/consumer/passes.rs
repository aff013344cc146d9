//! The passes of a real KIP-848 client's application thread through its poll loop (AsyncKafkaConsumer#poll, #pollForFetches,
//! #maximumTimeToWait).
//!
//! A thread that is blocked in poll() is not woken for its part in the membership: it takes one step, if there is one, when a pass begins. A
//! pass ends with records, with the poll timeout, or by itself. Without passes it takes its steps at once. How long they are was measured on
//! 4.1.0 and 4.3.1; for the other releases it is inferred from the code.
//!
//! Not modelled: what else ends a pass early, an empty Fetch answer (4.2 to 4.4), the auto-commit timer and the rest of the heartbeat interval:
//! with a poll timeout above 100 ms a step may come up to a pass earlier in Kafka. And the idle hole of 4.0 to 4.3, in which a long poll() has
//! no Fetch outstanding: there records of an idle partition may come up to a heartbeat interval later.

use super::Consumer;
use crate::client::release::IdlePass;
use crate::units::{Instant, Span};

impl Consumer {
    /// A pass begins with a call of poll().
    pub(super) fn begin_pass(&mut self, now: Instant) {
        if self.speaks_consumer_protocol() {
            let own = self.own_mut();
            (own.pass_started, own.stepped, own.sees_from) = (now, false, now);
        }
    }

    /// The application took a step; the next one needs another pass.
    pub(super) fn step_taken(&mut self, now: Instant) {
        let own = self.own_mut();
        (own.pass_started, own.stepped) = (now, true);
    }

    pub(super) fn may_step(&self, now: Instant) -> bool {
        !self.config.passes || self.pass_ends(now) <= now
    }

    /// The network thread is about to replace the assignment. A thread that is in the middle of a pass sees it when that ends.
    pub(super) fn hide_assignment(&mut self, now: Instant) {
        if !self.may_step(now) && self.own().pass_started < now {
            self.own_mut().sees_from = self.pass_ends(now);
        }
    }

    /// When poll() looks after missing positions again.
    pub(super) fn next_look_at_positions(&self, now: Instant) -> Instant {
        let soon = now + self.short_wait();
        if self.speaks_consumer_protocol() && self.own().sees_from > now { self.own().sees_from } else { soon }
    }

    /// Whether the application's thread knows what it is assigned.
    pub(super) fn sees_assignment(&self, now: Instant) -> bool {
        self.own().sees_from <= now
    }

    /// When the pass ends in which the thread is, if no records come; at this moment, if another begins.
    pub(super) fn pass_ends(&self, now: Instant) -> Instant {
        let pass = self.pass_length().as_nanos();
        if pass == 0 {
            return now;
        }
        let own = self.own();
        let passes = now.since(own.pass_started).as_nanos().div_ceil(pass).max(u64::from(own.stepped));
        own.pass_started + Span::from_nanos(pass).times(passes)
    }

    fn pass_length(&self) -> Span {
        let lacks_positions = !self.fetcher.has_all_positions();
        let is_short = match self.config.switches.idle_pass {
            IdlePass::Long => lacks_positions,
            IdlePass::ShortWithoutPartitions => lacks_positions || self.fetcher.owned().is_empty(),
            IdlePass::Short => true,
        };
        let longest = if is_short { self.short_wait() } else { self.own().heartbeat_interval };
        self.config.poll_timeout.min(longest)
    }
}
