//! Owns Quality of Service as a type. The handshakes behind it are in [`flow`](crate::flow).

/// How often a message may arrive. Ordered by strength.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum QoS {
    /// QoS 0: fire and forget.
    #[default]
    AtMostOnce = 0,
    /// QoS 1: acknowledged, may be duplicated.
    AtLeastOnce = 1,
    /// QoS 2: acknowledged twice, never duplicated.
    ExactlyOnce = 2,
}

impl QoS {
    /// The two bits of the wire; 3 is no QoS `[MQTT5-3.3.1-4]` `[MQTT311-3.3.1-4]`.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The number on the wire: 0, 1 or 2.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }
}
