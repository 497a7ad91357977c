//! Owns how the state of a session is read from a checkpoint's slice. The layout is told in `record`.

use super::{
    ConnectionState, InFlightState, QueuedRest, QueuedState, RetainedState, SessionState, SubscriptionState,
    WillRef,
    encode::{EXPIRES, FIRST_PART, HAS_GROUP, HAS_IDENTIFIERS, HAS_MESSAGE, LAST_PART, RECEIVED, RETAIN},
};
use crate::{
    ids::{SessionId, ShardId},
    journal::{
        Position,
        wire::{InvalidRecord, Problem, QOS_BITS, Reader},
    },
};
use mqtt_codec::{
    Borrowed, Properties, PropertyOwner, ProtocolVersion, QoS, TopicFilterRef, TopicNameRef, flow::Step,
    packet::SubscriptionOptions,
};
use std::collections::VecDeque;

/// One part of a session.
#[derive(Debug)]
pub(in crate::journal) struct SessionPart {
    /// Whose.
    pub(in crate::journal) session: SessionId,
    /// The session with the beginning of its queue, if this is its first part.
    pub(in crate::journal) first: Option<SessionState>,
    /// How the queue goes on, if this is a later part.
    pub(in crate::journal) queue: VecDeque<QueuedState>,
    /// Whether it is the last part.
    pub(in crate::journal) is_last: bool,
}

impl SessionPart {
    /// Every message it names.
    pub(in crate::journal) fn entries(&self) -> impl Iterator<Item = &QueuedState> {
        let in_flight = self.first.iter().flat_map(|state| &state.in_flight);
        let waiting = self.first.as_ref().map_or(&self.queue, |state| &state.queue);
        in_flight.filter_map(|in_flight| in_flight.queued.as_ref()).chain(waiting)
    }
}

/// The parts of sessions in a slice.
#[derive(Clone, Debug)]
pub(in crate::journal) struct SessionParts<'a>(pub(in crate::journal) Reader<'a>);

impl Iterator for SessionParts<'_> {
    type Item = Result<SessionPart, InvalidRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| read_part(&mut self.0))
    }
}

fn read_part(reader: &mut Reader<'_>) -> Result<SessionPart, InvalidRecord> {
    let session = reader.session()?;
    let flags = reader.flags(FIRST_PART | LAST_PART, "byte of flags of a session")?;
    let mut first = None;
    if flags & FIRST_PART != 0 {
        first = Some(read_head(reader, session)?);
    }
    let mut queue = read_queue(reader)?;
    if let Some(state) = &mut first {
        state.queue = std::mem::take(&mut queue);
    }
    Ok(SessionPart { session, first, queue, is_last: flags & LAST_PART != 0 })
}

fn read_queue(reader: &mut Reader<'_>) -> Result<VecDeque<QueuedState>, InvalidRecord> {
    let count = reader.count("queue")?;
    // A count is at most the bytes there are, an entry takes at least four of them.
    let mut queue = VecDeque::with_capacity(count.min(reader.len() / ENTRY_BYTES_MIN));
    let mut former = Position::NONE;
    for _ in 0..count {
        let queued = read_entry(reader, former)?;
        former = queued.position;
        queue.push_back(queued);
    }
    Ok(queue)
}

/// Position, bytes, expiry and flags.
const ENTRY_BYTES_MIN: usize = 4;

