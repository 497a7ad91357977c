//! An async MQTT 3.1.1 and 5.0 client: one connection shared by publishers and subscribers that reconnects by itself.
