"""Scenarios that paho-mqtt clients play with a broker: `paho_scenarios.py PORT VERSION SCENARIO`.

A scenario that does not go as it must ends with an exception, and the program with it.
"""

import queue
import socket
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PATIENCE = 30
VERSIONS = {"31": mqtt.MQTTv31, "311": mqtt.MQTTv311, "5": mqtt.MQTTv5}


class Peer:
    """A connected client whose callbacks fill queues."""

    def __init__(self, name, lasting=False, will=None):
        options = {} if VERSION == mqtt.MQTTv5 else {"clean_session": not lasting}
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=VERSION, **options
        )
        self.connected, self.subscribed, self.messages = queue.Queue(), queue.Queue(), queue.Queue()
        self.client.on_connect = lambda _c, _u, flags, reason, _p: self.connected.put((flags, reason))
        self.client.on_subscribe = lambda _c, _u, _mid, reasons, _p: self.subscribed.put(reasons)
        self.client.on_message = lambda _c, _u, message: self.messages.put(message)
        if will:
            self.client.will_set(*will)
        arguments = {}
        if VERSION == mqtt.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 60 if lasting else 0
            properties.TopicAliasMaximum = 0
            arguments = {"clean_start": not lasting, "properties": properties}
        self.client.connect("127.0.0.1", PORT, 60, **arguments)
        self.client.loop_start()
        self.flags, reason = self.connected.get(timeout=PATIENCE)
        expect(not reason.is_failure, f"{name} was refused: {reason}")

    def subscribe(self, topic, qos=0, **options):
        if options:
            self.client.subscribe(topic, options=SubscribeOptions(qos=qos, **options))
        else:
            self.client.subscribe(topic, qos)
        (reason,) = self.subscribed.get(timeout=PATIENCE)
        expect(reason.value == qos, f"{topic} was granted {reason}")

    def publish(self, topic, payload, qos=0, retain=False, properties=None):
        self.client.publish(topic, payload, qos, retain, properties).wait_for_publish(PATIENCE)

    def receive(self):
        return self.messages.get(timeout=PATIENCE)

    def vanish(self):
        """Loses the connection without a good-bye."""
        lost = self.client.socket()
        self.client.on_disconnect = None
        self.client.loop_stop()
        lost.shutdown(socket.SHUT_RDWR)

    def leave(self):
        self.client.disconnect()
        self.client.loop_stop()


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_equal(received, expected):
    expect(received == expected, f"received {received!r}, expected {expected!r}")


def every_qos():
    subscriber, publisher = Peer("subscriber"), Peer("publisher")
    for granted in (0, 1, 2):
        subscriber.subscribe(f"a/{granted}/+", granted)
        # Order holds among messages of one QoS.
        for qos in (0, 1, 2):
            for number in range(10):
                publisher.publish(f"a/{granted}/b", str(number), qos)
            for number in range(10):
                message = subscriber.receive()
                expect_equal((message.topic, message.payload), (f"a/{granted}/b", str(number).encode()))
                expect_equal((message.qos, message.retain), (min(granted, qos), False))
    large = bytes(range(256)) * 2000
    publisher.publish("a/2/large", large, 2)
    expect_equal(subscriber.receive().payload, large)
    publisher.leave()
    subscriber.leave()


def retained():
    publisher = Peer("publisher")
    publisher.publish("kept", "former", 1, True)
    publisher.publish("kept", "latest", 2, True)
    subscriber = Peer("subscriber")
    subscriber.subscribe("#", 2)
    message = subscriber.receive()
    expect_equal((message.payload, message.qos, message.retain), (b"latest", 2, True))
    publisher.publish("kept", None, 1, True)
    expect_equal(subscriber.receive().payload, b"")
    late = Peer("late")
    late.subscribe("#", 1)
    publisher.publish("passing", "x", 1)
    expect_equal(late.receive().topic, "passing")


def wills():
    watcher = Peer("watcher")
    watcher.subscribe("gone/#", 2)
    for qos in (0, 1, 2):
        mortal = Peer("mortal", will=(f"gone/{qos}", "dead", qos, False))
        mortal.vanish()
        message = watcher.receive()
        expect_equal((message.topic, message.payload, message.qos), (f"gone/{qos}", b"dead", qos))
    Peer("polite", will=("gone/never", "dead", 1, False)).leave()
    watcher.publish("gone/end", "", 1)
    expect_equal(watcher.receive().topic, "gone/end")


def shared():
    members = [Peer("first"), Peer("second")]
    for member in members:
        member.subscribe("$share/group/a", 1)
    publisher = Peer("publisher")
    for number in range(20):
        publisher.publish("a", str(number), 1)
    received = {int(member.receive().payload) for member in members for _ in range(10)}
    expect_equal(received, set(range(20)))


def sessions():
    lasting = Peer("lasting", lasting=True)
    expect(not lasting.flags.session_present, "there was a session before")
    lasting.subscribe("a", 2)
    lasting.leave()
    publisher = Peer("publisher")
    for number in range(10):
        publisher.publish("a", str(number), 1 + number % 2)
    lasting = Peer("lasting", lasting=True)
    # MQTT 3.1 cannot tell.
    expect(lasting.flags.session_present or VERSION == mqtt.MQTTv31, "the session is gone")
    received = [lasting.receive() for _ in range(10)]
    for qos in (1, 2):
        # Order holds among messages of one QoS.
        numbers = [int(message.payload) for message in received if message.qos == qos]
        expect_equal(numbers, list(range(qos - 1, 10, 2)))
    lasting.leave()


def properties():
    peer = Peer("both")
    peer.subscribe("a", 1, noLocal=False, retainAsPublished=True, retainHandling=2)
    sent = Properties(PacketTypes.PUBLISH)
    sent.UserProperty = [("b", "2"), ("a", "1"), ("b", "1")]
    sent.ContentType = "text/plain"
    sent.ResponseTopic = "answers"
    sent.CorrelationData = b"\x00\xff"
    sent.MessageExpiryInterval = 60
    sent.PayloadFormatIndicator = 1
    sent.TopicAlias = 2
    peer.publish("a", "first", 1, True, sent)
    by_alias = Properties(PacketTypes.PUBLISH)
    by_alias.TopicAlias = 2
    peer.publish("", "second", 1, False, by_alias)
    message = peer.receive()
    received = message.properties
    expect_equal(message.retain, True)
    expect_equal(received.UserProperty, [("b", "2"), ("a", "1"), ("b", "1")])
    expect_equal((received.ContentType, received.ResponseTopic), ("text/plain", "answers"))
    expect_equal((received.CorrelationData, received.PayloadFormatIndicator), (b"\x00\xff", 1))
    expect(50 <= received.MessageExpiryInterval <= 60, received)
    message = peer.receive()
    expect_equal((message.topic, message.payload), ("a", b"second"))


PORT, VERSION, SCENARIO = int(sys.argv[1]), VERSIONS[sys.argv[2]], sys.argv[3]
SCENARIOS = (every_qos, retained, wills, shared, sessions, properties)
{scenario.__name__: scenario for scenario in SCENARIOS}[SCENARIO]()
print("done")
