//! Slow-downs: they follow upon each other and outlive processes, and some of them are over before anybody was there to be slow.

use crate::sim::Simulation;
use crate::sim::fault::Due;
use crate::trace::TraceEvent;
use crate::units::{ClientId, Span};

/// Thousandths of the normal processing time.
const NORMAL: u64 = 1000;

/// How slow a client is; it outlives the process.
#[derive(Default)]
pub struct Speed {
    now: Slowness,
    /// Counts slow-downs, so that the end of an older one changes nothing.
    slowdowns: u32,
    unfelt: Option<Unfelt>,
}

#[derive(Copy, Clone)]
struct Slowness {
    /// Thousandths of the normal processing time.
    factor: u64,
    /// The slow-down that it comes from.
    from: u32,
}

/// The latest slow-down, as long as no process was faster or slower for it.
struct Unfelt {
    entry: usize,
    /// How slow the client would be without it, and without those before it that were not felt either.
    without: [Slowness; 2],
}

impl Default for Slowness {
    fn default() -> Self {
        Slowness { factor: NORMAL, from: 0 }
    }
}

impl Slowness {
    fn end(&mut self, slowdown: u32) {
        if self.from == slowdown {
            self.factor = NORMAL;
        }
    }
}

impl Speed {
    pub fn factor(&self) -> u64 {
        self.now.factor
    }
}

impl Simulation<'_> {
    /// False: nobody is there to be slow, so far.
    pub(super) fn slow(&mut self, entry: usize, client: ClientId, factor: u64, lasts: Option<Span>) -> bool {
        let slot = &mut self.clients[client.index()];
        let Speed { now, slowdowns, unfelt } = &mut slot.speed;
        let without_any = unfelt.take().map_or(*now, |before| before.without[1]);
        if slot.consumer.is_none() {
            *unfelt = Some(Unfelt { entry, without: [*now, without_any] });
        }
        *slowdowns += 1;
        *now = Slowness { factor, from: *slowdowns };
        let (slowdown, is_felt) = (*slowdowns, unfelt.is_none());
        self.emit(TraceEvent::ClientSlowed { client, factor });
        self.hand_on_slowness(client);
        if let Some(lasts) = lasts {
            self.schedule_fault(self.now + lasts, Due::SpeedUp(client, slowdown));
        }
        is_felt
    }

    /// The end of a slow-down, unless another one has taken its place.
    pub(super) fn restore_speed(&mut self, client: ClientId, slowdown: u32) {
        let Speed { now, unfelt, .. } = &mut self.clients[client.index()].speed;
        let changes = now.from == slowdown && now.factor != NORMAL;
        now.end(slowdown);
        unfelt.iter_mut().flat_map(|unfelt| &mut unfelt.without).for_each(|without| without.end(slowdown));
        self.feel_speed(client);
        if changes {
            self.emit(TraceEvent::ClientSpeedRestored { client });
            self.hand_on_slowness(client);
        }
    }

    /// The last slow-down ends, and so would all others.
    pub(super) fn end_slowness(&mut self, client: ClientId) {
        let speed = &mut self.clients[client.index()].speed;
        speed.unfelt = None;
        let slowdown = speed.now.from;
        self.restore_speed(client, slowdown);
    }

    /// What befell the client while it was down did something, if its process is faster or slower for it.
    pub(in crate::sim) fn feel_speed(&mut self, client: ClientId) {
        let slot = &mut self.clients[client.index()];
        let now = slot.speed.now.factor;
        let is_felt = |unfelt: &mut Unfelt| unfelt.without.iter().any(|without| without.factor != now);
        if slot.consumer.is_some()
            && let Some(Unfelt { entry, .. }) = slot.speed.unfelt.take_if(is_felt)
        {
            self.idle.retain(|idle| *idle != entry);
        }
    }

    fn hand_on_slowness(&mut self, client: ClientId) {
        let slot = &mut self.clients[client.index()];
        let slowness = slot.speed.factor();
        let frozen_since = slot.frozen.as_ref().map(|frozen| frozen.since);
        if let Some(consumer) = &mut slot.consumer {
            consumer.set_slowness(frozen_since.unwrap_or(self.now), slowness, &mut self.consumer_fx);
            self.after_client(client);
        }
    }
}
