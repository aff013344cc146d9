//! Names for the ids in the text of a violation: an invariant knows numbers only, and tells them the way Rust writes them.

use crate::report::names;
use crate::scenario::Scenario;
use crate::units::{ClientId, MemberId, TopicId, TopicPartition};

/// `MemberId { client: ClientId(0), number: 2 }` becomes `A#2`; what stands for nothing in the scenario stays.
pub fn with_names(scenario: &Scenario, text: &str) -> String {
    let client = |id: u64| (id < scenario.clients.len() as u64).then_some(ClientId(id as u32));
    let mut text = numbers_replaced(text, ["MemberId { client: ClientId(", "), number: ", " }"], |[id, number]| {
        Some(names::member(scenario, MemberId { client: client(id)?, number: u32::try_from(number).ok()? }))
    });
    text = numbers_replaced(&text, ["TopicPartition { topic: TopicId(", "), partition: ", " }"], |[id, partition]| {
        let topic = TopicId(u32::try_from(id).ok().filter(|id| (*id as usize) < scenario.topics.len())?);
        Some(names::partition(scenario, TopicPartition { topic, partition: u32::try_from(partition).ok()? }))
    });
    text = numbers_replaced(&text, ["OffsetRange { from: Offset(", "), to: Offset(", ") }"], |[from, to]| Some(format!("[{from}, {to})")));
    text = numbers_replaced(&text, ["ClientId(", ")"], |[id]| Some(names::client(scenario, client(id)?).to_owned()));
    text = numbers_replaced(&text, ["Offset(", ")"], |[offset]| Some(offset.to_string()));
    numbers_replaced(&text, ["group ", ":"], |[id]| Some(format!("group {}:", scenario.groups.get(id as usize)?.name)))
}

/// Wherever the parts stand with whole numbers between them.
fn numbers_replaced<const PARTS: usize, const NUMBERS: usize>(
    text: &str,
    parts: [&str; PARTS],
    spell: impl Fn([u64; NUMBERS]) -> Option<String>,
) -> String {
    let mut spelled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(parts[0]) {
        spelled.push_str(&rest[..at]);
        let after = &rest[at..];
        match numbers(after, &parts).and_then(|(numbers, length)| Some((spell(numbers)?, length))) {
            Some((words, length)) => {
                spelled.push_str(&words);
                rest = &after[length..];
            }
            None => {
                spelled.push_str(parts[0]);
                rest = &after[parts[0].len()..];
            }
        }
    }
    spelled + rest
}

/// The numbers between the parts that a text begins with, and how long all of that is.
fn numbers<const NUMBERS: usize>(text: &str, parts: &[&str]) -> Option<([u64; NUMBERS], usize)> {
    let mut rest = text.strip_prefix(parts[0])?;
    let mut numbers = [0; NUMBERS];
    for (number, part) in numbers.iter_mut().zip(&parts[1..]) {
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        *number = rest[..end].parse().ok()?;
        rest = rest[end..].strip_prefix(part)?;
    }
    Some((numbers, text.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Offset, OffsetRange};

    fn spelled(text: &str) -> String {
        let file = "duration: 1m\ntopics: {orders: 6}\ngroups: {billing: {topics: [orders], members: [A, B]}}\n";
        let (scenario, _) = crate::scenario::load(file, "demo.yaml").expect("a valid file");
        with_names(&scenario, text)
    }

    #[test]
    fn ids_as_rust_writes_them_become_names() {
        let (b, first, later) = (ClientId(1), MemberId { client: ClientId(0), number: 1 }, MemberId { client: ClientId(1), number: 2 });
        let partition = TopicPartition { topic: TopicId(0), partition: 3 };
        let range = OffsetRange { from: Offset(5), to: Offset(9) };
        assert_eq!(spelled(&format!("{b:?} polled {range:?} of {partition:?} at {:?}", Offset(7))), "B polled [5, 9) of orders-3 at 7");
        assert_eq!(
            spelled(&format!("group 0: Empty, but it has the members {:?}", [first, later])),
            "group billing: Empty, but it has the members [A, B#2]"
        );
    }

    #[test]
    fn what_is_no_id_stays() {
        for text in
            ["ClientId(9) of nobody", "ClientId(", "Offset(x)", "group 7: what", "the group: all of it", "ClientId(99999999999999999999)"]
        {
            assert_eq!(spelled(text), text);
        }
    }
}
