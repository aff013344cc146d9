//! `groupsim assign`: which member gets which partitions, without a simulation.

use std::io;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{ExitCode, Failure, input, print};
use crate::assignment::{Question, Strategy, Subscriber, batch};
use crate::error::did_you_mean;
use crate::release::Release;
use crate::units::{TopicId, TopicPartition};

mod table;

#[derive(clap::Args)]
#[command(
    override_usage = "groupsim assign --topics <TOPIC=PARTITIONS,…> --members <MEMBER,…> [OPTIONS]\n       groupsim assign --batch <FILE|->"
)]
pub struct Args {
    /// The topics, in the order in which they were created, with their numbers of partitions
    #[arg(long, value_name = "TOPIC=PARTITIONS", value_delimiter = ',', value_parser = topic, required_unless_present = "batch")]
    topics: Vec<(String, u32)>,
    /// The members, in the order in which they came
    #[arg(long, value_name = "MEMBER", value_delimiter = ',', value_parser = member, required_unless_present = "batch")]
    members: Vec<String>,
    /// A member is subscribed to these topics only; without it, to all [example: B=orders,payments]
    #[arg(long, value_name = "MEMBER=TOPIC", value_delimiter = ',')]
    subscribed: Vec<String>,
    /// What a member has so far; on the broker, its previous target [example: A=orders-0..2,payments-1,B=orders-3]
    #[arg(long, value_name = "MEMBER=PARTITION", value_delimiter = ',')]
    owned: Vec<String>,
    /// One assignor only; without it, all of them side by side
    #[arg(long, value_name = "NAME", value_parser = strategy())]
    assignor: Option<Strategy>,
    /// The release of the broker, where that matters
    #[arg(long, value_name = "RELEASE", value_parser = release)]
    kafka: Option<Release>,
    /// Answer questions in JSON Lines instead, one a line; - is the standard input
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["topics", "members", "subscribed", "owned", "assignor"])]
    batch: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let release = args.kafka.unwrap_or_default();
    if let Some(file) = &args.batch {
        let questions = input::bytes(file)?;
        let unreadable = batch::answer(&questions, release, io::BufWriter::new(io::stdout().lock()))
            .map_err(|error| Failure::Output("to stdout".to_owned(), error))?;
        return Ok(if unreadable == 0 { ExitCode::Fine } else { ExitCode::BadInput });
    }
    let question = question(args).map_err(Failure::Usage)?;
    let page = match args.assignor {
        Some(strategy) if !strategy.exists_in(release) => {
            let there = Strategy::ALL.into_iter().filter(|strategy| strategy.exists_in(release)).map(Strategy::name).collect::<Vec<_>>();
            let message = format!("{}: the brokers of Kafka {} do not assign, those of 4.0 and later do", strategy.name(), release.name());
            return Err(Failure::Usage(format!("{message}; there are {}", there.join(", "))));
        }
        Some(strategy) => table::of_one(&question, strategy, release),
        None => table::of_all(&question, release),
    };
    print(&page.coloured())?;
    Ok(ExitCode::Fine)
}

fn question(args: &Args) -> Result<Question, String> {
    /// Any number does: they are all of one generation.
    const GENERATION: i32 = 1;
    let mut question = Question::new(args.topics.clone()).map_err(|error| error.to_string())?;
    let every: Vec<TopicId> = question.topics().map(|(topic, _)| topic).collect();
    let subscribed = by_member("--subscribed", &args.subscribed, &args.members)?;
    let owned = by_member("--owned", &args.owned, &args.members)?;
    for (place, id) in args.members.iter().enumerate() {
        let topics = subscribed[place].iter().map(|name| find_topic(&args.topics, name)).collect::<Result<Vec<_>, _>>()?;
        let mut had = Vec::new();
        for text in &owned[place] {
            partitions(&args.topics, text, &mut had)?;
        }
        let generation = (!had.is_empty()).then_some(GENERATION);
        let topics = if topics.is_empty() { every.clone() } else { topics };
        let member = Subscriber { id: id.clone(), instance: None, topics, owned: had, generation, subscription_generation: generation };
        question.add(member).map_err(|error| error.to_string())?;
    }
    Ok(question)
}

