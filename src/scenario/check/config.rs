//! Kafka properties into settings, name by name.

use indexmap::IndexMap;

use super::super::defaults::{self, Modelled, Role};
use super::super::file::properties::Property;
use super::super::reader::{cut, keys};
use super::{Checker, Site};
use crate::error::Problem;

impl Checker<'_> {
    /// Puts every property that is modelled where it belongs, warns of the others, and refuses what Kafka does not have.
    pub fn apply<S>(
        &mut self,
        role: Role,
        modelled: &[Modelled<S>],
        written: &IndexMap<String, Property>,
        site: Site<'_>,
        settings: &mut S,
    ) {
        for ((name, value), place) in written.iter().zip(site.children()) {
            match modelled.iter().find(|property| property.name == name) {
                Some(property) => {
                    if let Err(why) = defaults::apply(&property.slot, settings, value) {
                        self.unreadable(place.value(), super::Unreadable { message: format!("{name}: {}", why.message), hint: why.hint });
                    }
                }
                None if defaults::has(role, name) => self.not_modelled(role, name, place),
                None => self.unknown_property(role, name, place),
            }
        }
    }

    pub fn not_modelled(&mut self, role: Role, name: &str, place: Site<'_>) {
        let message = format!("the {} property `{name}` is not modelled: it makes no difference here", role.name());
        self.problems.push(Problem::warning(message).at(place.key()));
    }

    pub fn unknown_property(&mut self, role: Role, name: &str, place: Site<'_>) {
        let message = format!("Kafka has no {} property `{}`", role.name(), cut(name));
        let others = Role::ALL.into_iter().filter(|other| *other != role && defaults::has(*other, name));
        let owners: Vec<&str> = others.map(Role::name).collect();
        let problem = Problem::error(message).at(place.key());
        self.problems.push(if !owners.is_empty() {
            problem.hint(format!("it is a property of a {}", owners.join(" and of a ")))
        } else if let Some(home) = keys::home(name) {
            problem.hint(format!("it is a key of scenarios and stands {home}"))
        } else {
            let names: Vec<&str> = defaults::names(role).map(|(known, ..)| known).collect();
            match self.guess(name, names) {
                Some(hint) => problem.hint(hint),
                None => problem,
            }
        });
    }
}
