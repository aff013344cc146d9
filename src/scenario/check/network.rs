//! Timeline entries about the network and the brokers: who is cut off from whom, which requests are lost or late, which broker dies.

use std::ops::Range;

use super::super::file::shapes::Duration;
use super::super::file::timeline::{EntryFile, PeerFile};
use super::super::reader::cut;
use super::super::{Disturbance, Verb};
use super::timeline::{Stage, Told};
use super::{Checker, Site};
use crate::terms::{ClientRequest, Peers};
use crate::units::{BrokerId, ClientId, Span};

impl Checker<'_> {
    pub fn network_verbs(&mut self, written: &EntryFile, site: Site<'_>, stage: &Stage<'_>, verbs: &mut Vec<Told>) {
        let lasts = written.lasts.map(|lasts| lasts.0);
        if let Some(peers) = &written.disconnect {
            self.disconnect(peers, lasts, site, stage, verbs);
        }
        if let Some(drop) = &written.drop {
            let place = site.child("drop");
            self.disturb((&drop.request, &drop.from), Some(Disturbance::Drop), (written, place, site), stage, verbs);
        }
        if let Some(delay) = &written.delay {
            let place = site.child("delay");
            let by = self.require(delay.by, place, "a delay", "by", "how late, such as `by: 2s`");
            let how = by.map(|Duration(by)| Disturbance::Delay(by));
            self.disturb((&delay.request, &delay.from), how, (written, place, site), stage, verbs);
        }
        if let Some(number) = written.broker_down {
            let place = site.child("broker.down").value();
            if let Some(broker) = self.broker(number, place.clone(), stage) {
                verbs.push((Verb::BrokerDown { broker, lasts }, format!("broker {number}"), place));
            }
        }
        let is_fault = written.disconnect.is_some() || written.drop.is_some() || written.delay.is_some() || written.broker_down.is_some();
        if is_fault && lasts.is_some_and(Span::is_zero) {
            self.error(site.child("for").value(), "a fault that takes no time");
        }
    }

    /// `[billing/B, coordinator]`: several peers are several verbs.
    fn disconnect(&mut self, peers: &[PeerFile], lasts: Option<Span>, site: Site<'_>, stage: &Stage<'_>, verbs: &mut Vec<Told>) {
        const EXAMPLE: &str = "write the member and whom it cannot reach, such as `[billing/B, coordinator]`";
        let place = site.child("disconnect");
        let [PeerFile(member), from @ ..] = peers else {
            self.error_with_hint(place.value(), "nobody is cut off", EXAMPLE.to_owned());
            return;
        };
        if from.is_empty() {
            self.error_with_hint(place.value(), format!("`{}` is cut off from nobody", cut(member)), EXAMPLE.to_owned());
        }
        let places: Vec<Range<usize>> = place.items().map(|item| item.value()).collect();
        let client = self.member(member, places[0].clone(), stage);
        for (PeerFile(peer), at) in from.iter().zip(&places[1..]) {
            let from = self.peers(peer, at.clone(), stage);
            if let (Some(client), Some(from)) = (client, from) {
                verbs.push((Verb::Disconnect { client, from, lasts }, format!("`{member}`"), places[0].clone()));
            }
        }
    }

    fn peers(&mut self, written: &str, at: Range<usize>, stage: &Stage<'_>) -> Option<Peers> {
        let named = [Peers::Coordinator, Peers::Leaders, Peers::All].into_iter().find(|peers| peers.name() == written);
        if let (None, Ok(number)) = (named, written.parse()) {
            return self.broker(number, at, stage).map(Peers::Broker);
        }
        if named.is_none() {
            let hint = "`coordinator`, `leaders`, `all` or the number of a broker".to_owned();
            self.error_with_hint(at, format!("nobody is called `{}` in the network", cut(written)), hint);
        }
        named
    }

    fn broker(&mut self, number: u32, at: Range<usize>, stage: &Stage<'_>) -> Option<BrokerId> {
        if number < stage.brokers {
            return Some(BrokerId(number));
        }
        let hint = match stage.brokers {
            // That is an error of its own.
            0 => return None,
            1 => "the cluster has one broker, 0".to_owned(),
            brokers => format!("the cluster has {brokers} brokers, 0 to {}", brokers - 1),
        };
        self.error_with_hint(at, format!("there is no broker {number}"), hint);
        None
    }

    /// `drop` and `delay`; without `how` something is missing that was told already.
    fn disturb(
        &mut self,
        (request, from): (&Option<String>, &Option<String>),
        how: Option<Disturbance>,
        (written, place, site): (&EntryFile, Site<'_>, Site<'_>),
        stage: &Stage<'_>,
        verbs: &mut Vec<Told>,
    ) {
        let request = self.require(request.as_deref(), place, "this", "request", "which request, such as `request: Heartbeat`");
        let request = request.and_then(|name| self.request(name, place.child("request").value()));
        let from = self.require(from.as_deref(), place, "this", "from", "whose requests, such as `from: billing/B`");
        let at = place.child("from").value();
        let client: Option<ClientId> = from.and_then(|member| self.member(member, at.clone(), stage));
        if written.count == Some(0) {
            self.error(site.child("count").value(), "a fault that hits no request");
        }
        if let (Some(request), Some(client), Some(how)) = (request, client, how) {
            let verb = Verb::Disturb { client, request, how, lasts: written.lasts.map(|lasts| lasts.0), count: written.count };
            verbs.push((verb, format!("`{}`", from.unwrap_or_default()), at));
        }
    }

    fn request(&mut self, written: &str, at: Range<usize>) -> Option<ClientRequest> {
        let found = ClientRequest::ALL.into_iter().find(|request| request.name() == written);
        if found.is_none() {
            let names = ClientRequest::ALL.into_iter().map(ClientRequest::name);
            let hint = self.guess(written, names);
            let all = || format!("consumers send {}", ClientRequest::ALL.map(ClientRequest::name).join(", "));
            self.error_with_hint(at, format!("`{}` is no request of a consumer", cut(written)), hint.unwrap_or_else(all));
        }
        found
    }
}
