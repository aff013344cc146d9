//! Kafka's property names, their defaults by release, and which of them the simulator models.
//!
//! One table for each role. A row of a modelled property says where its value goes; a name without one is a property that Kafka has and
//! that makes no difference here, which is worth a warning and not an error.

pub mod broker;
pub mod consumer;
pub mod group;
pub mod producer;
pub mod topic;

use super::Release;
use super::file::properties::Property;
use super::quantity::{self, Unreadable};
use super::reader::cut;
use crate::units::Span;

/// Whose property it is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Role {
    Consumer,
    Producer,
    Broker,
    Topic,
    Group,
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Consumer, Role::Producer, Role::Broker, Role::Topic, Role::Group];

    pub fn name(self) -> &'static str {
        match self {
            Role::Consumer => "consumer",
            Role::Producer => "producer",
            Role::Broker => "broker",
            Role::Topic => "topic",
            Role::Group => "group",
        }
    }
}

/// Kafka's unit of a property.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Unit {
    Millis,
    Bytes,
    Plain,
}

/// A modelled property of settings `S`: its name and where its value goes.
pub struct Modelled<S: 'static> {
    pub name: &'static str,
    pub slot: Slot<S>,
}

/// How a value is read and where it goes. Numbers come with the smallest and the largest that Kafka takes.
pub enum Slot<S: 'static> {
    Millis(fn(&mut S) -> &mut Span, u64, u64),
    Minutes(fn(&mut S) -> &mut Span, u64, u64),
    Bytes(fn(&mut S) -> &mut u64, u64, u64),
    Count(fn(&mut S) -> &mut u32, u32, u32),
    /// Anything else.
    Read(fn(&mut S, &Property) -> Result<(), Unreadable>),
}

impl<S> Slot<S> {
    fn unit(&self) -> Unit {
        match self {
            Slot::Millis(..) => Unit::Millis,
            Slot::Bytes(..) => Unit::Bytes,
            Slot::Minutes(..) | Slot::Count(..) | Slot::Read(_) => Unit::Plain,
        }
    }
}

/// Puts a value where it belongs.
pub fn apply<S>(slot: &Slot<S>, settings: &mut S, value: &Property) -> Result<(), Unreadable> {
    match slot {
        Slot::Millis(place, least, most) => *place(settings) = read_millis(value, *least, *most)?,
        Slot::Minutes(place, least, most) => *place(settings) = Span::from_secs(read_number(value, *least, *most)? * 60),
        Slot::Bytes(place, least, most) => *place(settings) = read_bytes(value, *least, *most)?,
        Slot::Count(place, least, most) => {
            let number = read_number(value, u64::from(*least), u64::from(*most))?;
            *place(settings) = u32::try_from(number).expect("the number was checked against a u32");
        }
        Slot::Read(read) => read(settings, value)?,
    }
    Ok(())
}

fn read_text(value: &Property) -> Result<&str, Unreadable> {
    match value {
        Property::Text(text) => Ok(text),
        Property::List(_) => Err(Unreadable { message: "a list where one value belongs".to_owned(), hint: None }),
    }
}

fn read_bool(value: &Property) -> Result<bool, Unreadable> {
    match read_text(value)?.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Unreadable { message: format!("`{}` is neither `true` nor `false`", cut(other)), hint: None }),
    }
}

/// Milliseconds, or a duration with its unit.
fn read_millis(value: &Property, least: u64, most: u64) -> Result<Span, Unreadable> {
    let text = read_text(value)?;
    if !text.ends_with(|letter: char| letter.is_ascii_alphabetic()) {
        return read_number(value, least, most).map(Span::from_millis);
    }
    let span = quantity::duration(text)?;
    if span != Span::from_millis(span.as_millis()) {
        return Err(Unreadable { message: format!("`{}` is not a whole number of milliseconds", cut(text)), hint: None });
    }
    in_range(text, i128::from(span.as_millis()), least, most).map(Span::from_millis)
}

