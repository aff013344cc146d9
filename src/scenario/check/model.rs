//! What of a real client is modelled, and which applications have a rebalance listener.

use super::super::file::group::{ListenerFile, OnRevokeFile};
use super::super::file::{ClientKind, ModelFile};
use super::super::{Listener, Model};
use super::{Checker, Site};
use crate::error::Problem;
use crate::release::Release;
use crate::units::Span;

/// Clients from this release on do not wait in poll() for the auto-commit (KAFKA-18376).
pub const COMMITS_WITHOUT_POLL: Release = Release::V4_2_0;

impl Checker<'_> {
    pub fn model(&mut self, file: &ModelFile, site: Site<'_>, clients: Release) -> Model {
        let real_client = match file.client {
            None | Some(ClientKind::Real) => true,
            Some(ClientKind::Ideal) => false,
        };
        let commit_race = file.commit_race.unwrap_or(false);
        if commit_race && clients < COMMITS_WITHOUT_POLL {
            let message =
                format!("commit.race makes no difference: clients of Kafka {} commit before poll() returns records", clients.name());
            self.problems.push(Problem::warning(message).at(site.child("commit.race").key()));
        }
        Model {
            real_client,
            validate_positions: file.validate_positions.unwrap_or(real_client),
            heartbeat_drift: file.heartbeat_drift.map_or(0, |drift| drift.0),
            app_passes: file.app_passes.unwrap_or(real_client),
            commit_race,
        }
    }

    /// The listener of a group or member whose file says so much about it; `common` is what holds where it does not. Whoever does something
    /// in `on.revoke` has one.
    pub fn listener(
        &mut self,
        common: Option<Listener>,
        on_revoke: Option<OnRevokeFile>,
        registered: Option<bool>,
        site: Site<'_>,
    ) -> Option<Listener> {
        let written = on_revoke.map(read);
        let does_something = written.is_some_and(|listener| listener != Listener::default());
        if does_something && registered == Some(false) {
            let message = "`listener: false`, and `on.revoke` says what the listener does";
            self.error_with_hint(site.child("listener").value(), message, "leave one of them out");
        }
        let is_registered = registered.unwrap_or(common.is_some() || does_something);
        is_registered.then(|| written.or(common).unwrap_or_default())
    }
}

fn read(written: OnRevokeFile) -> Listener {
    match written {
        OnRevokeFile::None => Listener::default(),
        OnRevokeFile::Commit => Listener { commit: true, takes: Span::ZERO },
        OnRevokeFile::Long(ListenerFile { commit, takes }) => {
            Listener { commit: commit.unwrap_or(false), takes: takes.map_or(Span::ZERO, |takes| takes.0) }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Listener, Model, Scenario, load};
    use crate::units::Span;

    fn read(head: &str, group: &str, member: &str) -> Scenario {
        let text = format!("{head}\nduration: 1m\ntopics: {{t: 2}}\ngroups:\n  g: {{topics: t, members: {{A: {{{member}}}}}{group}}}\n");
        load(&text, "model.yaml").unwrap_or_else(|problems| panic!("{problems}\n{text}")).0
    }

    #[test]
    fn passes_and_validation_follow_the_client_unless_they_are_said() {
        let check = |written: &str, real_client, validate_positions, app_passes, commit_race| {
            let model = read(&format!("model: {{{written}}}"), "", "start: 0s").model;
            assert_eq!(model, Model { real_client, validate_positions, heartbeat_drift: 0, app_passes, commit_race }, "{written}");
        };
        check("client: real", true, true, true, false);
        check("client: ideal", false, false, false, false);
        check("client: ideal, app.passes: true", false, false, true, false);
        check("app.passes: false, commit.race: true", true, true, false, true);
    }

    #[test]
    fn the_nearest_word_on_a_listener_counts() {
        let (idle, commits) = (Listener::default(), Listener { commit: true, takes: Span::ZERO });
        let check = |model: &str, group: &str, member: &str, expected: Option<Listener>| {
            let scenario = read(&format!("model: {{{model}}}"), group, member);
            assert_eq!(scenario.clients[0].on_revoke, expected, "model {model}, group {group}, member {member}");
        };
        check("client: real", "", "start: 0s", Some(idle));
        check("listener: false", "", "start: 0s", None);
        check("listener: false", ", listener: true", "start: 0s", Some(idle));
        check("listener: false", ", listener: true", "listener: false", None);
        check("listener: false", "", "on.revoke: commit", Some(commits));
        check("listener: false", "", "on.revoke: none", None);
        check("listener: true", ", on.revoke: commit", "start: 0s", Some(commits));
        check("listener: true", ", on.revoke: commit", "listener: false", None);
        check("listener: true", ", on.revoke: commit", "on.revoke: none", Some(idle));
        check("listener: true", ", listener: false", "listener: true", Some(idle));
    }

    #[test]
    fn what_makes_no_difference_or_contradicts_itself_is_said() {
        let text = |kafka: &str, group: &str| {
            format!(
                "kafka: \"{kafka}\"\nmodel: {{commit.race: true}}\nduration: 1m\ntopics: {{t: 2}}\ngroups:\n  g: {{topics: t, members: 1{group}}}\n"
            )
        };
        let (_, warnings) = load(&text("4.1", ""), "model.yaml").expect("the scenario is valid");
        let expected = "commit.race makes no difference: clients of Kafka 4.1.2 commit before poll() returns records";
        assert_eq!(warnings.list.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>(), [expected]);
        let problems = load(&text("4.3", ", listener: false, on.revoke: commit"), "model.yaml").expect_err("it contradicts itself");
        let told: Vec<_> = problems.list.iter().map(|problem| (problem.message.as_str(), problem.hint.as_deref().unwrap_or(""))).collect();
        assert_eq!(told, [("`listener: false`, and `on.revoke` says what the listener does", "leave one of them out")]);
    }
}