/// `A=x`, `y`, `B=z`: x and y for A, z for B.
fn by_member<'a>(option: &str, texts: &'a [String], members: &[String]) -> Result<Vec<Vec<&'a str>>, String> {
    let mut of_members = vec![Vec::new(); members.len()];
    let mut current = None;
    for text in texts {
        let what = match text.split_once('=') {
            Some((name, what)) => {
                let place = members.iter().position(|member| member == name);
                current = Some(place.ok_or_else(|| unknown("member", name, members.iter().map(String::as_str)))?);
                what
            }
            None => text,
        };
        let place = current.ok_or_else(|| format!("{option} {text}: whose? Write MEMBER={text}"))?;
        of_members[place].push(what);
    }
    Ok(of_members)
}

/// `orders-3`, or `orders-0..2` for three of them.
fn partitions(topics: &[(String, u32)], text: &str, into: &mut Vec<TopicPartition>) -> Result<(), String> {
    let odd = || format!("`{text}` is not a partition, such as orders-3, or several, such as orders-0..2");
    let (name, numbers) = text.rsplit_once('-').ok_or_else(odd)?;
    let topic = find_topic(topics, name)?;
    let (first, last) = numbers.split_once("..").unwrap_or((numbers, numbers));
    let number = |text: &str| text.parse::<u32>().map_err(|_| odd());
    let (first, last) = (number(first)?, number(last)?);
    let count = topics[topic.index()].1;
    if first > last {
        return Err(odd());
    }
    if last >= count {
        return Err(format!("`{text}`: the topic `{name}` has the partitions 0 to {}", count - 1));
    }
    into.extend((first..=last).map(|partition| TopicPartition { topic, partition }));
    Ok(())
}

fn find_topic(topics: &[(String, u32)], name: &str) -> Result<TopicId, String> {
    let place = topics.iter().position(|(topic, _)| topic == name);
    place.map(|place| TopicId(place as u32)).ok_or_else(|| unknown("topic", name, topics.iter().map(|(name, _)| name.as_str())))
}

fn unknown<'a>(kind: &str, name: &str, there: impl Iterator<Item = &'a str> + Clone) -> String {
    let hint = did_you_mean(name, there).map_or_else(String::new, |hint| format!(": {hint}"));
    format!("there is no {kind} `{name}`{hint}")
}

fn topic(text: &str) -> Result<(String, u32), String> {
    let odd = || "write TOPIC=PARTITIONS, such as orders=6".to_owned();
    let (name, partitions) = text.split_once('=').ok_or_else(odd)?;
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    if name.is_empty() || !name.chars().all(legal) {
        return Err("a topic has a name of the letters a-z, A-Z, 0-9, `.`, `_` and `-`".to_owned());
    }
    let number = partitions.parse::<u32>();
    let partitions = number.map_err(|_| format!("`{partitions}` is not a number of partitions: {}", odd()))?;
    if partitions == 0 { Err("a topic has at least one partition".to_owned()) } else { Ok((name.to_owned(), partitions)) }
}

fn member(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(|letter: char| letter.is_control() || letter == '=') {
        return Err("a member has a name, without `=` and control characters".to_owned());
    }
    Ok(text.to_owned())
}

fn strategy() -> impl TypedValueParser<Value = Strategy> {
    let named = |name: String| Strategy::named(&name).expect("only these names are possible");
    PossibleValuesParser::new(Strategy::ALL.map(Strategy::name)).map(named)
}

fn release(text: &str) -> Result<Release, String> {
    Release::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Release::ALL.into_iter().map(Release::name).collect();
        format!("the releases are {}, or a line such as 4.3", known.join(", "))
    })
}
