//! One group of a shared subscription: its members, and which of them receives a message. Which group
//! a topic reaches is not known here.

use core::sync::atomic::{AtomicU32, Ordering};

use super::{LoadGauge, Presence, ShareRequest};
use crate::config::ShareStrategy;
use crate::ids::{GroupId, SessionId};
use crate::subscriptions::arena::block_bytes;
use crate::subscriptions::hashing::Seed;
use crate::subscriptions::subscriber::Entry;

#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: GroupId,
    pub(super) name: Box<str>,
    pub(super) filter: Box<str>,
    /// Sorted by session, so that a sticky strategy finds the same member again after a reconnect.
    online: Vec<Member>,
    offline: Vec<Member>,
    /// Where the next turn starts. Atomic, because choosing needs no writer's lock.
    cursor: AtomicU32,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) entry: Entry,
    pub(super) load: LoadGauge,
}

impl Group {
    pub(super) fn new(id: GroupId, name: &str, filter: &str) -> Self {
        let (online, offline, cursor) = (Vec::new(), Vec::new(), AtomicU32::new(0));
        Self { id, name: name.into(), filter: filter.into(), online, offline, cursor }
    }

    /// The member that receives a message: one that is online, else one that is not.
    pub(super) fn choose(
        &self,
        strategy: ShareStrategy,
        request: &ShareRequest<'_>,
        seed: Seed,
    ) -> Option<Entry> {
        let start = match strategy {
            ShareStrategy::RoundRobin | ShareStrategy::LeastInFlight => {
                self.cursor.fetch_add(1, Ordering::Relaxed)
            }
            ShareStrategy::StickyTopic => seed.hash_text(request.topic.as_bytes()),
            ShareStrategy::StickyPublisher => {
                request.publisher.map_or(0, |publisher| seed.hash_number(publisher.to_bits()))
            }
        };
        let least_loaded = strategy == ShareStrategy::LeastInFlight;
        [&self.online, &self.offline].into_iter().find_map(|members| {
            let (before, from_start) = members.split_at(start as usize % members.len().max(1));
            let is_excluded =
                |member: &&Member| Some(member.entry.key()) == request.excluding.map(SessionId::to_bits);
            let mut turn = from_start.iter().chain(before).filter(|member| !is_excluded(member));
            // The first of equals, so members that are all idle still take turns.
            let member = if least_loaded { turn.min_by_key(|member| member.load.get()) } else { turn.next() };
            member.map(|member| member.entry)
        })
    }

    /// Adds a member, or replaces the one with its session. The replaced one.
    pub(super) fn insert(&mut self, presence: Presence, member: Member) -> Option<Member> {
        let members = self.members_mut(presence);
        match members.binary_search_by_key(&member.entry.key(), |member| member.entry.key()) {
            Ok(place) => Some(core::mem::replace(&mut members[place], member)),
            Err(place) => {
                members.insert(place, member);
                None
            }
        }
    }

    /// Removes the member with a session, if it is there.
    pub(super) fn remove(&mut self, presence: Presence, session: SessionId) -> Option<Member> {
        let members = self.members_mut(presence);
        let place = members.binary_search_by_key(&session.to_bits(), |member| member.entry.key()).ok()?;
        Some(members.remove(place))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.online.is_empty() && self.offline.is_empty()
    }

    /// Bytes held, the members not counted.
    pub(super) fn memory_bytes(&self) -> usize {
        block_bytes(size_of::<Self>()) + block_bytes(self.name.len()) + block_bytes(self.filter.len())
    }

    fn members_mut(&mut self, presence: Presence) -> &mut Vec<Member> {
        match presence {
            Presence::Online => &mut self.online,
            Presence::Offline => &mut self.offline,
        }
    }
}
