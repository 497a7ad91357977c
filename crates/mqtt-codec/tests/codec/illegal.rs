//! Owns the list of illegal packets, each with what is wrong with it. What the reason code and statement
//! of a violation are is in `errors`.

use super::hex;
use mqtt_codec::{
    DecodeError, MAXIMUM_PACKET_BYTES, PacketRef,
    ProtocolVersion::{self, V5, V31, V311},
    Violation::{self, *},
    frame,
};

/// The first packet of `input`, which is all there.
pub(crate) fn decode(input: &[u8], version: ProtocolVersion) -> Result<PacketRef<'_>, DecodeError> {
    let frame = frame(input, version, MAXIMUM_PACKET_BYTES)?.expect("the packet is complete");
    PacketRef::decode(frame, version)
}

const ALL: &[ProtocolVersion] = &[V31, V311, V5];
const V3: &[ProtocolVersion] = &[V31, V311];
const ONLY_V311: &[ProtocolVersion] = &[V311];
const ONLY_V5: &[ProtocolVersion] = &[V5];

#[rustfmt::skip]
const ILLEGAL: &[(&str, &[ProtocolVersion], Violation)] = &[
    // The fixed header: [MQTT5-3.6.1-1] [MQTT5-3.8.1-1] [MQTT5-3.10.1-1] [MQTT5-3.15.1-1] for the flags.
    ("00 #", ALL, PacketTypeReserved),
    ("0f #", ALL, PacketTypeReserved),
    ("f0 #", V3, PacketTypeReserved),
    ("f0 # 18 (15 'a')", V3, PacketTypeReserved),
    // [MQTT311-2.2.2-1] [MQTT311-2.2.2-2] [MQTT311-3.8.1-1] [MQTT311-3.10.1-1]
    ("11 # 'MQTT' 04 02 003c 'cid'", ALL, FixedHeaderFlags),
    ("12 # 'MQTT' 05 02 003c () 'cid'", ALL, FixedHeaderFlags),
    ("21 # 00 00", ALL, FixedHeaderFlags),
    ("28 # 00 00 ()", ALL, FixedHeaderFlags),
    ("41 # 0001", ALL, FixedHeaderFlags),
    ("42 # 0001", ALL, FixedHeaderFlags),
    ("52 # 0001", ALL, FixedHeaderFlags),
    ("60 # 0001", ALL, FixedHeaderFlags),
    ("63 # 0001", ALL, FixedHeaderFlags),
    ("66 # 0001", ALL, FixedHeaderFlags),
    ("6a # 0001", &[V311, V5], FixedHeaderFlags),
    ("71 # 0001", ALL, FixedHeaderFlags),
    ("80 # 0001 'a' 00", ALL, FixedHeaderFlags),
    ("83 # 0001 'a' 00", ALL, FixedHeaderFlags),
    ("8a # 0001 'a' 00", &[V311, V5], FixedHeaderFlags),
    ("92 # 0001 00", ALL, FixedHeaderFlags),
    ("a0 # 0001 'a'", ALL, FixedHeaderFlags),
    ("a6 # 0001 'a'", ALL, FixedHeaderFlags),
    ("b2 # 0001", ALL, FixedHeaderFlags),
    ("c1 #", ALL, FixedHeaderFlags),
    ("c8 #", ALL, FixedHeaderFlags),
    ("d4 #", ALL, FixedHeaderFlags),
    ("e2 #", ALL, FixedHeaderFlags),
    ("f1 # 18 (15 'a')", ONLY_V5, FixedHeaderFlags),
    ("36 # 'a' 0001", ALL, PublishQoS3),
    ("3e # 'a' 0001", ALL, PublishQoS3),
    ("38 # 'a'", ALL, DupAtQoS0),
    ("39 # 'a' ()", ALL, DupAtQoS0),
    ("c0 80 80 80 80 00", ALL, RemainingLength),
    ("c0 80 80 80 80 01", ALL, RemainingLength),
    ("30 ff ff ff ff 7f", ALL, RemainingLength),
    ("c0 80 00", ALL, RemainingLength),
    ("40 82 00 00 01", ALL, RemainingLength),
    ("40 82 80 80 00 00 01", ALL, RemainingLength),
    // CONNECT. All that the flags announce is there, and nothing else: [MQTT5-3.1.2-9] [MQTT5-3.1.2-16]
    // [MQTT5-3.1.2-17] [MQTT5-3.1.2-18] [MQTT5-3.1.2-19]. The Client Identifier comes first: [MQTT5-3.1.3-3].
    // What is text is legal text: [MQTT5-3.1.3-4] [MQTT5-3.1.3-11] [MQTT5-3.1.3-12].
    ("10 #", ALL, FieldPastEnd),
    ("10 # 'MQTT'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 04", ALL, FieldPastEnd),
    ("10 # 'MQTT' 04 02", ALL, FieldPastEnd),
    ("10 # 'MQTT' 04 02 00", ALL, FieldPastEnd),
    ("10 # 'MQTT' 04 02 003c", ALL, FieldPastEnd),
    ("10 # 'MQTT' 04 02 003c 0004 <cid>", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 02 003c 'cid'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 02 003c ()", ALL, FieldPastEnd),
    // [MQTT311-3.1.2-18] [MQTT311-3.1.2-20]: what no flag announces is too much.
    ("10 # 'MQTT' 04 02 003c 'cid' 00", ALL, TrailingBytes),
    ("10 # 'MQTT' 04 02 003c 'cid' 'user'", ALL, TrailingBytes),
    // [MQTT311-3.1.2-9] [MQTT311-3.1.2-19] [MQTT311-3.1.2-21]: what a flag announces is missed.
    ("10 # 'MQTT' 04 06 003c 'cid'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 04 06 003c 'cid' 'topic'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 06 003c () 'cid'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 06 003c () 'cid' ()", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 06 003c () 'cid' () 'topic'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 82 003c () 'cid'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 42 003c () 'cid'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 c2 003c () 'cid' 'user'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 05 02 003c () 'cid' 'user'", ALL, TrailingBytes),
    ("10 # 'MQTT' 05 82 003c () 'cid' 'user' 'pass'", ALL, TrailingBytes),
    ("10 # 'MQTT' 05 42 003c () 'cid' 'user' 'pass'", ALL, TrailingBytes),
    ("10 # 'MQTT' 05 02 003c () 0001 ff", ALL, TextNotUtf8),
    ("10 # 'MQTT' 05 82 003c () 'cid' 0001 ff", ALL, TextNotUtf8),
    ("10 # 'MQTT' 05 82 003c () 'cid' 0001 00", ALL, TextHasNul),
    ("10 # 'MQTT' 04 82 003c 'cid'", ALL, FieldPastEnd),
    ("10 # 'MQTT' 04 c2 003c 'cid' 'user'", ALL, FieldPastEnd),
    ("10 # 'MQIsdp' 03 c2 003c 'cid' 0004 <use>", ALL, FieldPastEnd),
    ("10 # 'mqtt' 04 02 003c 'cid'", ALL, ProtocolName),
    ("10 # 'MQTT ' 04 02 003c 'cid'", ALL, ProtocolName),
    ("10 # '' 04 02 003c 'cid'", ALL, ProtocolName),
    ("10 # 0004 <MQT> ff 04 02 003c 'cid'", ALL, ProtocolName),
    ("10 # 'MQTT' 03 02 003c 'cid'", ALL, ProtocolLevel),
    ("10 # 'MQTT' 06 02 003c 'cid'", ALL, ProtocolLevel),
    ("10 # 'MQTT' 84 02 003c 'cid'", ALL, ProtocolLevel),
    ("10 # 'MQIsdp' 04 02 003c 'cid'", ALL, ProtocolLevel),
    ("10 # 'MQIsdp' 05 02 003c () 'cid'", ALL, ProtocolLevel),
    ("10 # 'MQTT' 04 03 003c 'cid'", ALL, ConnectFlagReserved),
    ("10 # 'MQTT' 05 01 003c () 'cid'", ALL, ConnectFlagReserved),
    // [MQTT311-3.1.2-11] [MQTT311-3.1.2-13] [MQTT311-3.1.2-14] [MQTT311-3.1.2-15]
    ("10 # 'MQTT' 04 0a 003c 'cid'", ALL, WillQoSWithoutWill),
    ("10 # 'MQTT' 05 12 003c () 'cid'", ALL, WillQoSWithoutWill),
    ("10 # 'MQTT' 04 1e 003c 'cid' 'topic' 'gone'", ALL, WillQoS3),
    ("10 # 'MQTT' 05 1e 003c () 'cid' () 'topic' 'gone'", ALL, WillQoS3),
    ("10 # 'MQIsdp' 03 1e 003c 'cid' 'topic' 'gone'", ALL, WillQoS3),
    ("10 # 'MQTT' 04 22 003c 'cid'", ALL, WillRetainWithoutWill),
    ("10 # 'MQTT' 05 22 003c () 'cid'", ALL, WillRetainWithoutWill),
    ("10 # 'MQTT' 04 42 003c 'cid' 'pass'", ALL, PasswordWithoutUserName),
    ("10 # 'MQIsdp' 03 42 003c 'cid' 'pass'", ALL, PasswordWithoutUserName),
    // [MQTT311-3.1.3-4] [MQTT311-3.1.3-11]
    ("10 # 'MQTT' 04 02 003c 0001 ff", ALL, TextNotUtf8),
    ("10 # 'MQTT' 04 02 003c 0003 eda080", ALL, TextNotUtf8),
    ("10 # 'MQTT' 04 02 003c 0002 c080", ALL, TextNotUtf8),
    ("10 # 'MQTT' 04 02 003c 0003 <a> 00 <b>", ALL, TextHasNul),
    ("10 # 'MQTT' 04 82 003c 'cid' 0002 c3 28", ALL, TextNotUtf8),
    ("10 # 'MQTT' 04 82 003c 'cid' 0001 00", ALL, TextHasNul),
    ("10 # 'MQTT' 04 06 003c 'cid' '' 'gone'", ALL, TopicEmpty),
    ("10 # 'MQTT' 04 06 003c 'cid' 'a/#' 'gone'", ALL, TopicNameWildcard),
    ("10 # 'MQTT' 05 06 003c () 'cid' () '+' 'gone'", ALL, TopicNameWildcard),
    ("10 # 'MQTT' 05 06 003c () 'cid' () 0001 80 'gone'", ALL, TextNotUtf8),
    ("10 # 'MQTT' 05 06 003c () 'cid' () 0001 00 'gone'", ALL, TextHasNul),
    ("10 # 'MQTT' 05 02 003c (16 0001 00) 'cid'", ALL, AuthenticationDataWithoutMethod),
    ("10 # 'MQTT' 05 02 003c (21 0000) 'cid'", ALL, PropertyValue),
    ("10 # 'MQTT' 05 02 003c (27 00000000) 'cid'", ALL, PropertyValue),
    ("10 # 'MQTT' 05 02 003c (17 02) 'cid'", ALL, PropertyValue),
    ("10 # 'MQTT' 05 02 003c (19 ff) 'cid'", ALL, PropertyValue),
    ("10 # 'MQTT' 05 02 003c (18 00000001) 'cid'", ALL, PropertyNotAllowed),
    ("10 # 'MQTT' 05 06 003c () 'cid' (11 00000001) 'topic' 'gone'", ALL, PropertyNotAllowed),
    ("10 # 'MQTT' 05 06 003c () 'cid' (01 02) 'topic' 'gone'", ALL, PropertyValue),
    ("10 # 'MQTT' 05 06 003c () 'cid' (08 'a/+') 'topic' 'gone'", ALL, ResponseTopicWildcard),
    // CONNACK.
    ("20 #", ALL, FieldPastEnd),
    ("20 # 00", ALL, FieldPastEnd),
    ("20 # 00 00", ONLY_V5, FieldPastEnd),
    ("20 # 00 00 00", V3, TrailingBytes),
    ("20 # 00 00 () 00", ONLY_V5, TrailingBytes),
    ("20 # 02 00", ONLY_V311, ConnAckFlagsReserved),
    ("20 # 80 00 ()", ONLY_V5, ConnAckFlagsReserved),
    // [MQTT311-3.2.2-4]
    ("20 # 01 05", ONLY_V311, SessionPresentOnError),
    ("20 # 01 87 ()", ONLY_V5, SessionPresentOnError),
    ("20 # 00 06", V3, ReasonCodeUnknown),
    ("20 # 00 80", V3, ReasonCodeUnknown),
    ("20 # 00 01 ()", ONLY_V5, ReasonCodeUnknown),
    ("20 # 00 8e ()", ONLY_V5, ReasonCodeUnknown),
    ("20 # 00 00 (24 02)", ONLY_V5, PropertyValue),
    ("20 # 00 00 (25 02)", ONLY_V5, PropertyValue),
    ("20 # 00 00 (28 02)", ONLY_V5, PropertyValue),
    ("20 # 00 00 (29 02)", ONLY_V5, PropertyValue),
    ("20 # 00 00 (2a 02)", ONLY_V5, PropertyValue),
    // PUBLISH. Its texts are legal texts: [MQTT5-1.5.7-1] [MQTT5-3.3.2-13] [MQTT5-3.3.2-19].
    // It begins with its Topic Name [MQTT311-3.3.2-1].
    ("30 #", ALL, FieldPastEnd),
    ("30 # 00", ALL, FieldPastEnd),
    ("30 # 0004 <a/b>", ALL, FieldPastEnd),
    ("30 # ffff <a/b>", ALL, FieldPastEnd),
    ("30 # 'a/b'", ONLY_V5, FieldPastEnd),
    ("32 # 'a/b'", ALL, FieldPastEnd),
    ("32 # 'a/b' 00", ALL, FieldPastEnd),
    ("32 # 'a/b' 0000", ALL, PacketIdZero),
    ("34 # 'a/b' 0000 ()", ALL, PacketIdZero),
    ("30 # ''", V3, TopicEmpty),
    ("30 # '' ()", ONLY_V5, TopicEmptyWithoutAlias),
    ("30 # '' (01 00) <x>", ONLY_V5, TopicEmptyWithoutAlias),
    ("30 # '#' ()", ALL, TopicNameWildcard),
    ("30 # 'a/+/b' ()", ALL, TopicNameWildcard),
    ("30 # 'a#' ()", ALL, TopicNameWildcard),
    ("30 # 0003 <a> 00 <b> ()", ALL, TextHasNul),
    ("30 # 0003 <#> 00 <b> ()", ALL, TextHasNul),
    ("30 # 0001 80 ()", ALL, TextNotUtf8),
    ("30 # 0002 c0af ()", ALL, TextNotUtf8),
    ("30 # 0003 eda080 ()", ALL, TextNotUtf8),
    ("30 # 0003 edbfbf ()", ALL, TextNotUtf8),
    ("30 # 0004 f4908080 ()", ALL, TextNotUtf8),
    ("30 # 0003 <a> e282 ()", ALL, TextNotUtf8),
    ("30 # 'a' (23 0000)", ONLY_V5, TopicAliasZero),
    ("30 # 'a' (23 0001 23 0001)", ONLY_V5, PropertyRepeated),
    ("30 # 'a' (08 'b/#')", ONLY_V5, ResponseTopicWildcard),
    ("30 # 'a' (08 '')", ONLY_V5, TopicEmpty),
    ("30 # 'a' (08 0001 ff)", ONLY_V5, TextNotUtf8),
    ("30 # 'a' (0b 00)", ONLY_V5, PropertyValue),
    ("30 # 'a' (0b 80808001 0b 8080808001)", ONLY_V5, VariableByteInteger),
    ("30 # 'a' (0b 8100)", ONLY_V5, VariableByteInteger),
    ("30 # 'a' (01 02)", ONLY_V5, PropertyValue),
    ("30 # 'a' (03 0001 ff)", ONLY_V5, TextNotUtf8),
    ("30 # 'a' (26 0001 ff 'v')", ONLY_V5, TextNotUtf8),
    ("30 # 'a' (26 'n' 0001 00)", ONLY_V5, TextHasNul),
    ("30 # 'a' (26 'n')", ONLY_V5, FieldPastEnd),
    ("30 # 'a' (02 000000)", ONLY_V5, FieldPastEnd),
    ("30 # 'a' (09 0005 01020304)", ONLY_V5, FieldPastEnd),
    ("30 # 'a' (0b)", ONLY_V5, FieldPastEnd),
    ("30 # 'a' (01)", ONLY_V5, FieldPastEnd),
    ("30 # 'a' (00 00)", ONLY_V5, PropertyUnknown),
    ("30 # 'a' (04 00)", ONLY_V5, PropertyUnknown),
    ("30 # 'a' (2b 00)", ONLY_V5, PropertyUnknown),
    ("30 # 'a' (ff01 00)", ONLY_V5, PropertyUnknown),
    ("30 # 'a' (8100 01)", ONLY_V5, VariableByteInteger),
    ("30 # 'a' (1f 'why')", ONLY_V5, PropertyNotAllowed),
    ("30 # 'a' 05 01 00", ONLY_V5, FieldPastEnd),
    ("30 # 'a' 80", ONLY_V5, FieldPastEnd),
    ("30 # 'a' 8000", ONLY_V5, VariableByteInteger),
    ("30 # 'a' 8080808001 00", ONLY_V5, VariableByteInteger),
    // PUBACK, PUBREC, PUBREL, PUBCOMP.
    ("40 #", ALL, FieldPastEnd),
    ("40 # 00", ALL, FieldPastEnd),
    ("40 # 0000", ALL, PacketIdZero),
    ("50 # 0000", ALL, PacketIdZero),
    ("62 # 0000", ALL, PacketIdZero),
    ("70 # 0000", ALL, PacketIdZero),
    ("40 # 0001 00", V3, TrailingBytes),
    ("62 # 0001 00 00", V3, TrailingBytes),
    ("40 # 0001 00 () 00", ONLY_V5, TrailingBytes),
    ("40 # 0001 01", ONLY_V5, ReasonCodeUnknown),
    ("40 # 0001 92", ONLY_V5, ReasonCodeUnknown),
    ("50 # 0001 81 ()", ONLY_V5, ReasonCodeUnknown),
    ("62 # 0001 10", ONLY_V5, ReasonCodeUnknown),
    ("62 # 0001 80", ONLY_V5, ReasonCodeUnknown),
    ("70 # 0001 97 ()", ONLY_V5, ReasonCodeUnknown),
    ("40 # 0001 00 (1f 'a' 1f 'b')", ONLY_V5, PropertyRepeated),
    ("40 # 0001 00 (03 'a')", ONLY_V5, PropertyNotAllowed),
    ("70 # 0001 00 05 1f 'a'", ONLY_V5, FieldPastEnd),
    // SUBSCRIBE, with filters that are legal text: [MQTT5-3.8.3-1].
    ("82 #", ALL, FieldPastEnd),
    ("82 # 0000 'a' 00", V3, PacketIdZero),
    ("82 # 0000 () 'a' 00", ONLY_V5, PacketIdZero),
    ("82 # 0001", V3, SubscribeEmpty),
    ("82 # 0001 ()", ONLY_V5, SubscribeEmpty),
    ("82 # 0001", ONLY_V5, FieldPastEnd),
    ("82 # 0001 'a'", V3, FieldPastEnd),
    ("82 # 0001 () 'a'", ONLY_V5, FieldPastEnd),
    ("82 # 0001 () 'a' 00 'b'", ONLY_V5, FieldPastEnd),
    ("82 # 0001 () 'a' 00 0005 <b> 00", ONLY_V5, FieldPastEnd),
    ("82 # 0001 'a' 03", V3, SubscriptionQoS3),
    ("82 # 0001 () 'a' 03", ONLY_V5, SubscriptionQoS3),
    ("82 # 0001 'a' 04", V3, SubscriptionOptionsReserved),
    ("82 # 0001 'a' 80", V3, SubscriptionOptionsReserved),
    ("82 # 0001 () 'a' 40", ONLY_V5, SubscriptionOptionsReserved),
    ("82 # 0001 () 'a' 80", ONLY_V5, SubscriptionOptionsReserved),
    ("82 # 0001 () 'a' 30", ONLY_V5, RetainHandling3),
    ("82 # 0001 () '$share/g/a' 04", ONLY_V5, NoLocalOnShared),
    ("82 # 0001 '' 00", V3, TopicEmpty),
    ("82 # 0001 () '' 00", ONLY_V5, TopicEmpty),
    ("82 # 0001 () 'a/#/b' 00", ONLY_V5, MultiLevelWildcard),
    ("82 # 0001 'a#' 00", V3, MultiLevelWildcard),
    ("82 # 0001 '##' 00", V3, MultiLevelWildcard),
    ("82 # 0001 '#/' 00", V3, MultiLevelWildcard),
    ("82 # 0001 () 'a+' 00", ONLY_V5, SingleLevelWildcard),
    ("82 # 0001 'a/+b/c' 00", V3, SingleLevelWildcard),
    ("82 # 0001 '++' 00", V3, SingleLevelWildcard),
    ("82 # 0001 () '$share//a' 00", ONLY_V5, ShareNameEmpty),
    ("82 # 0001 () '$share/' 00", ONLY_V5, ShareNameEmpty),
    ("82 # 0001 () '$share/g' 00", ONLY_V5, ShareFilterMissing),
    ("82 # 0001 () '$share/g/' 00", ONLY_V5, ShareFilterMissing),
    ("82 # 0001 () '$share/g+/a' 00", ONLY_V5, ShareNameWildcard),
    ("82 # 0001 () '$share/#/a' 00", ONLY_V5, ShareNameWildcard),
    ("82 # 0001 '$share/#/a' 00", V3, MultiLevelWildcard),
    ("82 # 0001 () '$share/g/a#' 00", ONLY_V5, MultiLevelWildcard),
    // [MQTT311-3.8.3-1]
    ("82 # 0001 0001 ff 00", V3, TextNotUtf8),
    ("82 # 0001 () 0002 <a> 00 00", ONLY_V5, TextHasNul),
    ("82 # 0001 (0b 00) 'a' 00", ONLY_V5, PropertyValue),
    ("82 # 0001 (0b 01 0b 02) 'a' 00", ONLY_V5, PropertyRepeated),
    ("82 # 0001 (0b ffffffff7f) 'a' 00", ONLY_V5, VariableByteInteger),
    ("82 # 0001 (1f 'why') 'a' 00", ONLY_V5, PropertyNotAllowed),
    // SUBACK and UNSUBACK.
    ("90 # 0000 00", V3, PacketIdZero),
    ("90 # 0001", V3, ReasonCodesMissing),
    ("90 # 0001 ()", ONLY_V5, ReasonCodesMissing),
    ("90 # 0001 03", V3, ReasonCodeUnknown),
    ("90 # 0001 81", V3, ReasonCodeUnknown),
    ("90 # 0001 () 00 03", ONLY_V5, ReasonCodeUnknown),
    ("90 # 0001 () 11", ONLY_V5, ReasonCodeUnknown),
    ("90 # 0001 () 81", ONLY_V5, ReasonCodeUnknown),
    ("90 # 0001 (0b 01) 00", ONLY_V5, PropertyNotAllowed),
    ("b0 # 0000", V3, PacketIdZero),
    ("b0 # 0001 00", V3, TrailingBytes),
    ("b0 # 0001", ONLY_V5, FieldPastEnd),
    ("b0 # 0001 ()", ONLY_V5, ReasonCodesMissing),
    ("b0 # 0001 () 01", ONLY_V5, ReasonCodeUnknown),
    ("b0 # 0001 () 97", ONLY_V5, ReasonCodeUnknown),
    // UNSUBSCRIBE, with filters that are legal text: [MQTT5-3.10.3-1].
    ("a2 # 0000 'a'", V3, PacketIdZero),
    ("a2 # 0001", V3, UnsubscribeEmpty),
    ("a2 # 0001 ()", ONLY_V5, UnsubscribeEmpty),
    ("a2 # 0001 'a' 00", V3, FieldPastEnd),
    ("a2 # 0001 () ''", ONLY_V5, TopicEmpty),
    ("a2 # 0001 () 'a/#/b'", ONLY_V5, MultiLevelWildcard),
    ("a2 # 0001 () '$share/g'", ONLY_V5, ShareFilterMissing),
    ("a2 # 0001 (0b 01) 'a'", ONLY_V5, PropertyNotAllowed),
    // [MQTT311-3.10.3-1]
    ("a2 # 0001 0001 ff", V3, TextNotUtf8),
    ("a2 # 0001 () 0001 ff", ONLY_V5, TextNotUtf8),
    ("a2 # 0001 () 0001 00", ONLY_V5, TextHasNul),
    // PINGREQ, PINGRESP, DISCONNECT, AUTH, which always has a method: [MQTT5-4.12.0-5].
    ("c0 # 00", ALL, TrailingBytes),
    ("d0 # 00", ALL, TrailingBytes),
    ("e0 # 00", V3, TrailingBytes),
    ("e0 # 01", ONLY_V5, ReasonCodeUnknown),
    ("e0 # 85 ()", ONLY_V5, ReasonCodeUnknown),
    ("e0 # 00 () 00", ONLY_V5, TrailingBytes),
    ("e0 # 00 (11 00)", ONLY_V5, FieldPastEnd),
    ("e0 # 00 (21 0001)", ONLY_V5, PropertyNotAllowed),
    ("f0 # 18", ONLY_V5, FieldPastEnd),
    ("f0 # 00", ONLY_V5, FieldPastEnd),
    ("f0 # 18 ()", ONLY_V5, AuthenticationMethodMissing),
    ("f0 # 00 ()", ONLY_V5, AuthenticationMethodMissing),
    ("f0 # 18 (1f 'why')", ONLY_V5, AuthenticationMethodMissing),
    ("f0 # 18 (16 0001 00)", ONLY_V5, AuthenticationDataWithoutMethod),
    ("f0 # 18 (15 'a' 15 'a')", ONLY_V5, PropertyRepeated),
    ("f0 # 80 (15 'a')", ONLY_V5, ReasonCodeUnknown),
    ("f0 # 01 (15 'a')", ONLY_V5, ReasonCodeUnknown),
    ("f0 # 18 (15 'a') 00", ONLY_V5, TrailingBytes),
];

#[test]
fn illegal_packets_are_refused_with_what_is_wrong() {
    for &(notation, versions, expected) in ILLEGAL {
        let bytes = hex::bytes(notation);
        for &version in versions {
            match decode(&bytes, version) {
                Ok(packet) => panic!("MQTT {version} accepts {notation}: {packet:?}"),
                Err(error) => assert_eq!(error.violation, expected, "MQTT {version} {notation}"),
            }
        }
    }
}

#[test]
fn every_violation_a_packet_can_commit_is_in_the_list() {
    // The size limit is in `limits`; the rest needs more than one packet, or an owned topic, to be broken.
    let elsewhere = [PacketTooLarge, TopicTooLong, TopicAliasAboveMaximum, TopicAliasUndefined];
    for &violation in Violation::ALL {
        let is_listed = ILLEGAL.iter().any(|&(.., listed)| listed == violation);
        assert!(is_listed != elsewhere.contains(&violation), "{violation:?}");
    }
}

#[test]
fn a_connect_is_judged_and_reported_by_the_version_it_names() {
    let bytes = hex::bytes("10 # 'MQTT' 05 03 003c () 'cid'");
    for version in [V31, V311, V5] {
        let error = decode(&bytes, version).unwrap_err();
        assert_eq!(error.version, V5);
        assert_eq!(error.statement(), Some("MQTT5-3.1.2-3"));
    }
    // One that names none leaves the caller's version to report.
    let bytes = hex::bytes("10 # 'MQTT' 07 02 003c 'cid'");
    assert_eq!(decode(&bytes, V311).unwrap_err().version, V311);
}

#[test]
fn a_fixed_header_is_refused_before_its_body_has_come() {
    for (notation, expected) in
        [("36", None), ("36 05", Some(PublishQoS3)), ("c1 7f", Some(FixedHeaderFlags))]
    {
        let bytes = hex::bytes(notation);
        let found = frame(&bytes, V5, MAXIMUM_PACKET_BYTES).map_err(|error| error.violation);
        match expected {
            Some(violation) => assert_eq!(found, Err(violation), "{notation}"),
            // The first byte alone is enough to be refused.
            None => assert_eq!(found, Err(PublishQoS3), "{notation}"),
        }
    }
}
