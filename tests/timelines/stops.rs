//! Processes that are told to stop: what becomes of what they have in hand, of those that are killed while they close, and of their next life.

use crate::story::play;
use crate::{TWO_MEMBERS, two_members, with_two_slow_records};

#[test]
fn the_next_life_waits_until_the_one_before_has_closed() {
    let scenario = with_two_slow_records(&TWO_MEMBERS.replace(", M3: {start: 25s}", ""));
    let story = play(&format!(
        "{scenario}
        duration: 40s
        timeline:
          - {{at: 19500ms, stop: g/M1}}
          - {{at: 19600ms, start: g/M1}}
          - {{at: 19500ms, stop: g/M2}}
          - {{at: 19600ms, start: g/M2}}
        "
    ));
    for member in ["M1", "M2"] {
        let ([stopped], [_, started]) = (&story.times(member, "stopped")[..], &story.times(member, "started")[..]) else {
            panic!("{member} stops once and starts twice")
        };
        assert!(*started >= 19_600_000_000 && started >= stopped, "{member} stopped at {stopped} and started at {started}");
    }
    // One of the two has both records in hand until 21000.
    let last = ["M1", "M2"].into_iter().flat_map(|member| story.times(member, "stopped")).max();
    assert!(last >= Some(21_000_000_000), "{last:?}");
}

#[test]
fn a_member_that_is_killed_while_it_closes_leaves_nothing_but_its_session() {
    // LeaveGroup would go out at 20002, with the answer to the last commit; that renews the session at 20001.
    let story = two_members(
        "
        duration: 80s
        timeline:
          - {at: 20s, stop: g/M2}
          - {at: 20001ms, crash: g/M2}
        ",
    );
    story.shows(&[(20_000, "M2", "told to stop"), (20_001, "M2", "crashed"), (65_001, "g", "M2 removed, session expired")]);
    assert!(story.times("M2", "stopped").is_empty());
}
