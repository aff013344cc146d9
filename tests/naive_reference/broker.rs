//! Logs of single records, and Fetch: whole batches, limits, sessions and their rotation, long polling.

use crate::world::{Answer, Request, Tp, World};

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Record {
    pub created: u64,
    pub visible: u64,
    /// The number of its batch.
    batch: usize,
}

#[derive(Clone, Default, Debug)]
pub struct Log {
    pub records: Vec<Record>,
    /// By batch: its size, and the offset behind it.
    batches: Vec<(u64, u64)>,
}

impl Log {
    pub fn append(&mut self, created: &[u64], bytes: u64, now: u64) {
        let batch = self.batches.len();
        self.records.extend(created.iter().map(|created| Record { created: *created, visible: now, batch }));
        self.batches.push((bytes, self.end()));
    }

    pub fn end(&self) -> u64 {
        self.records.len() as u64
    }

    /// From the one that holds this offset on.
    fn batches_from(&self, from: u64) -> &[(u64, u64)] {
        self.records.get(from as usize).map_or(&[], |record| &self.batches[record.batch..])
    }
}

/// A fetch session: its partitions in order, and the Fetch that waits.
#[derive(Default)]
pub struct Session {
    entries: Vec<(Tp, u64)>,
    /// Fetches so far.
    number: u32,
    parked: bool,
}

impl World<'_> {
    /// A broker reads a request.
    pub fn serve(&mut self, connection: usize, request: Request) {
        let group = self.connections[connection].group;
        match request {
            Request::FindCoordinator => self.answer(connection, Answer::Coordinator),
            Request::ListOffsets(partitions) => {
                let latest = self.resets_to_latest(group);
                let offset = |tp: Tp| if latest { self.log(tp).end() } else { 0 };
                let listed = partitions.into_iter().map(|tp| (tp, offset(tp))).collect();
                self.answer(connection, Answer::Listed(listed));
            }
            Request::Validate(partitions) => self.answer(connection, Answer::Valid(partitions)),
            Request::CloseSession => {
                self.connections[connection].session = None;
                self.answer(connection, Answer::SessionClosed);
            }
            Request::Fetch(entries) => self.on_fetch(connection, &entries),
            Request::Join(_) | Request::Sync | Request::Heartbeat | Request::Commit(_) | Request::OffsetFetch(_) | Request::Leave => {
                self.coordinate(connection, request)
            }
        }
    }

    fn on_fetch(&mut self, connection: usize, wanted: &[(Tp, u64)]) {
        let mut session = self.connections[connection].session.take().unwrap_or_default();
        session.number += 1;
        session.entries.retain(|(tp, _)| wanted.iter().any(|(want, _)| want == tp));
        for (tp, from) in wanted {
            match session.entries.iter_mut().find(|(known, _)| known == tp) {
                Some(entry) => entry.1 = *from,
                None => session.entries.push((*tp, *from)),
            }
        }
        let config = &self.scenario.clients[self.connections[connection].group].config;
        let (number, wait) = (session.number, config.fetch_max_wait.as_nanos());
        let enough =
            self.read(connection, &session).1 >= config.fetch_min_bytes || self.available(connection, &session) >= config.fetch_min_bytes;
        session.parked = true;
        self.connections[connection].session = Some(session);
        if enough || wait == 0 {
            self.complete(connection);
        } else {
            self.wake_fetch(self.now + wait, connection, number);
        }
    }

    /// Something was appended.
    pub fn look_again(&mut self, connection: usize) {
        let link = &self.connections[connection];
        let Some(session) = link.session.as_ref().filter(|session| session.parked && link.open) else { return };
        if self.available(connection, session) >= self.scenario.clients[link.group].config.fetch_min_bytes {
            self.complete(connection);
        }
    }

    pub fn on_fetch_wait(&mut self, connection: usize, number: u32) {
        let link = &self.connections[connection];
        if link.open && link.session.as_ref().is_some_and(|session| session.parked && session.number == number) {
            self.complete(connection);
        }
    }

    /// Answers with what there is; partitions with data go to the end of the session.
    fn complete(&mut self, connection: usize) {
        let mut session = self.connections[connection].session.take().expect("a Fetch waits in its session");
        session.parked = false;
        let (records, _) = self.read(connection, &session);
        for (tp, ..) in &records {
            let place = session.entries.iter().position(|(known, _)| known == tp).expect("it is in the session");
            let entry = session.entries.remove(place);
            session.entries.push(entry);
        }
        self.connections[connection].session = Some(session);
        self.answer(connection, Answer::Fetched(records));
    }

    /// Whole batches in session order within the limits; the first one whatever its size.
    fn read(&self, connection: usize, session: &Session) -> (Vec<(Tp, u64, u64)>, u64) {
        let config = &self.scenario.clients[self.connections[connection].group].config;
        let (mut records, mut total) = (Vec::new(), 0);
        for (tp, from) in &session.entries {
            let (mut to, mut bytes) = (*from, 0);
            for &(size, behind) in self.log(*tp).batches_from(*from) {
                let fits = bytes + size <= config.max_partition_fetch_bytes && total + size <= config.fetch_max_bytes;
                if !fits && total > 0 {
                    break;
                }
                (to, bytes, total) = (behind, bytes + size, total + size);
                if !fits {
                    break;
                }
            }
            if to > *from {
                records.push((*tp, *from, to));
            }
        }
        (records, total)
    }

    /// What a waiting Fetch is measured by: all bytes that are there, of each partition up to its limit.
    fn available(&self, connection: usize, session: &Session) -> u64 {
        let limit = self.scenario.clients[self.connections[connection].group].config.max_partition_fetch_bytes;
        let of = |(tp, from): &(Tp, u64)| {
            let mut sum = 0;
            for (size, _) in self.log(*tp).batches_from(*from) {
                sum += size;
                if sum >= limit {
                    return limit;
                }
            }
            sum
        };
        session.entries.iter().map(of).sum()
    }
}
