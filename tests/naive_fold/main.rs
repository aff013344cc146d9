//! The folds over ranges against folds over single records, on random traces.
//!
//! The traces are not simulated: clients take partitions, poll, die, are kicked, commit and jump about as chance has it, so there are far more
//! zombies, rewinds and overtakings than in any run. They keep to what a trace promises: facts in the order of time, a batch told when it
//! ends, appends told before somebody reads them.

use groupsim::fold::Folding;
use groupsim::ledger::Ledger;
use groupsim::metrics::Metrics;
use groupsim::trace::{Cast, Sink};
use groupsim::units::{GroupId, Span, TopicId};
use proptest::prelude::*;

mod naive;
mod play;

use naive::Naive;
use play::{Play, moves};

const PARTITIONS: usize = 2;
/// Three clients of each of two groups.
const CLIENTS: usize = 6;
const INTERVAL: u64 = 50;

fn cast() -> Cast {
    Cast {
        first_partition: vec![0],
        partitions: vec![(PARTITIONS as u32, PARTITIONS as u32)],
        producer_topic: vec![TopicId(0)],
        client_group: (0..CLIENTS).map(|client| GroupId(client as u32 / 3)).collect(),
        group_topics: vec![vec![TopicId(0)]; 2],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn ranges_tell_what_single_records_tell(moves in moves(), drained in any::<bool>(), in_hand in any::<bool>()) {
        let mut play = Play::default();
        play.wait(300);
        moves.into_iter().for_each(|step| play.play(step));
        let run = Span::from_nanos(play.now);
        let trace = play.end(drained, in_hand);
        let metrics = Metrics::new(&cast(), Span::from_nanos(INTERVAL), run);
        let mut folding = Folding::new(&cast(), (Ledger::new(&cast()), metrics));
        trace.iter().for_each(|(at, event)| folding.record(*at, event));
        let ((ledger, metrics), known) = folding.finish();
        let naive = Naive::fold(&trace);
        for (group, account) in ledger.accounts(&known).iter().enumerate() {
            naive.check_account(group, account);
        }
        naive.check_measurements(&metrics.measurements(&known));
    }
}
