//! Owns what must hold for any bytes whatever: the bodies of the fuzz targets, which the tests run on
//! stable over the committed corpus and over mutated packets. Where the bytes come from is not known here.

use bytes::Bytes;
use mqtt_codec::{
    DecodeError, Frame, MAXIMUM_PACKET_BYTES, Packet, PacketRef, Properties, PropertyId, ProtocolVersion,
    QoS, Storage, TopicFilterRef, TopicNameRef, frame,
    packet::{Connect, Publish, PublishRun, Subscribe},
};

const VERSIONS: [ProtocolVersion; 3] = [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5];

/// Decoding ends in a packet or an error that names itself; whatever is asked of the packet is answered.
pub(crate) fn decode(input: &[u8]) {
    for version in VERSIONS {
        match first_frame(input, version) {
            Ok(None) => {}
            Ok(Some(frame)) => match PacketRef::decode(frame, version) {
                Ok(packet) => ask_everything(&packet),
                Err(error) => assert!(!error.to_string().is_empty()),
            },
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Whether any version takes the input for a packet.
pub(crate) fn is_accepted(input: &[u8]) -> bool {
    VERSIONS.iter().any(|&version| {
        first_frame(input, version)
            .is_ok_and(|found| found.is_some_and(|frame| PacketRef::decode(frame, version).is_ok()))
    })
}

/// What decodes encodes, to a packet that is equal; what another version can encode it can decode. The
/// owned packet is equal to the borrowed one.
pub(crate) fn round_trip(input: &[u8]) {
    for version in VERSIONS {
        let Ok(Some(found)) = first_frame(input, version) else { continue };
        let Ok(borrowed) = PacketRef::decode(found, version) else { continue };
        let bytes = Bytes::from(found.bytes.to_vec());
        let (owned, length) = Packet::decode_first(&bytes, version, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
        assert_eq!(length, bytes.len());

        let encoded = encode(&owned, version);
        assert_eq!(encoded, encode(&borrowed, version), "owned and borrowed encode alike");
        let named = named_version(&owned, version);
        let (again, length) = Packet::decode_first(&encoded, named, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
        assert_eq!(length, encoded.len());
        assert_eq!(again, owned);
        assert!(encoded.len() <= found.bytes.len(), "our encoding is the shortest");

        for other in VERSIONS {
            let mut out = Vec::new();
            if owned.encode(other, &mut out).is_ok() {
                Packet::decode_first(&Bytes::from(out), named_version(&owned, other), MAXIMUM_PACKET_BYTES)
                    .unwrap()
                    .unwrap();
            }
        }
    }
}

/// However a stream is cut into two reads, the same packets come out of it, and what follows a packet
/// does not change it.
pub(crate) fn stream(input: &[u8]) {
    let input = input.get(..512).unwrap_or(input);
    for version in VERSIONS {
        let (packets, error) = drain(input, version);
        for split in 0..=input.len() {
            let mut decoder = Stream::new(version);
            decoder.receive(&input[..split]);
            decoder.receive(&input[split..]);
            assert_eq!((&decoder.packets, decoder.error), (&packets, error), "cut at {split}");
        }
        // The frame alone says the same as the frame with whatever stood behind it.
        let mut rest = input;
        for (index, packet) in packets.iter().enumerate() {
            let found = first_frame(rest, version).unwrap().unwrap();
            assert_eq!(&drain(found.bytes, version).0, core::slice::from_ref(packet));
            check_run(found, rest, version, &packets[index..]);
            rest = &rest[found.bytes.len()..];
        }
    }
}

/// The run that a packet begins is the packets that come next, and they are like it.
fn check_run(first: Frame<'_>, input: &[u8], version: ProtocolVersion, packets: &[Packet]) {
    let Ok(PacketRef::Publish(publish)) = PacketRef::decode(first, version) else { return };
    let Some(run) = PublishRun::of(&publish, input, 128, 512) else { return };
    let each: Vec<_> = run.packets().collect();
    assert!(each.len() == run.count as usize && !each.is_empty(), "{run:?}");
    assert_eq!(each.iter().map(|(_, alike)| alike.payload.len()).sum::<usize>(), run.payload_bytes as usize);
    assert_eq!(run.bytes, each.iter().map(|(bytes, _)| *bytes).collect::<Vec<_>>().concat());
    for ((bytes, alike), packet) in each.into_iter().zip(packets) {
        assert!(bytes.len() <= run.packet_bytes_max as usize && bytes.len() <= 128);
        assert_eq!(&drain(bytes, version).0, core::slice::from_ref(packet));
        assert_eq!(alike, Publish { payload: alike.payload, ..publish.clone() });
        let mut encoded = Vec::new();
        alike.encode(version, &mut encoded).expect("it was decoded");
        assert_eq!(encoded, bytes, "nothing but the payload differs");
    }
}

/// The first zero byte divides a Topic Filter from a Topic Name. Legality and matching agree with a
/// reference that is written for clarity.
pub(crate) fn topic_match(input: &[u8]) {
    let mut parts = input.splitn(2, |&byte| byte == 0);
    let (filter, topic) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (Ok(filter), Ok(topic)) = (str::from_utf8(filter), str::from_utf8(topic)) else { return };
    let name = TopicNameRef::new(topic);
    assert_eq!(name.is_ok(), reference::is_topic_name(topic), "{topic:?}");
    let parsed = TopicFilterRef::new(filter);
    assert_eq!(parsed.is_ok(), reference::is_topic_filter(filter), "{filter:?}");
    if let (Ok(parsed), Ok(name)) = (parsed, name) {
        let matched = reference::without_share(filter);
        assert_eq!(parsed.matched(), matched);
        assert_eq!(parsed.matches(&name), reference::matches(matched, topic), "{filter:?} {topic:?}");
        assert_eq!(parsed.to_owned().matches(&name.to_owned()), parsed.matches(&name));
    }
}

fn first_frame(input: &[u8], version: ProtocolVersion) -> Result<Option<Frame<'_>>, DecodeError> {
    frame(input, version, MAXIMUM_PACKET_BYTES)
}

fn encode<S: Storage>(packet: &Packet<S>, version: ProtocolVersion) -> Bytes {
    let mut out = Vec::new();
    packet.encode(version, &mut out).unwrap();
    Bytes::from(out)
}

/// A CONNECT is written in the version it names.
fn named_version(packet: &Packet, version: ProtocolVersion) -> ProtocolVersion {
    match packet {
        Packet::Connect(Connect { version, .. }) => *version,
        _ => version,
    }
}

/// The packets of a buffer, up to the end or the first error.
fn drain(input: &[u8], version: ProtocolVersion) -> (Vec<Packet>, Option<DecodeError>) {
    let mut stream = Stream::new(version);
    stream.receive(input);
    (stream.packets, stream.error)
}

struct Stream {
    version: ProtocolVersion,
    buffer: Vec<u8>,
    packets: Vec<Packet>,
    error: Option<DecodeError>,
}

impl Stream {
    fn new(version: ProtocolVersion) -> Self {
        Self { version, buffer: Vec::new(), packets: Vec::new(), error: None }
    }

    fn receive(&mut self, input: &[u8]) {
        self.buffer.extend_from_slice(input);
        while self.error.is_none() {
            let bytes = Bytes::from(self.buffer.clone());
            match Packet::decode_first(&bytes, self.version, MAXIMUM_PACKET_BYTES) {
                Ok(None) => return,
                Ok(Some((packet, length))) => {
                    self.packets.push(packet);
                    self.buffer.drain(..length);
                }
                Err(error) => self.error = Some(error),
            }
        }
    }
}

/// Every question a packet can be asked.
fn ask_everything(packet: &PacketRef<'_>) {
    let properties = match packet {
        Packet::Connect(connect) => {
            if let Some(will) = &connect.will {
                ask_properties(&will.properties);
                assert!(will.qos <= QoS::ExactlyOnce);
            }
            &connect.properties
        }
        Packet::ConnAck(packet) => &packet.properties,
        Packet::Publish(packet) => {
            assert!(packet.topic.is_some() || packet.properties.topic_alias().is_some());
            assert_eq!(packet.delivery.packet_id().is_some(), packet.delivery.qos() > QoS::AtMostOnce);
            &packet.properties
        }
        Packet::PubAck(packet)
        | Packet::PubRec(packet)
        | Packet::PubRel(packet)
        | Packet::PubComp(packet) => &packet.properties,
        Packet::Subscribe(packet) => {
            assert!(packet.subscriptions().count() > 0);
            assert_eq!(total_bytes(packet), filter_bytes(packet));
            &packet.properties
        }
        Packet::SubAck(packet) => {
            assert!(packet.reason_codes().count() > 0);
            &packet.properties
        }
        Packet::Unsubscribe(packet) => {
            assert!(packet.filters().count() > 0);
            &packet.properties
        }
        Packet::UnsubAck(packet) => &packet.properties,
        Packet::Disconnect(packet) => &packet.properties,
        Packet::Auth(packet) => &packet.properties,
        Packet::PingReq | Packet::PingResp => return,
    };
    ask_properties(properties);
}

/// Listing loses none: filters with their lengths and options fill the payload.
fn filter_bytes<S: Storage>(packet: &Subscribe<S>) -> usize {
    packet.subscriptions().map(|subscription| subscription.filter.as_str().len() + 3).sum()
}

fn total_bytes<S: Storage>(packet: &Subscribe<S>) -> usize {
    let mut out = Vec::new();
    let packet = Packet::Subscribe(packet.clone());
    packet.encode(ProtocolVersion::V311, &mut out).unwrap();
    let frame = first_frame(&out, ProtocolVersion::V311).unwrap().unwrap();
    frame.body().len() - 2
}

fn ask_properties<S: Storage>(properties: &Properties<S>) {
    let mut listed = 0;
    for property in properties {
        let mut bytes = Vec::new();
        property.encode(&mut bytes).unwrap();
        listed += bytes.len();
        assert!(properties.contains(property.id()));
    }
    assert_eq!(listed, properties.raw().len(), "listing loses none");
    for &id in PropertyId::ALL {
        let first = properties.iter().find(|property| property.id() == id);
        assert_eq!(properties.contains(id), first.is_some());
    }
    let names = properties.iter().filter(|property| property.id() == PropertyId::UserProperty).count();
    assert_eq!(properties.user_properties().count(), names);
}

/// What the standards say of topics, one rule at a time.
mod reference {
    pub(crate) fn is_topic_name(topic: &str) -> bool {
        (1..=65_535).contains(&topic.len()) && !topic.contains(['\0', '+', '#'])
    }

    pub(crate) fn is_topic_filter(filter: &str) -> bool {
        if filter.len() > 65_535 {
            return false;
        }
        let levels: Vec<&str> = filter.split('/').collect();
        if levels.len() > 1 && levels[0] == "$share" {
            let name = levels[1];
            let has_filter = levels.len() > 2 && !levels[2..].join("/").is_empty();
            return !name.is_empty() && !name.contains(['+', '#']) && has_filter && is_plain(&levels[2..]);
        }
        !filter.is_empty() && is_plain(&levels)
    }

    fn is_plain(levels: &[&str]) -> bool {
        levels.iter().enumerate().all(|(index, &level)| match level {
            "+" => true,
            "#" => index + 1 == levels.len(),
            _ => !level.contains(['\0', '+', '#']),
        })
    }

    pub(crate) fn without_share(filter: &str) -> &str {
        match filter.strip_prefix("$share/") {
            Some(rest) => &rest[rest.find('/').unwrap() + 1..],
            None => filter,
        }
    }

    pub(crate) fn matches(filter: &str, topic: &str) -> bool {
        let filter: Vec<&str> = filter.split('/').collect();
        let topic: Vec<&str> = topic.split('/').collect();
        let hidden = topic[0].starts_with('$') && matches!(filter[0], "+" | "#");
        !hidden && matches_levels(&filter, &topic)
    }

    fn matches_levels(filter: &[&str], topic: &[&str]) -> bool {
        match (filter.split_first(), topic.split_first()) {
            (Some((&"#", _)), _) => true,
            (Some((&"+", filter)), Some((_, topic))) => matches_levels(filter, topic),
            (Some((level, filter)), Some((name, topic))) => level == name && matches_levels(filter, topic),
            (None, None) => true,
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}
