//! Owns how the ways a connection can fail read and which exit codes they have. What failed is the client's finding.

use crate::error::{Error, ErrorKind};
use dunlin_client::{ConnectionError, Properties, ProtocolVersion, ReasonCode};
use std::io;

/// A connection to `place` that was not made.
pub(super) fn opening(error: &ConnectionError, place: &str, version: ProtocolVersion) -> Error {
    match error {
        ConnectionError::Network(network) => {
            let unreachable = Error::remote(ErrorKind::Unreachable, format!("cannot connect: {network}"));
            match network.kind {
                io::ErrorKind::ConnectionRefused => unreachable
                    .with_hint("nothing listens there; name another server with -h HOST and -p PORT"),
                // Somebody was there and hung up before saying anything.
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => ended(error, version),
                _ => unreachable,
            }
        }
        ConnectionError::ConnectTimeout => {
            Error::remote(ErrorKind::Unreachable, format!("cannot connect: {place} did not answer in time"))
        }
        ConnectionError::Options(error) => Error::usage(format!("the options make no CONNECT: {error}")),
        ConnectionError::Refused { .. }
        | ConnectionError::ClosedByServer
        | ConnectionError::DisconnectedByServer { .. }
        | ConnectionError::KeepAliveTimeout
        | ConnectionError::AcknowledgementTimeout
        | ConnectionError::ServerViolation(_)
        | ConnectionError::Closed => ended(error, version),
    }
}

/// A connection that was lost for good, or that could not be made again.
pub(super) fn ended(error: &ConnectionError, version: ProtocolVersion) -> Error {
    let lost = || Error::remote(ErrorKind::ConnectionLost, format!("connection lost: {error}"));
    match error {
        ConnectionError::Refused { reason, properties } => refused(*reason, properties, version),
        ConnectionError::DisconnectedByServer { reason, .. } if blames_us(*reason) => {
            Error::remote(ErrorKind::Protocol, format!("connection lost: {error}"))
        }
        ConnectionError::ServerViolation(_) => Error::remote(ErrorKind::Protocol, error.to_string()),
        ConnectionError::Network(_)
        | ConnectionError::ConnectTimeout
        | ConnectionError::ClosedByServer
        | ConnectionError::DisconnectedByServer { .. }
        | ConnectionError::KeepAliveTimeout
        | ConnectionError::AcknowledgementTimeout
        | ConnectionError::Options(_)
        | ConnectionError::Closed => lost(),
    }
}

/// Tells the code in the numbering of `version`, which is also the exit code.
fn refused(reason: ReasonCode, properties: &Properties, version: ProtocolVersion) -> Error {
    let code = reason.connack_byte(version);
    let shown = if version.has_properties() { format!("0x{code:02X}") } else { code.to_string() };
    let mut message = format!("connection refused: {} ({shown})", reason.name());
    if let Some(text) = properties.reason_string() {
        message.push_str(": ");
        message.push_str(text);
    }
    let error = Error::remote(ErrorKind::ConnectionRefused(code), message);
    if let Some(server) = properties.server_reference() {
        error.with_hint(format!("the server names another one: {server}"))
    } else if matches!(reason, ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized) {
        error.with_hint("give a user name with -u and a password with -P")
    } else {
        error
    }
}

/// Whether a server that says this in DISCONNECT has found us breaking the protocol.
const fn blames_us(reason: ReasonCode) -> bool {
    matches!(reason, ReasonCode::MalformedPacket | ReasonCode::ProtocolError)
}

#[cfg(test)]
mod tests {
    use super::opening;
    use dunlin_client::{ConnectionError, Properties, Property, PropertyOwner, ProtocolVersion, ReasonCode};

    fn check(error: &ConnectionError, version: ProtocolVersion, exit_code: u8, expected: &str) {
        let found = opening(error, "h:1", version);
        assert_eq!((found.exit_code().number(), found.to_string().as_str()), (exit_code, expected));
    }

    #[test]
    fn a_refusal_names_the_reason_and_the_code_of_its_version() {
        let refused = |reason| ConnectionError::Refused { reason, properties: Properties::NONE };
        let hint = "\n hint: give a user name with -u and a password with -P";
        let not_authorized = refused(ReasonCode::NotAuthorized);
        let v5 = format!("error: connection refused: Not authorized (0x87){hint}");
        check(&not_authorized, ProtocolVersion::V5, 135, &v5);
        let v311 = format!("error: connection refused: Not authorized (5){hint}");
        check(&not_authorized, ProtocolVersion::V311, 5, &v311);
        check(
            &refused(ReasonCode::ClientIdentifierNotValid),
            ProtocolVersion::V31,
            2,
            "error: connection refused: Client Identifier not valid (2)",
        );
    }

    #[test]
    fn what_the_server_says_about_a_refusal_is_passed_on() {
        let said = [Property::ReasonString("moved to town"), Property::ServerReference("other.example")];
        let properties = Properties::new(PropertyOwner::ConnAck, said).unwrap();
        check(
            &ConnectionError::Refused { reason: ReasonCode::ServerMoved, properties },
            ProtocolVersion::V5,
            157,
            "error: connection refused: Server moved (0x9D): moved to town\n hint: the server names another one: other.example",
        );
    }

    #[test]
    fn other_failures_have_the_exit_codes_of_mosquitto() {
        let disconnected =
            |reason| ConnectionError::DisconnectedByServer { reason, properties: Properties::NONE };
        let expected = [
            (ConnectionError::ConnectTimeout, 1),
            (ConnectionError::ClosedByServer, 7),
            (ConnectionError::KeepAliveTimeout, 7),
            (disconnected(ReasonCode::ServerShuttingDown), 7),
            (disconnected(ReasonCode::ProtocolError), 2),
        ];
        for (error, exit_code) in expected {
            let found = opening(&error, "h:1", ProtocolVersion::V5);
            assert_eq!(found.exit_code().number(), exit_code, "{found}");
        }
    }
}
