//! Owns how a load that could not go on reads, and which exit code it has.

use crate::error::{Error, ErrorKind};
use mqtt_codec::{PacketType, ProtocolVersion};

/// The error of a load in `version`.
pub(super) fn explain(error: &dunlin_load::Error, version: ProtocolVersion) -> Error {
    use dunlin_load::Error as Load;
    let kind = match error {
        Load::System { .. } => return Error::local(error.to_string()),
        Load::Invalid { .. } => return Error::usage(error.to_string()),
        Load::Unreachable { .. } => {
            return Error::remote(ErrorKind::Unreachable, error.to_string())
                .with_hint("name another server with -h HOST and -p PORT");
        }
        Load::Refused { packet: PacketType::ConnAck, reason, .. } => {
            ErrorKind::ConnectionRefused(reason.connack_byte(version))
        }
        Load::Refused { .. } => ErrorKind::Denied,
        Load::Ended { .. } => ErrorKind::ConnectionLost,
        Load::Unexpected { .. } => ErrorKind::Protocol,
        Load::Late { .. } => ErrorKind::TimedOut,
    };
    Error::remote(kind, error.to_string())
}
