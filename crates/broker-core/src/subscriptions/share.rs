//! The groups of shared subscriptions, and the sessions that are their members. Which topics a group
//! matches is found like any other subscription.

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::arena::{Arena, block_bytes};
use super::hashing::Seed;
use super::subscriber::{Entry, Named, Subscriber};
use super::table::SlotTable;
use crate::config::ShareStrategy;
use crate::ids::{GroupId, SessionId};
use group::{Group, Member};

mod group;

/// Whether a session has a connection now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has: it comes before members that have none.
    Online,
    /// It has none: it receives only when no member of the group has.
    Offline,
}

/// The message that a group is to deliver, as far as the choice of the member depends on it.
#[derive(Clone, Copy, Debug)]
pub struct ShareRequest<'a> {
    /// The Topic Name.
    pub topic: &'a str,
    /// The session that published, if one did.
    pub publisher: Option<SessionId>,
    /// A member that is not to receive, because it just left the message behind.
    pub excluding: Option<SessionId>,
}

/// How many messages are queued for and in flight to one session, for
/// [`ShareStrategy::LeastInFlight`]. The shard that owns the session keeps it true; all read it.
#[derive(Clone, Debug, Default)]
pub struct LoadGauge(Arc<AtomicU32>);

impl LoadGauge {
    /// States the number.
    pub fn set(&self, messages: u32) {
        self.0.store(messages, Ordering::Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Every group and every session that is a member of one.
#[derive(Debug)]
pub(super) struct Groups {
    seed: Seed,
    numbers: SlotTable,
    groups: Arena<Option<Box<Group>>>,
    sessions: HashMap<SessionId, SharedSession, FxBuildHasher>,
    next_generation: u32,
    members: usize,
    owned_bytes: usize,
}

#[derive(Debug)]
struct SharedSession {
    presence: Presence,
    load: LoadGauge,
    groups: Vec<u32>,
}

/// What [`Groups::insert`] did.
pub(super) struct Joined {
    /// The group.
    pub(super) group: GroupId,
    /// The member's former options.
    pub(super) replaced: Option<Entry>,
}

/// What [`Groups::remove`] left.
pub(super) enum Left {
    GroupStays,
    GroupEnds(GroupId),
}

impl Groups {
    pub(super) fn new(seed: Seed) -> Self {
        let (numbers, groups, sessions) = (SlotTable::default(), Arena::default(), HashMap::default());
        Self { seed, numbers, groups, sessions, next_generation: 0, members: 0, owned_bytes: 0 }
    }

    /// Chooses the member that receives a message.
    pub(super) fn choose(
        &self,
        id: GroupId,
        strategy: ShareStrategy,
        request: &ShareRequest<'_>,
    ) -> Option<Subscriber> {
        let group = self.groups.get(id.slot())?.as_deref().filter(|group| group.id == id)?;
        match group.choose(strategy, request, self.seed)?.named() {
            Named::Session(subscriber) => Some(subscriber),
            Named::Group(group) => unreachable!("{group:?} is a member"),
        }
    }

    /// Makes a session a member, or replaces its options.
    pub(super) fn insert(&mut self, name: &str, filter: &str, subscriber: Subscriber) -> Joined {
        let number = self.find(name, filter).unwrap_or_else(|| self.insert_group(name, filter));
        let session = self.sessions.entry(subscriber.session).or_insert_with(SharedSession::new);
        let group = expect_group(&mut self.groups, number);
        let member = Member { entry: Entry::from_subscriber(subscriber), load: session.load.clone() };
        let replaced = group.insert(session.presence, member);
        if replaced.is_none() {
            session.groups.push(number);
            self.members += 1;
        }
        Joined { group: group.id, replaced: replaced.map(|member| member.entry) }
    }

    /// Ends a membership, if there is one. A group goes with its last member.
    pub(super) fn remove(&mut self, name: &str, filter: &str, session_id: SessionId) -> Option<Left> {
        let number = self.find(name, filter)?;
        let session = self.sessions.get_mut(&session_id)?;
        let group = expect_group(&mut self.groups, number);
        group.remove(session.presence, session_id)?;
        self.members -= 1;
        session.groups.retain(|&other| other != number);
        if session.groups.is_empty() {
            self.sessions.remove(&session_id);
        }
        if !group.is_empty() {
            return Some(Left::GroupStays);
        }
        let id = group.id;
        self.remove_group(number);
        Some(Left::GroupEnds(id))
    }

    /// The presence of a session that is a member of a group.
    pub(super) fn presence(&self, session: SessionId) -> Option<Presence> {
        self.sessions.get(&session).map(|session| session.presence)
    }

    /// Moves a session to the online or the offline members of its groups.
    pub(super) fn set_presence(&mut self, session_id: SessionId, presence: Presence) {
        let Some(session) = self.sessions.get_mut(&session_id) else { return };
        let former = core::mem::replace(&mut session.presence, presence);
        for &number in &session.groups {
            let group = expect_group(&mut self.groups, number);
            let member = group.remove(former, session_id).expect("its session knows the group");
            group.insert(presence, member);
        }
    }

    /// The gauge of a session that is a member of a group.
    pub(super) fn load_gauge(&self, session: SessionId) -> Option<LoadGauge> {
        self.sessions.get(&session).map(|session| session.load.clone())
    }

    /// The ShareName and the filter of a group, while there is one.
    pub(super) fn name_and_filter(&self, id: GroupId) -> Option<(&str, &str)> {
        let group = self.groups.get(id.slot())?.as_deref().filter(|group| group.id == id)?;
        Some((&group.name, &group.filter))
    }

    /// The group of this name on this filter.
    pub(super) fn group(&self, name: &str, filter: &str) -> Option<GroupId> {
        Some(self.groups[self.find(name, filter)?].as_deref()?.id)
    }

    /// Groups in use.
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Memberships.
    pub(super) fn members(&self) -> usize {
        self.members
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let session_bytes = size_of::<(SessionId, SharedSession)>() + block_bytes(2 * size_of::<usize>());
        let membership_bytes = size_of::<Member>() + size_of::<u32>();
        self.numbers.memory_bytes()
            + self.groups.memory_bytes()
            + self.owned_bytes
            + self.sessions.capacity() * session_bytes
            + self.members * membership_bytes
    }

    fn find(&self, name: &str, filter: &str) -> Option<u32> {
        self.numbers.find(self.hash_of(name, filter), |number| {
            self.groups[number].as_ref().is_some_and(|group| *group.name == *name && *group.filter == *filter)
        })
    }

    fn insert_group(&mut self, name: &str, filter: &str) -> u32 {
        let number = self.groups.insert(None);
        let group = Group::new(GroupId::new(number, self.next_generation), name, filter);
        self.next_generation = self.next_generation.wrapping_add(1);
        self.owned_bytes += group.memory_bytes();
        self.groups[number] = Some(Box::new(group));
        self.numbers.insert(self.hash_of(name, filter), number);
        number
    }

    fn remove_group(&mut self, number: u32) {
        let group = self.groups.remove(number).expect("a removed group was there");
        self.numbers.remove(self.hash_of(&group.name, &group.filter), number);
        self.owned_bytes -= group.memory_bytes();
    }

    fn hash_of(&self, name: &str, filter: &str) -> u32 {
        self.seed.hash_pair(self.seed.hash_text(name.as_bytes()), self.seed.hash_text(filter.as_bytes()))
    }
}

impl SharedSession {
    fn new() -> Self {
        Self { presence: Presence::Online, load: LoadGauge::default(), groups: Vec::new() }
    }
}

fn expect_group(groups: &mut Arena<Option<Box<Group>>>, number: u32) -> &mut Group {
    groups[number].as_mut().expect("the table names groups that are there")
}
