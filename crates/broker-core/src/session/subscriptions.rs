//! Owns what one session has subscribed to. Matching topics is the business of the index of all sessions.

use crate::text::Text;
use mqtt_codec::{ProtocolVersion, packet::SubscriptionOptions};
use std::{collections::BTreeMap, num::NonZeroU16};

/// Subscriptions by the whole text of their filter, share prefix included.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    /// A filter of up to 22 bytes, as most are, takes no block of memory: there may be millions.
    by_filter: BTreeMap<Text<22>, Subscribed>,
}

/// One subscription as its session knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subscribed {
    /// The Subscription Identifier, 0 for none.
    pub(crate) identifier: u32,
    /// Bytes of the ShareName of a shared subscription. What is one depends on the version it was made in.
    /// As small as that: there may be millions.
    share_name_bytes: Option<NonZeroU16>,
    /// As granted, in the byte of 5.0: small as well.
    options: u8,
}

impl Subscribed {
    /// A subscription; a ShareName is never empty `[MQTT5-4.8.2-1]`.
    pub(crate) fn new(
        options: SubscriptionOptions,
        identifier: u32,
        share_name_bytes: Option<usize>,
    ) -> Self {
        let share_name_bytes = share_name_bytes.and_then(|bytes| NonZeroU16::new(u16::try_from(bytes).ok()?));
        Self { identifier, share_name_bytes, options: options.byte() }
    }

    /// As granted.
    pub(crate) fn options(&self) -> SubscriptionOptions {
        SubscriptionOptions::from_byte(self.options, ProtocolVersion::V5).expect("it was made of options")
    }

    /// Bytes of the ShareName, if it is a shared subscription.
    pub(crate) fn share_name_bytes(&self) -> Option<usize> {
        self.share_name_bytes.map(|bytes| usize::from(bytes.get()))
    }

    /// The ShareName, if it is a shared subscription, and the filter that topics are matched against.
    pub(crate) fn parts<'a>(&self, filter: &'a str) -> (Option<&'a str>, &'a str) {
        const SHARE_PREFIX: &str = "$share/";
        let parts = self
            .share_name_bytes()
            .and_then(|bytes| filter.strip_prefix(SHARE_PREFIX)?.split_at_checked(bytes))
            .and_then(|(share_name, rest)| Some((share_name, rest.strip_prefix('/')?)));
        parts.map_or((None, filter), |(share_name, matched)| (Some(share_name), matched))
    }
}

impl Subscriptions {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_filter.len()
    }

    /// Whether this one is there.
    pub(crate) fn contains(&self, filter: &str) -> bool {
        self.by_filter.contains_key(filter.as_bytes())
    }

    /// Adds one. The one that it replaces.
    pub(crate) fn insert(&mut self, filter: &str, subscribed: Subscribed) -> Option<Subscribed> {
        self.by_filter.insert(Text::new(filter.as_bytes()), subscribed)
    }

    /// Takes one out, if it is there.
    pub(crate) fn remove(&mut self, filter: &str) -> Option<Subscribed> {
        self.by_filter.remove(filter.as_bytes())
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Subscribed)> {
        self.by_filter.iter().map(|(filter, subscribed)| {
            (str::from_utf8(filter.as_bytes()).expect("it was made of text"), subscribed)
        })
    }
}
