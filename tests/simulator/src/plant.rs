//! Owns the planted bugs: each makes the broker of a run wrong in one way, and each must be caught. Nothing of
//! this is in the engine; it is done to what the engine is handed and to what it wants done.

mod alter;
mod replay;

pub(crate) use alter::Sent;
pub(crate) use replay::Replay;

use crate::settings::Settings;
use broker_core::config::{Config, Durability, DurabilityRule};
use clap::ValueEnum;
use mqtt_codec::TopicFilter;

/// One way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// A message for another shard is dropped.
    DropForward,
    /// Two messages of a mailbox change places.
    ReorderMailbox,
    /// A message for a member of a group is put into the mailbox twice.
    RepeatShared,
    /// A shard says that it has stored what it has not received yet.
    EarlyStored,
    /// A shard is told the time seconds late.
    LateTick,
    /// A message is sent again without DUP.
    LoseDup,
    /// A QoS 0 message is sent twice.
    RepeatPublish,
    /// A QoS 0 message is not sent.
    DropPublish,
    /// Every message is sent under the same Packet Identifier.
    ReuseId,
    /// A message is sent to somebody else.
    Misdeliver,
    /// A byte of a payload is changed.
    AlterPayload,
    /// A message is sent at a lower QoS than it is due.
    LowerQos,
    /// CONNACK says the opposite of the truth about the session.
    FlipSessionPresent,
    /// PUBACK or PINGRESP is not sent.
    DropAnswer,
    /// The client's Receive Maximum is not heard.
    IgnoreReceiveMaximum,
    /// The client's Maximum Packet Size is not heard.
    IgnorePacketSize,
    /// The client is believed to allow more aliases than it does.
    IgnoreAliasMaximum,
    /// A Message Expiry Interval is not heard.
    IgnoreExpiry,
    /// A RETAIN flag is not heard.
    IgnoreRetain,
    /// A full outbox is not heard of.
    IgnoreCongestion,
    /// DISCONNECT leaves the Will in place.
    KeepWill,
    /// Queues are longer than configured.
    LongQueues,
    /// Everybody is thrown out.
    ThrowOut,
    /// Bytes are sent that are no packet.
    SendGarbage,
    /// A client forgets what it received whenever it reconnects.
    ForgetfulClient,
    /// A shard hears that something is on disk which is not.
    EarlyDurable,
    /// The disk says that it has synced and has not.
    UnsyncedDisk,
    /// A segment is removed that is still needed.
    EarlyDeletion,
    /// No segment is ever removed.
    KeepSegments,
    /// Recovery passes over small changes of sessions, QoS 2 identifiers among them.
    ForgetOperations,
    /// Recovery passes over a message.
    SkipRecord,
    /// Recovery takes a message for whole that is not.
    KeepTorn,
    /// A checkpoint's slice claims to know of messages that it does not know of.
    IgnoreSeen,
    /// What was in flight before a restart is sent again without DUP.
    RestartWithoutDup,
    /// What is to be on disk is kept in memory, as if a rule said so.
    KeepInMemory,
    /// A publisher is told that its message is on disk, wherever it is.
    Boast,
}

/// A plant and how often it had the chance to act.
#[derive(Debug)]
pub(crate) struct Planted {
    plant: Option<Plant>,
    chances: u32,
    restarts: u32,
}

impl Plant {
    /// The checkers that may name it: more than one where the same mistake shows in several ways.
    #[must_use]
    pub fn caught_by(self) -> &'static [&'static str] {
        match self {
            Self::DropForward => &["loss"],
            Self::ReorderMailbox => &["order"],
            Self::RepeatShared => &["groups"],
            Self::EarlyStored => &["acknowledgements"],
            Self::LateTick => &["deadlines", "wills"],
            Self::LoseDup => &["dup"],
            Self::RepeatPublish | Self::LowerQos => &["one_copy"],
            Self::DropPublish => &["promptness"],
            Self::ReuseId => &["packet_ids"],
            Self::Misdeliver => &["unasked"],
            Self::AlterPayload => &["contents"],
            Self::FlipSessionPresent => &["session_present"],
            Self::DropAnswer => &["answers"],
            Self::IgnoreReceiveMaximum => &["window"],
            Self::IgnorePacketSize => &["packet_size"],
            Self::IgnoreAliasMaximum => &["aliases"],
            Self::IgnoreExpiry => &["expiry"],
            Self::IgnoreRetain => &["retained"],
            Self::IgnoreCongestion => &["outbox"],
            Self::KeepWill => &["wills"],
            Self::LongQueues => &["backlog"],
            Self::ThrowOut => &["closing"],
            Self::SendGarbage => &["legality"],
            Self::ForgetfulClient => &["exactly_once"],
            Self::EarlyDurable => &["durability"],
            Self::UnsyncedDisk => &["restart"],
            Self::EarlyDeletion => &["loss", "restart", "retained"],
            Self::KeepSegments => &["space"],
            Self::ForgetOperations => &["exactly_once", "dup", "session_present", "one_copy", "packet_ids"],
            Self::SkipRecord => &["loss", "retained", "unasked"],
            Self::IgnoreSeen => &["loss", "order", "packet_ids"],
            Self::KeepTorn => &["contents", "restart", "unasked"],
            Self::RestartWithoutDup => &["dup"],
            Self::KeepInMemory => &["durability"],
            Self::Boast => &["told"],
        }
    }
}

impl Planted {
    pub(crate) fn new(plant: Option<Plant>) -> Self {
        Self { plant, chances: 0, restarts: 0 }
    }

    /// The configuration that the broker gets.
    pub(crate) fn config(&self, settings: &Settings) -> Config {
        let mut config = settings.config.clone();
        if self.plant == Some(Plant::LongQueues) {
            config.limits.queue_messages_max = u32::MAX;
            config.limits.queue_bytes_max = u64::MAX;
        }
        if self.plant == Some(Plant::KeepInMemory) {
            let filter = TopicFilter::owned("#").expect("it is legal");
            config.durability = vec![DurabilityRule { filter, durability: Durability::Memory }];
        }
        config
    }

    /// Whether there is any plant.
    pub(crate) fn is_anything(&self) -> bool {
        self.plant.is_some()
    }

    /// Whether this plant is the one, and it is its turn: every third chance, so that the run gets somewhere
    /// before it goes wrong.
    pub(crate) fn strikes(&mut self, plant: Plant) -> bool {
        if self.plant != Some(plant) {
            return false;
        }
        self.chances += 1;
        self.chances.is_multiple_of(3)
    }

    /// As [`strikes`](Self::strikes), for what comes up all the time: once.
    pub(crate) fn strikes_rarely(&mut self, plant: Plant) -> bool {
        const CHANCE: u32 = 500;
        if self.plant == Some(plant) {
            self.chances += 1;
        }
        self.plant == Some(plant) && self.chances == CHANCE
    }

    /// Whether this plant is the one, after a restart.
    fn has_restarted(&self, plant: Plant) -> bool {
        self.is(plant) && self.restarts > 0
    }

    /// The broker has been started once more.
    pub(crate) fn note_restart(&mut self) {
        self.restarts += 1;
    }

    pub(crate) fn is(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }
}