fn read_head(reader: &mut Reader<'_>, id: SessionId) -> Result<SessionState, InvalidRecord> {
    let client_id = Box::from(reader.text("client identifier")?);
    let expiry_seconds = reader.u32("session expiry")?;
    let connection = match reader.byte("connection state")? {
        0 => ConnectionState::Connected,
        1 => ConnectionState::DisconnectedSince(reader.time("time of disconnection")?),
        _ => return Err(reader.invalid("connection state", Problem::Meaningless)),
    };
    let will = match reader.byte("Will")? {
        0 => None,
        1 => Some(read_will(reader)?.to_state()),
        _ => return Err(reader.invalid("Will", Problem::Meaningless)),
    };
    let mut state = SessionState {
        id,
        client_id,
        expiry_seconds,
        connection,
        will,
        subscriptions: Vec::new(),
        unreleased: Vec::new(),
        in_flight: Vec::new(),
        queue: VecDeque::new(),
    };
    // Grown as they come: what a count claims is not to be believed before.
    for _ in 0..reader.count("number of subscriptions")? {
        state.subscriptions.push(read_subscription(reader)?);
    }
    for _ in 0..reader.count("number of inbound identifiers")? {
        state.unreleased.push(reader.packet_id()?);
    }
    let mut former = Position::NONE;
    for _ in 0..reader.count("number of publications in flight")? {
        let in_flight = read_in_flight(reader, former)?;
        former = in_flight.queued.as_ref().map_or(former, |queued| queued.position);
        state.in_flight.push(in_flight);
    }
    Ok(state)
}

fn read_subscription(reader: &mut Reader<'_>) -> Result<SubscriptionState, InvalidRecord> {
    let filter = Box::from(reader.text("Topic Filter")?);
    let options = read_options(reader)?;
    let identifier = read_identifier(reader)?;
    let share_name_bytes = read_share_name_bytes(reader, &filter)?;
    let retained = match reader.byte("retained state")? {
        0 => RetainedState::Nothing,
        1 => RetainedState::FromStart,
        2 => RetainedState::From(reader.bytes("retained cursor")?.to_vec()),
        _ => return Err(reader.invalid("retained state", Problem::Meaningless)),
    };
    Ok(SubscriptionState { filter, options, identifier, share_name_bytes, retained })
}

/// Subscription options, as the byte of SUBSCRIBE in 5.0.
pub(in crate::journal) fn read_options(
    reader: &mut Reader<'_>,
) -> Result<SubscriptionOptions, InvalidRecord> {
    const PART: &str = "subscription options";
    let byte = reader.byte(PART)?;
    SubscriptionOptions::from_byte(byte, ProtocolVersion::V5)
        .map_err(|_| reader.invalid(PART, Problem::Meaningless))
}

/// A Subscription Identifier, 0 for none.
pub(in crate::journal) fn read_identifier(reader: &mut Reader<'_>) -> Result<u32, InvalidRecord> {
    const PART: &str = "Subscription Identifier";
    let identifier = reader.u32(PART)?;
    if identifier > IDENTIFIER_MAX {
        return Err(reader.invalid(PART, Problem::TooLarge));
    }
    Ok(identifier)
}

const IDENTIFIER_MAX: u32 = 268_435_455;

/// The length of the ShareName in a filter, which must be a legal one either way: to a subscription of 3.x,
/// `$share/` is text like any other.
pub(in crate::journal) fn read_share_name_bytes(
    reader: &mut Reader<'_>,
    filter: &str,
) -> Result<Option<usize>, InvalidRecord> {
    let bytes = usize::from(reader.u16("ShareName length")?);
    let is_legal = if bytes == 0 {
        let unshared = if filter.starts_with("$share/") { &filter[1..] } else { filter };
        TopicFilterRef::new(unshared).is_ok()
    } else {
        let share_name_bytes = |filter: TopicFilterRef<'_>| filter.share_name().map(str::len);
        TopicFilterRef::new(filter).is_ok_and(|filter| share_name_bytes(filter) == Some(bytes))
    };
    if !is_legal {
        return Err(reader.invalid("Topic Filter", Problem::Meaningless));
    }
    Ok((bytes > 0).then_some(bytes))
}

fn read_in_flight(reader: &mut Reader<'_>, former: Position) -> Result<InFlightState, InvalidRecord> {
    let packet_id = reader.packet_id()?;
    let flags = reader.flags(QOS_BITS | RECEIVED | HAS_MESSAGE, "byte of flags of a publication")?;
    let qos = promised_qos(reader, flags)?;
    let step = if flags & RECEIVED == 0 { Step::Published } else { Step::Received };
    let mut queued = None;
    if flags & HAS_MESSAGE != 0 {
        queued = Some(read_entry(reader, former)?);
    }
    Ok(InFlightState { packet_id, qos, step, queued })
}

