//! The states of a classic group and the legal moves between them (ClassicGroupState).

use crate::kafka::coordinator::shard::Turn;
use crate::kafka::group::classic::ClassicGroup;
use crate::terms::GroupState;
use crate::trace::TraceEvent;
use crate::units::Instant;

/// From where a state may be entered.
pub const fn legal_origins(to: GroupState) -> &'static [GroupState] {
    use GroupState::{CompletingRebalance, Dead, Empty, PreparingRebalance, Stable};
    match to {
        Empty => &[PreparingRebalance],
        PreparingRebalance => &[Empty, CompletingRebalance, Stable],
        CompletingRebalance => &[PreparingRebalance],
        Stable => &[CompletingRebalance],
        Dead => &[Empty, PreparingRebalance, CompletingRebalance, Stable, Dead],
    }
}

impl ClassicGroup {
    pub fn state(&self) -> GroupState {
        self.state
    }

    /// When the state was entered.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The only place where the state changes.
    pub(super) fn transition(&mut self, to: GroupState, turn: &mut Turn<'_>) {
        let from = self.state;
        assert!(legal_origins(to).contains(&from), "a classic group does not go from {from:?} to {to:?}");
        self.previous_state = from;
        self.state = to;
        self.since = turn.now;
        turn.emit(TraceEvent::GroupStateChanged { group: self.id, from, to, generation: self.generation });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_legal_transitions() {
        let states =
            [GroupState::Empty, GroupState::PreparingRebalance, GroupState::CompletingRebalance, GroupState::Stable, GroupState::Dead];
        let row = |from: GroupState| {
            let to: Vec<String> = states.into_iter().filter(|to| legal_origins(*to).contains(&from)).map(|to| format!("{to:?}")).collect();
            format!("{from:?} -> {}\n", to.join(", "))
        };
        insta::assert_snapshot!(states.into_iter().map(row).collect::<String>(), @r"
        Empty -> PreparingRebalance, Dead
        PreparingRebalance -> Empty, CompletingRebalance, Dead
        CompletingRebalance -> PreparingRebalance, Stable, Dead
        Stable -> PreparingRebalance, Dead
        Dead -> Dead
        ");
    }
}
