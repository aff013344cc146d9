//! Single parts that have a goal of their own: random times, lines of the trace, assignors.

use std::hint::black_box;
use std::time::Instant as Clock;

use groupsim::kafka::assignor::{Assignor, Member, Topic};
use groupsim::scenario::Distribution;
use groupsim::sim::rng::Draws;
use groupsim::sim::rng::sampler::Sampler;
use groupsim::terms::{CommitKind, ErrorCode};
use groupsim::trace::json::JsonLines;
use groupsim::trace::names::Names;
use groupsim::trace::{Created, Finished, Sink, TraceEvent};
use groupsim::units::{ClientId, GroupId, Instant, MemberId, Offset, OffsetRange, Pace, ProducerId, Rate, Span, TopicId, TopicPartition};

pub fn report() {
    random_times();
    trace_lines();
    assignors();
}

fn random_times() {
    let draws = Draws::new(1, "processing/readers/events-0");
    let ms = Span::from_millis;
    for (name, distribution) in [
        ("uniform", Distribution::Uniform { from: ms(1), to: ms(3) }),
        ("exponential", Distribution::Exponential { mean: ms(2) }),
        ("normal", Distribution::Normal { mean: ms(2), sd: ms(1) }),
        ("lognormal", Distribution::LogNormal { p50: ms(2), p99: ms(40) }),
        ("pareto", Distribution::Pareto { scale: ms(1), shape: 1.5 }),
    ] {
        let sampler = Sampler::new(&distribution);
        let nanos = per_item(5_000_000, |offset| {
            black_box(sampler.at(draws.at(offset, 0)));
        });
        println!("random time, {name}: {nanos:.1} ns a record");
    }
}

fn trace_lines() {
    let facts = common_facts();
    let names = Names {
        groups: vec!["readers".into()],
        clients: vec![(GroupId(0), "A".into()), (GroupId(0), "B".into())],
        topics: vec!["events".into()],
        producers: vec!["p1".into()],
        instances: vec![],
    };
    for fact in &facts {
        let mut lines = JsonLines::new(&names, std::io::sink());
        let nanos = per_item(2_000_000, |i| lines.record(Instant::from_nanos(60_000_000_000 + i * 200_000), black_box(fact)));
        lines.finish().expect("a sink takes everything");
        println!("line of the trace, {}: {nanos:.1} ns", fact.name());
    }
}

fn assignors() {
    let names: Vec<String> = (0..100).map(|n| format!("topic-{n}")).collect();
    let topics: Vec<Topic<'_>> = names.iter().map(|name| Topic { name, partitions: 100 }).collect();
    let ids: Vec<String> = (0..1000).map(|n| format!("member-{n}")).collect();
    let every: Vec<TopicId> = (0..100).map(TopicId).collect();
    let members: Vec<Member<'_>> = ids.iter().map(|id| Member { id, topics: &every, ..Member::default() }).collect();
    for assignor in Assignor::ALL {
        let nanos = per_item(20, |_| drop(black_box(assignor.assign(&topics, &members))));
        println!("{}: {:.2} ms for 1,000 members and 10,000 partitions", assignor.name(), nanos / 1e6);
    }
}

/// The best of five, in nanoseconds.
fn per_item(items: u64, mut item: impl FnMut(u64)) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let begin = Clock::now();
        (0..items).for_each(&mut item);
        best = best.min(begin.elapsed().as_nanos() as f64 / items as f64);
    }
    best
}

fn common_facts() -> Vec<TraceEvent> {
    let partition = TopicPartition { topic: TopicId(0), partition: 7 };
    let client = ClientId(1);
    let member = Some(MemberId { client, number: 2 });
    let offsets = OffsetRange::new(Offset(1_234_500), Offset(1_235_000));
    let pace = Pace::new(Instant::from_millis(1), Rate { records: 1000, per: Span::from_secs(1) });
    vec![
        TraceEvent::Appended {
            producer: ProducerId(0),
            partition,
            first: Offset(1_234_567),
            per_batch: 5,
            batches: 20,
            created: Created::Even { pace, index: 765_432 },
            delay: Span::from_millis(6),
        },
        TraceEvent::Polled { client, partition, offsets },
        TraceEvent::Processed {
            client,
            member,
            generation: 3,
            partition,
            offsets,
            finished: Finished::Even { first: Instant::from_millis(59_000), each: Span::from_nanos(200_000) },
        },
        TraceEvent::Committed { group: GroupId(0), member, partition, offset: Offset(1_235_000), kind: CommitKind::Auto },
        TraceEvent::HeartbeatHandled { group: GroupId(0), member, error: ErrorCode::None },
        TraceEvent::FetchStarted { client, partition, offset: Offset(1_235_000) },
    ]
}
