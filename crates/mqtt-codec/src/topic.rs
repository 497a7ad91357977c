//! Owns Topic Names, Topic Filters and Shared Subscriptions as types that can only hold legal text.
//! Matching many filters at once is the broker's subscription index; one at a time is here.

use crate::{
    error::Violation,
    storage::{Borrowed, Owned, Storage, share_text},
    text,
    version::ProtocolVersion,
};
use bytes::Bytes;
use bytestring::ByteString;
use core::fmt;

/// A Topic Name: not empty, no wildcards, no U+0000 `[MQTT5-4.7.3-1]` `[MQTT5-4.7.0-1]`
/// `[MQTT311-4.7.1-1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicName<S: Storage = Owned>(S::Text);

/// A Topic Name inside a frame.
pub type TopicNameRef<'a> = TopicName<Borrowed<'a>>;

/// A Topic Filter, of a Shared Subscription or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicFilter<S: Storage = Owned> {
    text: S::Text,
    /// Bytes of `$share/{ShareName}/`, 0 where the subscription is not shared.
    share_bytes: u32,
}

/// A Topic Filter inside a frame.
pub type TopicFilterRef<'a> = TopicFilter<Borrowed<'a>>;

const SHARE_PREFIX: &str = "$share/";

impl<S: Storage> TopicName<S> {
    /// The text of the topic.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// A view that borrows from this topic: also a way to a shorter lifetime, which the compiler cannot
    /// see for itself through the storage.
    #[must_use]
    #[inline]
    pub fn borrow(&self) -> TopicNameRef<'_> {
        TopicName(self.0.as_ref())
    }

    /// The levels, in order. There is always one, and each may be empty.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        self.as_str().split('/')
    }
}

impl<'a> TopicNameRef<'a> {
    /// Accepts legal text.
    ///
    /// # Errors
    /// Empty text, a wildcard, U+0000, or more than 65,535 bytes.
    #[inline]
    pub fn new(text: &'a str) -> Result<Self, Violation> {
        check_length(text)?;
        Self::decode(text)
    }

    /// Accepts text whose length the wire has already bounded: one pass over its bytes.
    #[inline]
    pub(crate) fn decode(text: &'a str) -> Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::TopicEmpty);
        }
        if text::has_nul_or_wildcard(text.as_bytes()) { Err(illegal_name(text)) } else { Ok(Self(text)) }
    }

    /// The text, for as long as the frame lives.
    #[must_use]
    #[inline]
    pub fn text(&self) -> &'a str {
        self.0
    }

    /// The same topic with bytes of its own.
    #[must_use]
    pub fn to_owned(&self) -> TopicName {
        TopicName(ByteString::from(self.0))
    }

    pub(crate) fn into_owned(self, frame: &Bytes) -> TopicName {
        TopicName(share_text(frame, self.0))
    }
}

impl TopicName {
    /// Accepts legal text.
    ///
    /// # Errors
    /// As [`TopicNameRef::new`].
    pub fn owned(text: impl Into<ByteString>) -> Result<Self, Violation> {
        let text = text.into();
        TopicNameRef::new(&text)?;
        Ok(Self(text))
    }
}

impl<S: Storage> TopicFilter<S> {
    /// The whole text, `$share` prefix included: what SUBSCRIBE and UNSUBSCRIBE carry.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        self.text.as_ref()
    }

    /// The filter that topics are matched against: the text behind `$share/{ShareName}/`.
    #[must_use]
    #[inline]
    pub fn matched(&self) -> &str {
        self.as_str().get(self.share_bytes as usize..).unwrap_or_default()
    }

    /// The ShareName of a Shared Subscription.
    #[must_use]
    #[inline]
    pub fn share_name(&self) -> Option<&str> {
        let end = (self.share_bytes as usize).checked_sub(1)?;
        self.as_str().get(SHARE_PREFIX.len()..end)
    }

    /// Whether a level is a wildcard.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        self.matched().bytes().any(|byte| byte == b'+' || byte == b'#')
    }

    /// Whether `topic` is one of those the filter asks for.
    #[must_use]
    pub fn matches<T: Storage>(&self, topic: &TopicName<T>) -> bool {
        matches(self.matched(), topic.as_str())
    }
}

impl<'a> TopicFilterRef<'a> {
    /// Accepts legal text.
    ///
    /// # Errors
    /// Empty text, a misplaced wildcard, U+0000, an illegal ShareName, or more than 65,535 bytes.
    pub fn new(text: &'a str) -> Result<Self, Violation> {
        check_length(text)?;
        if text.contains('\0') {
            return Err(Violation::TextHasNul);
        }
        Self::decode(text, ProtocolVersion::V5)
    }

