//! A strict, pure MQTT 3.1, 3.1.1 and 5.0 codec: bytes to packets and back, topics, and the delivery flows both ends share.
