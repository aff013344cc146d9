//! Single parts that have a goal of their own: random times, lines of the trace, assignors.

use std::hint::black_box;
use std::time::Instant as Clock;

use groupsim::assignment::{Question, Strategy, Subscriber};
use groupsim::release::Release;
use groupsim::scenario::Distribution;
use groupsim::sim::rng::Draws;
use groupsim::sim::rng::sampler::Sampler;
use groupsim::terms::{CommitKind, ErrorCode};
use groupsim::trace::json::JsonLines;
use groupsim::trace::names::Names;
use groupsim::trace::times::{Created, Finished};
use groupsim::trace::{Sink, TraceEvent};
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

/// 1,000 members share 10,000 partitions of 100 topics: for the first time, when a tenth of the members is new, and when two kinds of members
/// are subscribed to different topics.
fn assignors() {
    let names: Vec<String> = (0..100).map(|n| format!("topic-{n}")).collect();
    let every: Vec<TopicId> = (0..100).map(TopicId).collect();
    let members = |kinds: usize| -> Vec<Subscriber> {
        let topics = |place: usize| every.iter().copied().skip(place % kinds * 20).collect();
        (0..1000).map(|place| Subscriber { id: format!("member-{place}"), topics: topics(place), ..Subscriber::default() }).collect()
    };
    for strategy in Strategy::ALL {
        let ask = |members: Vec<Subscriber>| question(&names, members);
        let first = ask(members(1));
        let mut grown = members(1);
        let shares = first.answer(strategy, Release::default()).expect("there are members");
        for (member, share) in grown.iter_mut().zip(shares).skip(100) {
            (member.owned, member.generation, member.subscription_generation) = (share, Some(1), Some(1));
        }
        let millis = [first, ask(grown), ask(members(2))]
            .map(|question| per_item(5, |_| drop(black_box(question.answer(strategy, Release::default())))) / 1e6);
        let [first, grown, mixed] = millis;
        println!(
            "{}, 1,000 members x 10 partitions: {first:.2} ms, a tenth of them new {grown:.2} ms, two kinds {mixed:.2} ms",
            strategy.name()
        );
    }
}

fn question(names: &[String], members: Vec<Subscriber>) -> Question {
    let mut question = Question::new(names.iter().map(|name| (name.clone(), 100)).collect()).expect("within the limits");
    members.into_iter().for_each(|member| question.add(member).expect("every member is another"));
    question
}

/// The best of five, in nanoseconds.
pub fn per_item(items: u64, mut item: impl FnMut(u64)) -> f64 {
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