    /// Accepts text that was checked to be a string of the wire. Shared Subscriptions came with 5.0: to
    /// 3.x, text that would be an illegal one is a filter like any other.
    pub(crate) fn decode(text: &'a str, version: ProtocolVersion) -> Result<Self, Violation> {
        let share_bytes = match (share_prefix_bytes(text), version) {
            (Ok(share_bytes), _) => share_bytes,
            (Err(_), ProtocolVersion::V31 | ProtocolVersion::V311) => 0,
            (Err(violation), ProtocolVersion::V5) => return Err(violation),
        };
        let matched = text.get(share_bytes..).unwrap_or_default();
        if matched.is_empty() {
            return Err(Violation::TopicEmpty);
        }
        check_wildcards(matched)?;
        Ok(Self { text, share_bytes: u32::try_from(share_bytes).unwrap_or_default() })
    }

    /// The text, for as long as the frame lives.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The same filter with bytes of its own.
    #[must_use]
    pub fn to_owned(&self) -> TopicFilter {
        TopicFilter { text: ByteString::from(self.text), share_bytes: self.share_bytes }
    }
}

impl TopicFilter {
    /// Accepts legal text.
    ///
    /// # Errors
    /// As [`TopicFilterRef::new`].
    pub fn owned(text: impl Into<ByteString>) -> Result<Self, Violation> {
        let text = text.into();
        let share_bytes = TopicFilterRef::new(&text)?.share_bytes;
        Ok(Self { text, share_bytes })
    }

    /// A view that borrows from this filter.
    #[must_use]
    pub fn borrow(&self) -> TopicFilterRef<'_> {
        TopicFilter { text: self.text.as_ref(), share_bytes: self.share_bytes }
    }
}

/// Text that is no text [MQTT5-4.7.3-2] comes before text that is no Topic Name [MQTT5-3.3.2-2].
#[cold]
fn illegal_name(text: &str) -> Violation {
    if text.contains('\0') { Violation::TextHasNul } else { Violation::TopicNameWildcard }
}

/// Topics fit the two byte length of a string `[MQTT5-4.7.3-3]` `[MQTT311-4.7.3-3]`.
#[inline]
fn check_length(text: &str) -> Result<(), Violation> {
    if text.len() > usize::from(u16::MAX) { Err(Violation::TopicTooLong) } else { Ok(()) }
}

/// Bytes of `$share/{ShareName}/` `[MQTT5-4.8.2-1]` `[MQTT5-4.8.2-2]`; 0 where there is none.
fn share_prefix_bytes(text: &str) -> Result<usize, Violation> {
    let Some(rest) = text.strip_prefix(SHARE_PREFIX) else { return Ok(0) };
    let (name, filter) = rest.split_once('/').unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(Violation::ShareNameEmpty);
    }
    if name.contains(['+', '#']) {
        return Err(Violation::ShareNameWildcard);
    }
    if filter.is_empty() {
        return Err(Violation::ShareFilterMissing);
    }
    Ok(SHARE_PREFIX.len() + name.len() + 1)
}

/// Wildcards stand alone in their level, `#` in the last one `[MQTT5-4.7.1-1]` `[MQTT5-4.7.1-2]`
/// `[MQTT311-4.7.1-2]` `[MQTT311-4.7.1-3]`.
fn check_wildcards(filter: &str) -> Result<(), Violation> {
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.contains('#') && (level.len() > 1 || levels.peek().is_some()) {
            return Err(Violation::MultiLevelWildcard);
        }
        if level.contains('+') && level.len() > 1 {
            return Err(Violation::SingleLevelWildcard);
        }
    }
    Ok(())
}

/// Whether `filter` (without a share prefix) matches `topic`, character by character
/// `[MQTT5-4.7.3-4]` `[MQTT311-4.7.3-4]`; a leading wildcard never matches a leading `$` `[MQTT5-4.7.2-1]`.
fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic_levels = topic.split('/');
    for level in filter.split('/') {
        // `#` also matches the parent: there may be no level left.
        if level == "#" {
            return true;
        }
        match topic_levels.next() {
            Some(name) if level == "+" || level == name => {}
            _ => return false,
        }
    }
    topic_levels.next().is_none()
}

impl<S: Storage> fmt::Display for TopicName<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl<S: Storage> fmt::Display for TopicFilter<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
