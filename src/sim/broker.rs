//! Brokers: requests in, answers out; the coordinators' shards.

use crate::kafka::coordinator::shard::Ticket;
use crate::kafka::coordinator::timers::CoordinatorTimer;
use crate::kafka::request::{Metadata, Request, Response};
use crate::sim::network::{ConnectionId, Message};
use crate::sim::{Event, Simulation};
use crate::terms::ErrorCode;
use crate::units::{Offset, Span, TopicPartition};

impl Simulation<'_> {
    /// A request reached its broker.
    pub(super) fn on_request(&mut self, connection: ConnectionId, request: Request) {
        let link = &mut self.connections[connection.0 as usize];
        if link.dead {
            return;
        }
        if link.is_read_at_once() {
            self.handle(connection, request);
        } else {
            link.keep_waiting(request);
        }
    }

    /// What a process sent before it closed the connection, or died, is handled like everything else; only, nobody gets the answer.
    fn handle(&mut self, connection: ConnectionId, request: Request) {
        let link = &self.connections[connection.0 as usize];
        if !link.open && !matches!(request, Request::Group { .. }) {
            return;
        }
        let client = link.client;
        let group = self.cast.client_group[client.index()];
        let always_leads = self.leadership.is_fixed() && !self.topics_vanish;
        if !always_leads && !self.leads_all(connection, &request) {
            self.answer(connection, Response::NotLeader(request.kind()));
            return;
        }
        match request {
            Request::FindCoordinator => self.answer(connection, Response::Coordinator(self.coordinator_of(group))),
            Request::Metadata => self.answer(connection, Response::Metadata(self.metadata())),
            Request::Group { number, request } => {
                if self.coordinator_of(group) != Some(self.connections[connection.0 as usize].broker) {
                    let response = Box::new(request.refusal(ErrorCode::NotCoordinator));
                    self.answer(connection, Response::Group { number, response });
                    return;
                }
                let shard = self.shards[group.index()];
                let ticket = Ticket(u64::from(number) << 32 | u64::from(connection.0));
                self.coordinators[shard as usize].on_request(self.now, ticket, group, *request, &mut self.coordinator_fx);
                self.after_coordinator(shard);
            }
            Request::Fetch { number, entries } => {
                self.on_fetch(connection, number, &entries);
                if let Some(consumer) = &mut self.clients[client.index()].consumer {
                    consumer.recycle(entries);
                }
            }
            Request::ListOffsets { latest, partitions } => {
                let offsets = partitions.iter().map(|partition| (*partition, self.list_offset(*partition, latest))).collect();
                self.answer(connection, Response::Offsets { latest, offsets });
            }
            Request::OffsetsForLeaderEpoch { partitions } => self.answer(connection, Response::EpochsValid(partitions)),
            Request::CloseFetchSession => {
                self.drop_session(connection);
                self.answer(connection, Response::FetchSessionClosed);
            }
        }
    }

    /// The answer leaves, and the broker reads what has waited behind the request.
    #[inline(always)]
    pub(super) fn answer(&mut self, connection: ConnectionId, response: Response) {
        let link = &mut self.connections[connection.0 as usize];
        if link.dead {
            return;
        }
        let next = link.unmute();
        if link.open {
            self.put_on_the_wire(connection, Message::Response(response), Span::ZERO);
        }
        // Thousands may lie there, each answered at once: one after the other, not one within the other.
        if let Some(request) = next {
            self.unmuted.push_back((connection, request));
        }
    }

    /// Brokers read on where they have answered.
    pub(super) fn read_on(&mut self) {
        while let Some((connection, request)) = self.unmuted.pop_front() {
            self.handle(connection, request);
        }
    }

    /// Where a consumer's connection stands in the order of creation: behind the producers'.
    pub(super) fn place_of(&self, connection: ConnectionId) -> u32 {
        self.producers.len() as u32 * self.scenario.cluster.brokers + connection.0
    }

    /// What any broker knows of the cluster.
    pub(super) fn metadata(&self) -> Metadata {
        let mut moved = Vec::new();
        if !self.leadership.is_fixed() {
            let all = self.cast.all_partitions().filter(|at| !self.leadership.of_partition(self.cast.index(*at)).is_empty());
            moved.extend(all.map(|at| (at, self.leader_of(at))));
        }
        Metadata { counts: self.partitions.clone(), moved }
    }

    /// Whether the broker leads what it is asked for.
    fn leads_all(&self, connection: ConnectionId, request: &Request) -> bool {
        let broker = Some(self.connections[connection.0 as usize].broker);
        match request {
            Request::Fetch { entries, .. } => {
                entries.iter().all(|entry| !self.exists(entry.partition) || self.leader_of(entry.partition) == broker)
            }
            Request::ListOffsets { partitions, .. } | Request::OffsetsForLeaderEpoch { partitions } => {
                partitions.iter().all(|partition| self.exists(*partition) && self.leader_of(*partition) == broker)
            }
            Request::FindCoordinator | Request::Metadata | Request::Group { .. } | Request::CloseFetchSession => true,
        }
    }

    fn list_offset(&mut self, partition: TopicPartition, latest: bool) -> Offset {
        if !latest {
            return Offset(0);
        }
        self.catch_up(partition.topic);
        self.tell_appended(partition);
        self.logs[self.cast.index(partition)].high_watermark()
    }

    // --- Coordinators ---------------------------------------------------------------------------------------------------------------

    pub(super) fn on_coordinator_timer(&mut self, shard: u32, timer: CoordinatorTimer) {
        self.coordinators[shard as usize].on_timer(self.now, timer, &mut self.coordinator_fx);
        self.after_coordinator(shard);
    }

    pub(super) fn after_coordinator(&mut self, shard: u32) {
        self.consumer_fx.facts.append(&mut self.coordinator_fx.facts);
        for (at, timer) in self.coordinator_fx.wakes.drain(..) {
            let slot = self.coordinator_timers.put((shard, timer));
            // What has fallen due already, such as expiry checks closer together than requests, is looked at once.
            self.queue.push_timer(at.max(self.now), Event::Coordinator(slot));
        }
        let answers = std::mem::take(&mut self.coordinator_fx.sends);
        for answer in answers {
            let Ticket(ticket) = answer.ticket;
            let (number, connection) = ((ticket >> 32) as u32, ConnectionId(ticket as u32));
            self.answer(connection, Response::Group { number, response: Box::new(answer.response) });
        }
    }
}
