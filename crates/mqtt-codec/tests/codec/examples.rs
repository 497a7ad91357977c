//! Owns the legal packets that the tests start from: every type in every version, every property, every
//! optional part. What is expected of them is the tests' business.

use mqtt_codec::ProtocolVersion::{self, V5, V31, V311};

/// A legal packet.
pub(crate) struct Example {
    /// Groups examples into snapshots.
    pub(crate) packet: &'static str,
    pub(crate) version: ProtocolVersion,
    pub(crate) name: &'static str,
    /// In the notation of `hex`.
    pub(crate) notation: &'static str,
}

impl Example {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        super::hex::bytes(self.notation)
    }
}

const fn example(
    packet: &'static str,
    version: ProtocolVersion,
    name: &'static str,
    notation: &'static str,
) -> Example {
    Example { packet, version, name, notation }
}

#[rustfmt::skip]
pub(crate) const EXAMPLES: &[Example] = &[
    example("connect", V31, "a client identifier alone", "10 # 'MQIsdp' 03 02 003c 'cid'"),
    example("connect", V31, "everything", "10 # 'MQIsdp' 03 ee 000a 'cid' 'will/topic' 'gone' 'user' 'pass'"),
    example("connect", V31, "user name and password announced and left out", "10 # 'MQIsdp' 03 c2 003c 'cid'"),
    example("connect", V31, "flags that are disregarded without a Will", "10 # 'MQIsdp' 03 3b 003c 'cid'"),
    example("connect", V311, "a client identifier alone", "10 # 'MQTT' 04 02 003c 'cid'"),
    example("connect", V311, "an empty client identifier", "10 # 'MQTT' 04 02 0000 ''"),
    // [MQTT311-3.1.3-1] [MQTT311-3.1.3-3]
    example("connect", V311, "everything", "10 # 'MQTT' 04 f6 ffff 'cid' 'will/topic' 'gone' 'user' 'pass'"),
    example("connect", V311, "a user name without a password", "10 # 'MQTT' 04 80 003c 'cid' 'user'"),
    example("connect", V311, "a Will of no bytes", "10 # 'MQTT' 04 06 003c 'cid' 'will/topic' ''"),
    example("connect", V5, "a client identifier alone", "10 # 'MQTT' 05 02 003c () 'cid'"),
    example("connect", V5, "a password without a user name", "10 # 'MQTT' 05 40 003c () 'cid' 0003 00ff80"),
    // The order of the payload: [MQTT5-3.1.3-1].
    example("connect", V5, "everything",
        "10 # 'MQTT' 05 ce 003c \
         (11 ffffffff 21 0014 27 00100000 22 000a 19 01 17 00 26 'name' 'value' 15 'SCRAM' 16 0002 0100) \
         'cid' (18 0000003c 01 01 02 0000000a 03 'text/plain' 08 'answers' 09 0004 <id-1> 26 'name' 'value') \
         'will/topic' 'gone' 'user' 'pass'"),

    example("connack", V31, "accepted", "20 # 00 00"),
    example("connack", V31, "a reserved byte that means nothing", "20 # 01 05"),
    example("connack", V311, "accepted with a session", "20 # 01 00"),
    example("connack", V311, "unacceptable protocol version", "20 # 00 01"),
    example("connack", V311, "identifier rejected", "20 # 00 02"),
    example("connack", V311, "server unavailable", "20 # 00 03"),
    example("connack", V311, "bad user name or password", "20 # 00 04"),
    example("connack", V311, "not authorized", "20 # 00 05"),
    example("connack", V5, "accepted", "20 # 00 00 ()"),
    example("connack", V5, "refused", "20 # 00 87 (1f 'no such client' 1c 'other.example')"),
    example("connack", V5, "everything",
        "20 # 01 00 (11 00000e10 21 0100 24 01 25 00 27 00010000 12 'auto-1' 22 0010 1f 'welcome' \
         26 'a' '1' 26 'a' '2' 28 00 29 01 2a 00 13 001e 1a 'answers/auto-1' 1c 'other.example' \
         15 'SCRAM' 16 0003 <end>)"),

    example("publish", V31, "QoS 0", "30 # 'a/b' <hello>"),
    example("publish", V31, "QoS 2, DUP and RETAIN", "3d # 'a/b' 0001 <hello>"),
    // [MQTT311-2.3.1-5]
    example("publish", V311, "QoS 0", "30 # 'a/b' <hello>"),
    example("publish", V311, "QoS 0 without payload, RETAIN", "31 # 'a/b'"),
    example("publish", V311, "QoS 1", "32 # 'a/b' 000a <hello>"),
    example("publish", V311, "QoS 1, DUP", "3a # 'a/b' ffff <hello>"),
    example("publish", V311, "QoS 2", "34 # '/' 000a 00ff80"),
    example("publish", V311, "a topic that begins with a byte order mark", "30 # 0005 efbbbf <ab>"),
    example("publish", V5, "QoS 0", "30 # 'a/b' () <hello>"),
    example("publish", V5, "QoS 1", "32 # 'a/b' 000a () <hello>"),
    example("publish", V5, "QoS 2, DUP and RETAIN", "3d # 'a/b' 000a ()"),
    example("publish", V5, "a Topic Alias alone", "30 # '' (23 0007) <hello>"),
    example("publish", V5, "a topic and its alias", "30 # 'a/b' (23 0007) <hello>"),
    example("publish", V5, "everything",
        "32 # 'a/b' 000a (01 01 02 0000003c 23 ffff 08 'answers' 09 0003 <id1> 26 'a' '1' 26 '' '' 26 'a' '1' \
         0b 01 0b ffffff7f 0b 01 03 'text/plain') <hello>"),
    example("publish", V5, "characters of two to four bytes", "30 # 000c <a/ü/> e282ac f09f90a6 () <x>"),

    example("puback", V31, "success", "40 # 0001"),
    example("puback", V311, "success", "40 # 0001"),
    example("puback", V5, "success", "40 # 0001"),
    example("puback", V5, "a reason alone", "40 # 0001 10"),
    example("puback", V5, "a reason and no properties", "40 # ffff 87 ()"),
    example("puback", V5, "everything", "40 # 0001 00 (1f 'fine' 26 'a' 'b')"),
    example("pubrec", V31, "success", "50 # 0001"),
    example("pubrec", V311, "success", "50 # 0001"),
    example("pubrec", V5, "success", "50 # 0001"),
    example("pubrec", V5, "everything", "50 # 0001 97 (1f 'full' 26 'a' 'b')"),
    example("pubrel", V31, "DUP", "6a # 0001"),
    example("pubrel", V311, "success", "62 # 0001"),
    example("pubrel", V5, "success", "62 # 0001"),
    example("pubrel", V5, "everything", "62 # 0001 92 (1f 'unknown' 26 'a' 'b')"),
    example("pubcomp", V31, "success", "70 # 0001"),
    example("pubcomp", V311, "success", "70 # 0001"),
    example("pubcomp", V5, "success", "70 # 0001"),
    example("pubcomp", V5, "everything", "70 # 0001 92 (26 'a' 'b' 1f 'unknown')"),

    example("subscribe", V31, "DUP", "8a # 0001 'a/+' 01"),
    example("subscribe", V311, "three filters", "82 # 0001 'a/+' 00 '#' 01 '+/b/#' 02"),
    example("subscribe", V311, "an illegal share of 5.0 is a filter", "82 # 0001 '$share//a' 00 '$share/g/a' 01"),
    example("subscribe", V5, "one filter", "82 # 0001 () 'a' 00"),
    example("subscribe", V5, "everything",
        "82 # 0001 (0b ffffff7f 26 'a' 'b') 'a/b' 2e '$share/group/a/#' 19 '$SYS/#' 00 '$share' 01"),
    example("suback", V31, "granted", "90 # 0001 00"),
    example("suback", V311, "granted and refused", "90 # 0001 00 01 02 80"),
    example("suback", V5, "every reason", "90 # 0001 () 00 01 02 80 83 87 8f 91 97 9e a1 a2"),
    example("suback", V5, "everything", "90 # 0001 (1f 'well' 26 'a' 'b') 01"),
    example("unsubscribe", V31, "one filter", "a2 # 0001 'a'"),
    example("unsubscribe", V311, "two filters", "a2 # 0001 'a/+' '#'"),
    example("unsubscribe", V5, "everything", "a2 # 0001 (26 'a' 'b') 'a/b' '$share/group/a/#'"),
    example("unsuback", V31, "done", "b0 # 0001"),
    example("unsuback", V311, "done", "b0 # 0001"),
    example("unsuback", V5, "every reason", "b0 # 0001 () 00 11 80 83 87 8f 91"),
    example("unsuback", V5, "everything", "b0 # 0001 (26 'a' 'b' 1f 'well') 11"),

    example("pingreq", V31, "a ping", "c0 #"),
    example("pingreq", V311, "a ping", "c0 #"),
    example("pingreq", V5, "a ping", "c0 #"),
    example("pingresp", V31, "a pong", "d0 #"),
    example("pingresp", V311, "a pong", "d0 #"),
    example("pingresp", V5, "a pong", "d0 #"),
    example("disconnect", V31, "without a reason", "e0 #"),
    example("disconnect", V311, "without a reason", "e0 #"),
    example("disconnect", V5, "without a reason", "e0 #"),
    example("disconnect", V5, "a reason alone", "e0 # 04"),
    example("disconnect", V5, "everything", "e0 # 9c (11 00000000 1f 'moved' 26 'a' 'b' 1c 'other.example')"),
    example("auth", V5, "success without anything", "f0 #"),
    example("auth", V5, "everything", "f0 # 18 (15 'SCRAM' 16 0002 0102 1f 'go on' 26 'a' 'b')"),
];
