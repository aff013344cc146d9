//! How a run ended: said by the loop that ran it, judged by the report.

use crate::units::Instant;

/// Why virtual time stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The run phase is over and the scenario has no settle phase (`settle: 0s`): everything is judged as it stands.
    Finished,
    /// In the settle phase everything was processed and committed.
    Drained,
    /// The settle phase reached its bound with work left.
    SettleBound,
    /// The run cannot go on: time does not move, or there is no end of events. It stopped at that moment, in whichever phase.
    Stuck { at: Instant, why: String },
}