/// A Will.
pub(in crate::journal) fn read_will<'a>(reader: &mut Reader<'a>) -> Result<WillRef<'a>, InvalidRecord> {
    let flags = reader.flags(QOS_BITS | RETAIN | EXPIRES, "byte of flags of a Will")?;
    let qos = reader.qos(flags)?;
    let delay_seconds = reader.u32("Will Delay")?;
    let mut expiry_seconds = None;
    if flags & EXPIRES != 0 {
        expiry_seconds = Some(reader.u32("expiry of a Will")?);
    }
    let topic = reader.text("topic of a Will")?;
    let properties = reader.bytes("properties of a Will")?;
    let payload = reader.bytes("payload of a Will")?;
    let is_legal = TopicNameRef::new(topic).is_ok()
        && Properties::<Borrowed<'_>>::from_raw(PropertyOwner::Publish, properties).is_ok();
    if !is_legal {
        return Err(reader.invalid("Will", Problem::Meaningless));
    }
    let retain = flags & RETAIN != 0;
    Ok(WillRef { topic, properties, payload, qos, retain, delay_seconds, expiry_seconds })
}

/// A message in a queue.
#[inline]
pub(in crate::journal) fn read_entry(
    reader: &mut Reader<'_>,
    former: Position,
) -> Result<QueuedState, InvalidRecord> {
    let position = reader.position_of_message(former)?;
    let bytes = reader.u32("message length")?;
    let expires_at = reader.time("message expiry")?;
    let Delivery { qos, retain, rest } = read_delivery(reader)?;
    let (recorded, writer) = (Position::NONE, ShardId(0));
    Ok(QueuedState { position, recorded, expires_at, rest, bytes, writer, qos, retain })
}

/// How a message is delivered to one session.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::journal) struct Delivery {
    /// 1 or 2.
    pub(in crate::journal) qos: QoS,
    /// The RETAIN flag.
    pub(in crate::journal) retain: bool,
    /// What few messages have.
    pub(in crate::journal) rest: Option<Box<QueuedRest>>,
}

/// How a message is delivered to one session.
#[inline]
pub(in crate::journal) fn read_delivery(reader: &mut Reader<'_>) -> Result<Delivery, InvalidRecord> {
    let flags = reader.flags(QOS_BITS | RETAIN | HAS_IDENTIFIERS | HAS_GROUP, "byte of flags of a target")?;
    let qos = promised_qos(reader, flags)?;
    let rest =
        if flags & (HAS_IDENTIFIERS | HAS_GROUP) == 0 { None } else { Some(read_rest(reader, flags)?) };
    Ok(Delivery { qos, retain: flags & RETAIN != 0, rest })
}

#[inline(never)]
fn read_rest(reader: &mut Reader<'_>, flags: u8) -> Result<Box<QueuedRest>, InvalidRecord> {
    let mut rest = QueuedRest::default();
    if flags & HAS_IDENTIFIERS != 0 {
        let count = reader.count("number of Subscription Identifiers")?;
        rest.identifiers = (0..count).map(|_| read_identifier(reader)).collect::<Result<_, _>>()?;
    }
    if flags & HAS_GROUP != 0 {
        rest.group = Some(Box::from(reader.text("shared subscription")?));
    }
    Ok(Box::new(rest))
}

fn promised_qos(reader: &Reader<'_>, flags: u8) -> Result<QoS, InvalidRecord> {
    match reader.qos(flags)? {
        QoS::AtMostOnce => Err(reader.invalid("QoS", Problem::Meaningless)),
        qos @ (QoS::AtLeastOnce | QoS::ExactlyOnce) => Ok(qos),
    }
}
