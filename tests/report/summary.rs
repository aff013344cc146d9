//! summary.txt, summary.json, lag.csv and replay.json.

use groupsim::ledger::{Duplicate, DuplicateCause};
use groupsim::metrics::{WaitEnd, Waited};
use groupsim::report::{Output, Report};
use groupsim::scenario::expectation::{Bounds, Check, WhichPartition};
use groupsim::units::{ClientId, GroupId, MemberId, Offset, OffsetRange, Span};

use crate::fixture::{self, Fixture, ms, partition};

fn file(report: &Report, wanted: Output) -> String {
    let (_, bytes) = report.files(true).into_iter().find(|(output, _)| *output == wanted).expect("every run writes it");
    String::from_utf8(bytes).expect("UTF-8")
}

fn crash_with_duplicates() -> Fixture {
    let mut fixture = fixture::consumer_crash();
    fixture.expect(31, "{lost: 0}", Check::Lost { group: None, bounds: Bounds { at_least: None, at_most: Some(0) } });
    fixture.expect(
        32,
        "{rebalances: {group: billing, exactly: 3}}",
        Check::Rebalances { group: Some(GroupId(0)), bounds: Bounds { at_least: Some(3), at_most: Some(3) } },
    );
    fixture.expect(
        33,
        "{unavailable: {partition: longest, at.most: 13s}}",
        Check::Unavailable {
            group: None,
            partition: WhichPartition::Longest,
            bounds: Bounds { at_least: None, at_most: Some(Span::from_secs(13).as_nanos()) },
        },
    );
    let account = &mut fixture.run().accounts[0];
    account.duplicated = 487 + 312;
    account.extra = 487 + 312;
    account.processed_once -= 487 + 312;
    let again = |partition_number, from, to, client, at| Duplicate {
        partition: partition(0, partition_number),
        offsets: OffsetRange::new(Offset(from), Offset(to)),
        before: (ClientId(1), ms(29_990)),
        again: (ClientId(client), ms(at)),
        cause: DuplicateCause::Crashed(ms(30_000)),
    };
    account.duplicates = vec![again(2, 4203, 4690, 0, 42_026), again(3, 3811, 4123, 2, 42_031)];
    let waited = |client, lasted| Waited {
        member: MemberId { client: ClientId(client), number: 1 },
        lasted: Span::from_millis(lasted),
        how: WaitEnd::Rejoined,
    };
    fixture.run().measurements.groups[0].rebalances[1].waited_for = vec![waited(0, 1104), waited(2, 2215)];
    fixture
}

#[test]
fn the_story_of_a_crash_reads_well() {
    let mut fixture = crash_with_duplicates();
    insta::assert_snapshot!(file(&fixture.report(), Output::Summary));
}

#[test]
fn the_summary_as_data() {
    let mut fixture = crash_with_duplicates();
    insta::assert_snapshot!(file(&fixture.report(), Output::SummaryJson));
}