/// Bytes, or a size with its unit.
fn read_bytes(value: &Property, least: u64, most: u64) -> Result<u64, Unreadable> {
    let text = read_text(value)?;
    if text.ends_with(|letter: char| letter.is_ascii_alphabetic()) {
        in_range(text, i128::from(quantity::size(text)?), least, most)
    } else {
        read_number(value, least, most)
    }
}

fn read_number(value: &Property, least: u64, most: u64) -> Result<u64, Unreadable> {
    let text = read_text(value)?;
    match text.replace('_', "").parse::<i128>() {
        Ok(number) => in_range(text, number, least, most),
        Err(_) => Err(Unreadable { message: format!("`{}` is not a whole number", cut(text)), hint: None }),
    }
}

fn in_range(text: &str, number: i128, least: u64, most: u64) -> Result<u64, Unreadable> {
    match u64::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ if number < i128::from(least) => {
            Err(Unreadable { message: format!("`{}` is too low: Kafka takes {least} and above", cut(text)), hint: None })
        }
        _ => Err(Unreadable { message: format!("`{}` is too high: the limit is {most}", cut(text)), hint: None }),
    }
}

/// Every property of a role, with its unit and whether it is modelled, modelled ones first.
pub fn names(role: Role) -> Box<dyn Iterator<Item = (&'static str, Unit, bool)>> {
    fn table<S>(modelled: &'static [Modelled<S>], others: &'static [&'static str]) -> Box<dyn Iterator<Item = (&'static str, Unit, bool)>> {
        let modelled = modelled.iter().map(|property| (property.name, property.slot.unit(), true));
        Box::new(modelled.chain(others.iter().map(|name| (*name, Unit::Plain, false))))
    }
    match role {
        Role::Consumer => table(consumer::MODELLED, consumer::NOT_MODELLED),
        Role::Producer => table(producer::MODELLED, producer::NOT_MODELLED),
        Role::Broker => table(broker::MODELLED, broker::NOT_MODELLED),
        Role::Topic => table::<()>(&[], topic::NOT_MODELLED),
        Role::Group => table(group::MODELLED, group::NOT_MODELLED),
    }
}

/// Whether the role has this property at all.
pub fn has(role: Role, name: &str) -> bool {
    names(role).any(|(known, ..)| known == name)
}

/// A release as a scenario names it: a patch, or a line for its newest known patch.
pub fn read_release(text: &str) -> Result<Release, Unreadable> {
    let text = text.trim();
    Release::parse(text).ok_or_else(|| {
        let line: String = text.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        let patches: Vec<&str> = Release::ALL.into_iter().map(Release::name).filter(|name| name.starts_with(&format!("{line}."))).collect();
        let known = Release::ALL.map(Release::name).join(", ");
        let hint = if patches.is_empty() { format!("known are {known}") } else { format!("known of this line are {}", patches.join(", ")) };
        Unreadable {
            message: format!("`{}` is not a release of Kafka whose differences are known", super::reader::cut(text)),
            hint: Some(hint),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_line_is_its_newest_known_patch() {
        assert_eq!(read_release("4.0"), Ok(Release::V4_0_2));
        assert_eq!(read_release("4.0.0"), Ok(Release::V4_0_0));
        assert_eq!(read_release("2.8"), Ok(Release::V2_8));
        assert_eq!(read_release("4.3"), Ok(Release::default()));
        let unknown = read_release("4.1.1").expect_err("a patch that is not known");
        assert_eq!(unknown.hint.as_deref(), Some("known of this line are 4.1.0, 4.1.2"));
        assert!(read_release("4").is_err());
    }

    #[test]
    fn no_role_names_a_property_twice() {
        for role in Role::ALL {
            let mut seen = std::collections::BTreeSet::new();
            for (name, ..) in names(role) {
                assert!(seen.insert(name), "{} {name}", role.name());
            }
        }
    }
}
