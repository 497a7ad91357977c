//! Owns a client that subscribes: it acknowledges what it gets and has it noted. What is missing is the ledger's
//! business.

use std::collections::HashMap;

use mqtt_codec::QoS;

use crate::frame::put_acknowledgement;
use crate::heard::Message;
use crate::ledger::Ledger;
use crate::receipts::{Collected, Receipt, Receipts};

/// A client that subscribes and checks what it gets.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// Shared Subscriptions too. A broker may deliver a message once for each filter of a client that matches,
    /// which counts as duplicated. None: the session has its subscriptions from before.
    pub filters: Vec<String>,
    /// The Maximum QoS of its subscriptions.
    pub qos: QoS,
}

/// A subscriber at work.
#[derive(Debug)]
pub(crate) struct Subscribing {
    /// Until they are subscribed to.
    pub(crate) filters: Vec<String>,
    pub(crate) qos: QoS,
    pub(crate) receiving: Receiving,
}

/// How it tells what it has got.
#[derive(Debug)]
pub(crate) enum Receiving {
    /// What the publishers of the load send it.
    Expected {
        receipts: Receipts,
        /// What a member of a shared subscription gets is noted for its group: the ledger's number by topic.
        shared: HashMap<u32, u32>,
    },
    /// Whatever comes.
    Anything(Collected),
}

impl Receiving {
    pub(crate) fn expected() -> Self {
        Self::Expected { receipts: Receipts::default(), shared: HashMap::new() }
    }

    pub(crate) fn anything() -> Self {
        Self::Anything(Collected::default())
    }
}

impl Subscribing {
    pub(crate) fn new(subscriber: Subscriber, receiving: Receiving) -> Self {
        Self { filters: subscriber.filters, qos: subscriber.qos, receiving }
    }

    /// It is to get the messages to a topic.
    pub(crate) fn expect(&mut self, topic: u32, share: Option<u32>) {
        if let Receiving::Expected { receipts, shared } = &mut self.receiving {
            match share {
                Some(number) => drop(shared.insert(topic, number)),
                None => receipts.expect(topic),
            }
        }
    }

    #[inline]
    pub(crate) fn message(&mut self, message: Message, now: u64, ledger: &mut Ledger, out: &mut Vec<u8>) {
        match message.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => put_acknowledgement(0x40, message.packet_id, out),
            QoS::ExactlyOnce => put_acknowledgement(0x50, message.packet_id, out),
        }
        let Some(mark) = message.mark else {
            ledger.tally.foreign += 1;
            return;
        };
        match &mut self.receiving {
            // What was retained was published before the subscription, by this load or another.
            Receiving::Expected { .. } if message.retain => ledger.tally.foreign += 1,
            Receiving::Expected { receipts, shared } => {
                let receipt = match receipts.take(mark.topic, mark.sequence) {
                    Receipt::Foreign => shared
                        .get(&mark.topic)
                        .map_or(Receipt::Foreign, |&number| ledger.shared(number, mark.sequence)),
                    receipt => receipt,
                };
                ledger.delivered(mark, receipt, now);
            }
            Receiving::Anything(collected) => {
                ledger.collected(&collected.take(mark.topic, mark.sequence));
            }
        }
    }

    /// PUBREL: what it releases has been counted.
    #[inline]
    pub(crate) fn released(&mut self, packet_id: u16, out: &mut Vec<u8>) {
        put_acknowledgement(0x70, packet_id.to_be_bytes(), out);
    }
}
