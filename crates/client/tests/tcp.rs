//! Owns the tests of the one part that needs a real socket: TCP. What is said on it is tested inside the crate.

use dunlin_client::{Client, ConnectionError, Message, Options, QoS, ReasonCode};
use mqtt_codec::{
    Packet, ProtocolVersion,
    packet::{Ack, ConnAck},
};
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The server's end of a connection.
struct Server {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Server {
    async fn packet(&mut self) -> Option<Packet> {
        loop {
            let bytes = bytes::Bytes::copy_from_slice(&self.input);
            if let Some((packet, bytes)) = Packet::decode_first(&bytes, ProtocolVersion::V5, 10_000).unwrap()
            {
                self.input.drain(..bytes);
                return Some(packet);
            }
            if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                return None;
            }
        }
    }

    async fn send(&mut self, packet: Packet) {
        let mut bytes = Vec::new();
        packet.encode(ProtocolVersion::V5, &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }
}

fn connack(reason: ReasonCode) -> Packet {
    Packet::ConnAck(ConnAck { session_present: false, reason, properties: mqtt_codec::Properties::NONE })
}

/// Accepts one client, acknowledges what it publishes, and tells how many packets it sent.
async fn serve_one(listener: TcpListener) -> usize {
    let mut server = Server { stream: listener.accept().await.unwrap().0, input: Vec::new() };
    let mut packets = 0;
    while let Some(packet) = server.packet().await {
        packets += 1;
        match packet {
            Packet::Connect(_) => server.send(connack(ReasonCode::Success)).await,
            Packet::Publish(publish) => {
                let packet_id = publish.delivery.packet_id().unwrap();
                server.send(Packet::PubAck(Ack::new(packet_id, ReasonCode::Success))).await;
            }
            Packet::Disconnect(_) => return packets,
            other => panic!("{other:?}"),
        }
    }
    panic!("the client closed without DISCONNECT");
}

#[tokio::test]
async fn a_client_connects_publishes_and_leaves() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(serve_one(listener));
    let options = Options { bind_address: Some("127.0.0.1".to_owned()), ..Options::to("127.0.0.1", port) };
    let client = Client::connect(options).await.unwrap();
    // Large enough to need several reads and writes: a stream without loss [MQTT311-7.1.2-1].
    for bytes in [0, 1, 5_000] {
        let message = Message::new("a", vec![b'x'; bytes]).unwrap().qos(QoS::AtLeastOnce);
        assert_eq!(client.publish(message).await.unwrap().reason, ReasonCode::Success);
    }
    client.disconnect().await.unwrap();
    assert_eq!(server.await.unwrap(), 5);
}

#[tokio::test]
async fn nobody_listening_is_an_error_that_names_the_place() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Client::connect(Options::to("127.0.0.1", port)).await.unwrap_err();
    let ConnectionError::Network(network) = &error else { panic!("{error:?}") };
    assert_eq!(network.kind, io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().starts_with(&format!("127.0.0.1:{port}: ")), "{error}");
}

#[tokio::test]
async fn a_local_address_of_another_family_is_an_error() {
    let options = Options { bind_address: Some("::1".to_owned()), ..Options::to("127.0.0.1", 9) };
    let error = Client::connect(options).await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1:9: the local address is of another family");
}

/// Handles, streams and deliveries can be used from any thread.
const _: () = {
    const fn is_shared<T: Clone + Send + Sync + 'static>() {}
    const fn is_sent<T: Send + 'static>() {}
    is_shared::<Client>();
    is_sent::<dunlin_client::Subscription>();
    is_sent::<dunlin_client::Delivery>();
    is_sent::<dunlin_client::Events>();
};
