//! How sinks compose: none, two, one that is borrowed, one that may be there, and one that keeps everything.

use crate::trace::{Sink, TraceEvent};
use crate::units::Instant;

impl Sink for () {
    fn record(&mut self, _at: Instant, _event: &TraceEvent) {}
}

impl<A: Sink, B: Sink> Sink for (A, B) {
    #[inline(always)]
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        self.0.record(at, event);
        self.1.record(at, event);
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    #[inline(always)]
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        (**self).record(at, event);
    }
}

impl<S: Sink> Sink for Option<S> {
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        if let Some(sink) = self {
            sink.record(at, event);
        }
    }
}

/// Keeps everything.
impl Sink for Vec<(Instant, TraceEvent)> {
    fn record(&mut self, at: Instant, event: &TraceEvent) {
        self.push((at, event.clone()));
    }
}
