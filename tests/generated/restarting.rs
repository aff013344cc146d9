//! More entries for the members of a group that is being restarted: only the run shows which of them do nothing.

use groupsim::scenario::{Scenario, Verb, load};
use groupsim::units::Instant;

use crate::dice::Dice;
use crate::scene::{self, Mood};

/// A wild scenario. What cannot be said of it is left out.
pub fn write(seed: u64) -> String {
    let mut yaml = scene::write(seed, Mood::Wild, None);
    let mut dice = Dice::new(seed ^ 0x0d1e);
    let (scenario, _) = load(&yaml, "generated.yaml").unwrap_or_else(|problems| panic!("{}", problems.styled()));
    for _ in 0..dice.between(0, 8) {
        let Some(entry) = one_entry(&mut dice, &scenario) else { break };
        let longer = format!("{yaml}  - {{{entry}}}\n");
        if load(&longer, "generated.yaml").is_ok() {
            yaml = longer;
        }
    }
    yaml
}

fn one_entry(dice: &mut Dice, scenario: &Scenario) -> Option<String> {
    let mut restarts = scenario.timeline.iter().filter_map(|entry| match entry.verb {
        Verb::RollingRestart { group, every, .. } => Some((entry.at, group, every)),
        _ => None,
    });
    let (begins, group, every) = restarts.next_back()?;
    let spec = &scenario.groups[group.index()];
    let end = (Instant::ZERO + scenario.duration).as_millis();
    let at = dice.between(begins.as_millis(), (begins + every.times(u64::from(spec.clients))).as_millis().min(end - 1));
    let member = spec.first_client.index() + dice.between(0, u64::from(spec.clients) - 1) as usize;
    let name = format!("{}/{}", spec.name, scenario.clients[member].name);
    let lasts = dice.between(1, 2_000);
    let verb = match dice.between(0, 9) {
        0..4 => {
            let lasting = if dice.chance(50) { format!(", for: {lasts}ms") } else { String::new() };
            format!("slow: {name}, factor: {}{lasting}", dice.pick(&["1", "1", "3", "3", "40"]))
        }
        4 | 5 => format!("start: {name}, config: {{max.poll.records: {}}}", dice.between(1, 5)),
        6 => format!("start: {name}"),
        7 => format!("pause: {name}, for: {lasts}ms"),
        8 => format!("crash: {name}"),
        _ => format!("subscribe: {name}, topics: t0"),
    };
    Some(format!("at: {at}ms, {verb}"))
}
