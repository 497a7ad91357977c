//! Owns the order in which packet identifiers are given out. Which are in use is asked, not kept.

use crate::packet::PacketId;

/// Gives out packet identifiers for PUBLISH, SUBSCRIBE and UNSUBSCRIBE from one set, counting up from 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct PacketIds {
    last: Option<PacketId>,
}

impl PacketIds {
    /// A set of which none was given out.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Continues behind an identifier that an earlier process gave out last.
    pub fn restore(&mut self, packet_id: PacketId) {
        self.last = Some(packet_id);
    }

    /// The next identifier that is not in use `[MQTT5-4.3.2-1]` `[MQTT5-4.3.3-1]` `[MQTT5-2.2.1-3]`
    /// `[MQTT5-2.2.1-4]` `[MQTT311-2.3.1-2]`
    /// `[MQTT311-2.3.1-4]`; none while all 65,535 are.
    #[inline(always)]
    pub fn allocate(&mut self, in_use: impl Fn(PacketId) -> bool) -> Option<PacketId> {
        let first = self.last.map_or(PacketId::FIRST, PacketId::next);
        let mut candidate = first;
        while in_use(candidate) {
            candidate = candidate.next();
            if candidate == first {
                return None;
            }
        }
        self.last = Some(candidate);
        Some(candidate)
    }
}
